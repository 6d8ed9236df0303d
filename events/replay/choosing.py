"""Which events somebody wants to look at. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Told(Protocol):
    """An event as the log or the API tells it."""

    @property
    def event_type(self) -> str:
        """Its name."""

    @property
    def stage(self) -> str | None:
        """The stage whose run it is of."""

    @property
    def timestamp(self) -> datetime:
        """When it happened."""

    @property
    def data(self) -> Mapping[str, object]:
        """What it says."""


@dataclass(frozen=True)
class Chosen:
    """What is looked for; what is left out does not matter. `text` are words that all stand in type, stage or data.

    `since` is inclusive, `until` exclusive. Case does not matter. The page chooses by the same rule (event_list.js).
    """

    types: Collection[str] = ()
    stages: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""

    @property
    def is_all(self) -> bool:
        """Whether every event is wanted."""
        return self == Chosen()


def wants(chosen: Chosen, envelope: Told) -> bool:
    """Whether an event is among those looked for."""
    if chosen.types and envelope.event_type not in chosen.types:
        return False
    if chosen.stages and stage_of(envelope) not in chosen.stages:
        return False
    if chosen.since is not None and envelope.timestamp < chosen.since:
        return False
    if chosen.until is not None and envelope.timestamp >= chosen.until:
        return False
    return not chosen.text or _has_words(envelope, chosen.text)


def stage_of(envelope: Told) -> str:
    """The stage that an event is about; empty where it is about none."""
    return str(envelope.stage or envelope.data.get("stage") or "")


def _has_words(envelope: Told, text: str) -> bool:
    data = json.dumps(_as_shown(envelope.data), ensure_ascii=False, separators=(",", ":"))
    said = f"{envelope.event_type} {stage_of(envelope)} {data}".lower()
    return all(word in said for word in text.lower().split())


def _as_shown(value: object) -> object:
    """The value with whole numbers as a page shows them: 3, not 3.0."""
    if isinstance(value, dict):
        return {name: _as_shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_shown(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
