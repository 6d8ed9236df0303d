"""A repository with its analyses as it was at any moment. Pure.

What is shown of an analysis here changes at few of its events. Each change is a step, so that any moment is found by
its time, however long the streams are.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from events.base import Envelope
from events.replay.history import Shown, fold
from orchestrator.projections.pasts import AnalysisPast, fold_of

Json = dict[str, Any]
_SHOWN = {
    "ref",
    "commit",
    "state",
    "requested_at",
    "imported_at",
    "answerable_at",
    "ready_at",
    "refined_at",
    "ended_at",
    "code",
    "message",
    "partial",
    "totals",
}


@dataclass(frozen=True)
class Step:
    """From `at` on, `shown` was what a stream added up to; the event of this version made it so."""

    at: datetime
    version: int
    event_type: str
    shown: Json


class Steps:
    """The steps of one stream. Grows by its events in their order; holds none of them."""

    def __init__(self, how: Shown[Any], shown: Callable[[Any], Json]) -> None:
        self._how = how
        self._shown = shown
        self._state = how.initial()
        self.steps: list[Step] = []
        self.version = 0
        self._at: datetime | None = None

    def extend(self, envelopes: Iterable[Envelope]) -> None:
        """Take what comes next in the stream; what it has already changes nothing."""
        for envelope in envelopes:
            if envelope.version <= self.version:
                continue
            self.version = envelope.version
            # As of a time a stream is what its events up to the first later one make: clocks of workers differ.
            self._at = envelope.timestamp if self._at is None else max(self._at, envelope.timestamp)
            self._state = fold((envelope,), self._how.evolve, self._state)
            shown = self._shown(self._state)
            last = self.steps[-1] if self.steps else None
            if last is None or last.shown != shown:
                self.steps.append(Step(self._at, envelope.version, envelope.event_type, shown))

    def at(self, moment: datetime) -> Json:
        """What was shown at a moment; empty before the first step."""
        place = bisect_right(self.steps, moment, key=attrgetter("at"))
        return self.steps[place - 1].shown if place else {}


def analysis_steps() -> Steps:
    """The steps of an analysis: how it stood, and which of its indexes searches went to."""
    return Steps(fold_of("analysis/"), _shown)


def repository_steps() -> Steps:
    """The steps of a repository's own stream."""
    how = fold_of("repository/")
    return Steps(how, how.shown)


def repository_at(own: Steps, analyses: Mapping[str, Steps], moment: datetime) -> Json:
    """A repository as it was: what its own stream says, and `analyses`, those that had been asked for by then."""
    shown = own.at(moment)
    if not shown:
        return {}
    return shown | {"analyses": {name: there for name, steps in analyses.items() if (there := steps.at(moment))}}


def moments(own: Steps, analyses: Mapping[str, Steps]) -> list[tuple[str, Step]]:
    """When anything of it changed, in order, each with the analysis that did; empty where it is the repository's."""
    named = {"": own, **analyses}
    found = [(name, step) for name, steps in named.items() for step in steps.steps]
    return sorted(found, key=lambda one: (one[1].at, one[0], one[1].version))


def _shown(past: AnalysisPast) -> Json:
    if past.record is None:
        return {}
    view = past.record.view.model_dump(mode="json", include=_SHOWN)
    searched = past.generations.get(past.searched or "")
    index = {"kind": searched.kind, "model": searched.model, "chunks": searched.chunks} if searched else None
    return view | {"index": index}
