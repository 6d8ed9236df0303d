"""Copies a history up to an event, with that event edited. Pure: a fork is a value, and nobody is told of it.

In:  the events of a stream, the version that is edited, and its new values.
Out: the edited copy; of a stream that nobody decides on, also what is left of the record after it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from events.base import Envelope
from events.catalog import EVENTS, UnknownEvent, decode
from events.upcasts import upcast


class BadFork(Exception):
    """A fork that cannot be: a code, and a sentence that says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Followed(NamedTuple):
    """The events of a fork, and those of the record that have no place in it, since what led to them is another."""

    events: tuple[Envelope, ...]
    not_recorded: tuple[Envelope, ...]


def forked(history: Sequence[Envelope], version: int, changes: Mapping[str, object]) -> tuple[Envelope, ...]:
    """The events up to `version`, the last of them with `changes`; without any, as it was. Raises BadFork."""
    if not 1 <= version <= len(history):
        raise BadFork("fork_version_unknown", f"The history has the versions 1 to {len(history)}: fork it at one.")
    *before, last = (upcast(envelope) for envelope in history[:version])
    return (*before, edited(last, changes))


def edited(envelope: Envelope, changes: Mapping[str, object]) -> Envelope:
    """The event with `changes`, as its class writes it; as it is where they change nothing.

    Raises BadFork where it would be none of that class.
    """
    try:
        event, cls = decode(envelope), EVENTS[envelope.event_type]
    except (UnknownEvent, KeyError, ValidationError):
        raise BadFork("fork_edit_refused", "This release cannot read that event: choose another.") from None
    if unknown := sorted(set(changes) - set(cls.model_fields)):
        known = ", ".join(cls.model_fields) or "none"
        raise BadFork("fork_edit_refused", f"{envelope.event_type} has no {unknown[0]}: its fields are {known}.")
    try:
        new = cls.model_validate({**event.model_dump(mode="json"), **changes})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadFork("fork_edit_refused", f"{where}: {first['msg']}.") from None
    if new == event:
        return envelope
    if _has_bare_time(new.model_dump()):
        raise BadFork("fork_edit_refused", "A time needs its offset: write it as 2026-01-31T12:00:00Z.")
    return envelope.model_copy(update={"data": new.model_dump(mode="json")})


def _has_bare_time(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_bare_time, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_bare_time, value))
    return isinstance(value, datetime) and value.utcoffset() is None


def follow(history: Sequence[Envelope], begun: Sequence[Envelope]) -> Followed:
    """What the record has after the events `begun`, but for what was caused by the last of them where that is another.

    Nobody knows what would have come of an event that never was.
    """
    *_, last = begun
    is_other = last.data != upcast(history[len(begun) - 1]).data
    gone = {last.event_id} if is_other else set()
    kept, lost = list(begun), list[Envelope]()
    for envelope in history[len(begun) :]:
        if envelope.causation_id in gone:
            gone.add(envelope.event_id)
            lost.append(envelope)
        else:
            kept.append(envelope.model_copy(update={"version": len(kept) + 1}))
    return Followed(tuple(kept), tuple(lost))
