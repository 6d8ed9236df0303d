"""A history with one event edited, gone on with beside the real one: states and decisions of both. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from events.base import Envelope
from events.catalog import decode
from events.replay.difference import Change, difference
from events.replay.fork import BadFork, follow, forked
from events.replay.history import fold
from events.upcasts import upcast
from orchestrator.projections.pasts import fold_of
from orchestrator.workflow.again import line_of
from orchestrator.workflow.onward import decisions, go_on
from orchestrator.workflow.policy import Policy

MOST = 20_000  # events of a history that is forked: each is decided on anew
_ANALYSIS = "analysis/"
_WHEN = ("duration",)  # how long it took until it was decided is no part of what was decided

Json = dict[str, Any]


@dataclass(frozen=True)
class Beside:
    """One decision as the log has it and as the fork has it; a side that does not have it is None."""

    event_type: str
    real: str | None
    fork: str | None
    real_version: int = 0
    fork_version: int = 0

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.real == self.fork


@dataclass(frozen=True)
class NotRecorded:
    """Something that the world would have been asked for, and of which there is no record."""

    what: str
    stage: str = ""
    shard: int = 0
    attempt: int = 0


@dataclass(frozen=True)
class Fork:
    """A fork at `version`. `edited` says what is different in its event, `then` in the state right after it, and
    `now` in the state at the end; each leads from the real one to the fork's.

    `unused` are the recorded events that have no place in it.
    """

    version: int
    event_type: str
    events: tuple[Envelope, ...]
    edited: tuple[Change, ...]
    then: tuple[Change, ...]
    now: tuple[Change, ...]
    decisions: tuple[Beside, ...]
    not_recorded: tuple[NotRecorded, ...]
    unused: tuple[Envelope, ...]

    @property
    def agrees(self) -> bool:
        """Whether it went on as it really did: with the same decisions and all of the record."""
        return all(each.agrees for each in self.decisions) and not (self.not_recorded or self.unused)


def fork(
    history: Sequence[Envelope],
    version: int,
    changes: Mapping[str, object],
    policy: Policy,
    look: Callable[[], object] = lambda: None,
) -> Fork:
    """Fork a whole stream at `version`, and go on with the present code. Raises BadFork, and as `look` does.

    Before each decision it has a `look`, which raises where nobody waits for it any more.
    """
    if len(history) > MOST:
        raise BadFork("fork_too_long", f"It has more than {MOST:,} events: look at it with `repostream events`.")
    begun = forked(history, version, changes)
    real = [upcast(envelope) for envelope in history]
    if real[0].stream_id.startswith(_ANALYSIS):
        course = go_on(real, begun, policy, look)
        events, unused = course.events, course.unused
        missing = tuple(NotRecorded("run", r.stage.value, r.shard, r.attempt) for r in course.not_recorded)
        beside = _beside(decisions(real, version), course.decided)
    else:
        events, unused = follow(real, begun)
        missing, beside = tuple(NotRecorded(envelope.event_type) for envelope in unused), ()
    was = real[version - 1]
    return Fork(
        version=version,
        event_type=was.event_type,
        events=events,
        edited=_edited(was, begun[-1]),
        then=tuple(difference(_state(real[:version]), _state(begun))),
        now=tuple(difference(_state(real), _state(events))),
        decisions=beside,
        not_recorded=missing,
        unused=unused,
    )


def _edited(was: Envelope, now: Envelope) -> tuple[Change, ...]:
    """What is different in an event; a field that was added to its type since then is none."""
    return () if now.data == was.data else tuple(difference(decode(was).model_dump(mode="json"), now.data))


def _state(events: Sequence[Envelope]) -> Json:
    how = fold_of(events[0].stream_id)
    return how.shown(fold(events, how.evolve, how.initial()))


def _beside(real: Sequence[Envelope], forks: Sequence[Envelope]) -> tuple[Beside, ...]:
    """Decisions by their ids, which derive from what they say: in the order of the log, then what the fork adds."""
    there = {envelope.event_id: envelope for envelope in forks}
    both = [_pair(envelope.event_type, envelope, there.pop(envelope.event_id, None)) for envelope in real]
    return (*both, *(_pair(envelope.event_type, None, envelope) for envelope in there.values()))


def _pair(event_type: str, real: Envelope | None, forks: Envelope | None) -> Beside:
    return Beside(
        event_type,
        line_of(real, _WHEN) if real is not None else None,
        line_of(forks, _WHEN) if forks is not None else None,
        real.version if real is not None else 0,
        forks.version if forks is not None else 0,
    )
