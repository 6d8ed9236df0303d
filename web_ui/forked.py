"""Forks of a history as people make and read them. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from runtime.client.shapes import ChangeView, ForkedEvent, ForkView, MissingView
from web_ui.compared import short
from web_ui.words import count, visible

_LONGEST_LINE = 80  # signs that a field of one line shows
_LONGEST_ADDRESS = 1_500  # signs of changes that an address takes
_PRIVATE = "conversation/"  # what was said in one stays out of addresses
_HOW = {"both": "the same", "other": "otherwise", "real": "really alone", "fork": "in the fork alone"}
Row = tuple[str, ...]


class Field(NamedTuple):
    """A value of an event as a form has it: of the kind `yes` whether it `is_set`, else what is `said`."""

    name: str
    kind: Literal["yes", "line", "lines"]
    said: str
    is_set: bool = False


def fields(data: Mapping[str, object]) -> list[Field]:
    """The values of an event to be edited, the short ones first."""
    return sorted((_field(name, value) for name, value in data.items()), key=lambda field: field.kind == "lines")


def changes(data: Mapping[str, object], written: Mapping[str, str | bool]) -> dict[str, object]:
    """What was written in place of an event's values, by name: only what is different.

    What is no text is read as JSON; what cannot be is sent as it was written, and the API says what is wrong with it.
    """
    read = {name: _read(data[name], said) for name, said in written.items()}
    return {name: value for name, value in read.items() if value != data[name] or type(value) is not type(data[name])}


def address(stream: str, changed: Mapping[str, object]) -> str | None:
    """Changes as a parameter of an address; None for those that are too long for it, or private."""
    said = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
    return None if stream.startswith(_PRIVATE) or len(said) > _LONGEST_ADDRESS else said


def read_address(said: str | None) -> dict[str, object] | None:
    """The changes that an address has; None where it has none."""
    try:
        read = json.loads(said or "")
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def read_version(said: str | None) -> int | None:
    """The version that an address names; None where it names none."""
    return int(said[:9]) if said is not None and said.isdecimal() and int(said[:9]) > 0 else None


def conclusion(made: ForkView) -> str:
    """One sentence: whether it goes on as it did, and else how much is different."""
    if made.agrees:
        return "It goes on as it really did."
    otherwise = sum(not each.agrees for each in made.decisions)
    said = (
        f"{count(otherwise, 'decision')} otherwise" if otherwise else "",
        f"{count(len(made.unused), 'recorded event')} without a place in it" if made.unused else "",
        f"{count(len(made.not_recorded), 'thing')} that nothing is recorded of" if made.not_recorded else "",
    )
    return f"It goes on otherwise: {', '.join(part for part in said if part)}."


def lengths(made: ForkView) -> list[str]:
    """How long both histories are, and how much of them is not shown."""
    more = f"{made.left_out:,} more entries are not shown" if made.left_out else ""
    said = (f"{count(made.real_events, 'event')} really", f"{count(made.fork_events, 'event')} in the fork", more)
    return [each for each in said if each]


def beside(made: ForkView) -> list[Row]:
    """Both histories after the edited event: how each event is in them, its place and type really, and in the fork."""
    return [(_HOW[how], real, fork) for how, real, fork in _beside(made)]


def decisions(made: ForkView) -> list[Row]:
    """The decisions that are different: as they were made really, and in the fork."""
    return [
        (visible(each.real or "nothing"), visible(each.fork or "nothing")) for each in made.decisions if not each.agrees
    ]


def differences(found: Sequence[ChangeView]) -> list[Row]:
    """What is different in an event or a state: where, really, and in the fork."""
    return [(_place(each.path), _side(each, "added"), _side(each, "removed")) for each in found]


def missing(found: Sequence[MissingView]) -> list[Row]:
    """What the fork would need of the world, and of which nothing is recorded."""
    return [(_missing(each),) for each in found]


def _field(name: str, value: object) -> Field:
    if isinstance(value, bool):
        return Field(name, "yes", "", value)
    said = _said(value)
    is_long = isinstance(value, list | dict) or len(said) > _LONGEST_LINE or "\n" in said
    return Field(name, "lines" if is_long else "line", said)


def _said(value: object) -> str:
    if value is None:
        return ""
    indent = 1 if isinstance(value, list | dict) else None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)


def _read(before: object, said: str | bool) -> object:
    if isinstance(before, str) or isinstance(said, bool):
        return said
    if said == _said(before):
        return before
    try:
        return json.loads(said, parse_constant=_refuse) if said else None
    except (ValueError, RecursionError):
        return said


def _refuse(name: str) -> object:
    raise ValueError(name)  # JSON has no NaN


def _beside(made: ForkView) -> Iterator[tuple[str, str, str]]:
    """A recorded event without a place in the fork stands where it happened; what the fork adds, where that did."""
    there = {event.real_version for event in made.events}
    alone = [event for event in made.real if event.version not in there]
    for event in made.events:
        while alone and alone[0].version < event.real_version:
            yield "real", _event(alone[0]), ""
            del alone[0]
        if event.real_version:
            yield "both" if event.agrees else "other", _event(event, event.real_version), _event(event)
        else:
            yield "fork", "", _event(event)
    is_whole = made.fork_events - made.version == len(made.events)
    yield from (("real", _event(event), "") for event in alone if is_whole)


def _event(event: ForkedEvent, version: int | None = None) -> str:
    shard = f", shard {event.shard + 1}" if event.shard else ""
    stage = f" · {event.stage}{shard}" if event.stage else ""
    return visible(f"{version or event.version} {event.event_type}{stage}")


def _place(pointer: str) -> str:
    return " / ".join(part.replace("~1", "/").replace("~0", "~") for part in visible(pointer).split("/")[1:]) or "all"


def _side(change: ChangeView, absent: str) -> str:
    """A side of a change; `absent` is the kind of change of which that side has nothing."""
    value = change.before if absent == "added" else change.after
    return "nothing" if change.kind == absent else short(value)


def _missing(each: MissingView) -> str:
    if each.what != "run":
        return f"What came of it: {visible(each.what)}"
    return f"{visible(each.stage)}, shard {each.shard + 1}, attempt {each.attempt}"
