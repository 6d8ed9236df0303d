"""What a kept token may be called: what PostgreSQL can store, and a person can read."""

import pytest
from pydantic import ValidationError

from orchestrator.api.credential_models import CredentialRequest


@pytest.mark.parametrize("name", ["a\x00b", "\x00", "a\nb", "\x7f"])
def test_a_name_with_control_characters_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        CredentialRequest.model_validate({"host": "github.com", "name": name, "token": "x" * 20})


@pytest.mark.parametrize("name", ["", "My laptop", "Grüße"])
def test_any_other_name_and_none_is_taken(name: str) -> None:
    assert CredentialRequest.model_validate({"host": "github.com", "name": name, "token": "x" * 20}).name == name
