from functools import cache

import pytest

from runtime.client.client import Client
from tests.support.client_source import FOLDER, described_operations, sources

made = cache(sources)


@pytest.mark.parametrize("name", ["shapes.py", "operations.py"])
def test_the_typed_client_is_what_the_api_describes(name: str) -> None:
    assert (FOLDER / name).read_text() == made()[name], "the API has changed: run `make client` and commit it"


def test_every_operation_has_a_method_of_its_own() -> None:
    names = described_operations()

    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(Client, name)] == []
