"""What an event class says of its private fields holds: they exist, and what they read as once erased fits them."""

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from events.base import Event, Subject
from events.catalog import EVENTS

ROOT = Path(__file__).parents[3]
PRIVATE = [cls for cls in EVENTS.values() if cls.private]


@pytest.mark.parametrize("cls", PRIVATE, ids=lambda cls: cls.event_type)
def test_an_erased_field_still_fits_its_class(cls: type[Event]) -> None:
    for name, erased in cls.private.items():
        field = cls.model_fields[name]
        TypeAdapter(field.annotation).validate_python(erased)
    assert Subject.TENANT in cls.belongs_to


def test_every_class_with_private_fields_stands_in_the_decision() -> None:
    table = (ROOT / "docs" / "decisions" / "0170-erasure.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z._]+)`", table.replace("`…cancelled`", "`repository.processing.cancelled`")))

    assert {cls.event_type for cls in PRIVATE} - named == set()


@pytest.mark.parametrize(
    "word", ["url", "query", "answer", "login", "message", "title", "history", "passages", "reason"]
)
def test_no_event_has_a_field_of_this_kind_in_the_clear(word: str) -> None:
    ours = {"processing.stage.parked"}  # its message is one sentence of ours
    clear = [c.event_type for c in EVENTS.values() if word in c.model_fields and word not in c.private]

    assert set(clear) - ours == set()
