"""What the present code decides from a point of a history on, where the world answers as it was recorded. Pure.

In:  the beginning of a stream, which may have been edited, and the whole record of it.
Out: the stream as it would go on. A run is answered by what was recorded of that run, if it is asked for the same;
     what a person said comes where it came; timers fire. A run of which there is no record stays unanswered.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from events.base import Draft, Envelope, derived_id
from events.catalog import decode
from events.log.drafts import record
from events.processing import StageCompleted, StageFailed, StageParked, StageRequested, TimerFired
from events.upcasts import upcast
from orchestrator.workflow.again import DECIDED, as_estimated, is_heard
from orchestrator.workflow.decide import Alarm, alarm_of, decide
from orchestrator.workflow.estimate import needs_estimate
from orchestrator.workflow.evolve import EDITED, PROMOTED, replay
from orchestrator.workflow.policy import Policy
from orchestrator.workflow.state import AnalysisState

# What a run is asked for. With anything else in one of these, its recorded answer is the answer to another question.
_ASKED = ("url", "ref", "folder", "commit", "include", "history_depth", "credential_ref", "shard", "shards")
_ANSWERS = frozenset(cls.event_type for cls in (StageCompleted, StageFailed, StageParked))
_BY_HAND = frozenset({EDITED, PROMOTED})  # why a person, and not the workflow, asked for a run


@dataclass(frozen=True)
class Course:
    """How a stream went on: `events` from its first on, of which the first `begun` were given.

    `not_recorded` are the runs that were asked for and that nothing is recorded of; `unused` the recorded events that
    had no place in it.
    """

    events: tuple[Envelope, ...]
    begun: int
    not_recorded: tuple[StageRequested, ...]
    unused: tuple[Envelope, ...]

    @property
    def decided(self) -> tuple[Envelope, ...]:
        """What the workflow decided on the way."""
        return decisions(self.events, self.begun)


def decisions(events: Sequence[Envelope], after: int) -> tuple[Envelope, ...]:
    """What the workflow decided in a stream, after so many events of it."""
    heard = {envelope.event_id for envelope in events if is_heard(envelope)}
    return tuple(envelope for envelope in events[after:] if _is_decision(envelope, heard))


def _is_decision(envelope: Envelope, heard: Collection[UUID]) -> bool:
    by_hand = envelope.data.get("because") in _BY_HAND
    return envelope.event_type in DECIDED and envelope.causation_id in heard and not by_hand


Look = Callable[[], object]


def _never() -> None:
    """Nobody wants it to stop."""


def go_on(history: Sequence[Envelope], begun: Sequence[Envelope], policy: Policy, look: Look = _never) -> Course:
    """Go on from `begun`, which stands for the first events of `history`, until nothing more is due or recorded.

    Before each decision it has a `look`, which raises where nobody waits for it any more.
    """
    history = [upcast(envelope) for envelope in history]
    course = _Course(history, begun, policy, look)
    decided = {envelope.event_id for envelope in decisions(history, len(begun))}
    course.decide(next((envelope for envelope in reversed(begun) if is_heard(envelope)), None))
    for envelope in history[len(begun) :]:
        if envelope.event_id not in decided:
            course.fire(before=envelope)
            course.offer(envelope)
    course.fire()
    asked = [_request(envelope) for envelope in course.asked.values()]
    open_ones = tuple(request for request in asked if request.run_id not in course.answered)
    return Course(tuple(course.events), len(begun), open_ones, tuple(course.unused()))


class _Course:
    """A stream in the making. What is offered and cannot be taken yet waits for the run that it is the answer to."""

    def __init__(
        self, history: Sequence[Envelope], begun: Sequence[Envelope], policy: Policy, look: Look = _never
    ) -> None:
        self._look = look
        self._pace, self._policy = as_estimated(history, policy)
        self._recorded = {e.event_id: e for e in history if e.event_type == StageRequested.event_type}
        rest = (e for e in history[len(begun) :] if e.event_type == TimerFired.event_type)
        self._fires = {_timer(e) for e in rest}  # of these it is recorded when
        self._waiting: dict[UUID, list[Envelope]] = defaultdict(list)
        self._alarms: dict[UUID, Alarm] = {}
        self._dropped: list[Envelope] = []
        self._state = AnalysisState()
        self._there: set[UUID] = set()
        self.events: list[Envelope] = []
        self.asked: dict[UUID, Envelope] = {}  # by the id of the event
        self.answered: set[UUID] = set()  # by the id of the run
        for envelope in begun:
            self._take(envelope)

    def _take(self, envelope: Envelope) -> None:
        if envelope.event_id in self._there:
            return  # as in the log: what was appended once is there
        self._there.add(envelope.event_id)
        placed = envelope.model_copy(update={"version": len(self.events) + 1})
        self.events.append(placed)
        self._state = replay([placed], self._state)
        if placed.event_type == StageRequested.event_type:
            self.asked[placed.event_id] = placed
        elif placed.event_type in _ANSWERS:
            self.answered.add(UUID(str(placed.data["run_id"])))
        elif placed.event_type == TimerFired.event_type:
            self._alarms.pop(_timer(placed), None)
        alarm = alarm_of(self._state, decode(placed)) if placed.event_type in DECIDED else None
        if alarm is not None:
            self._alarms[alarm.timer_id] = alarm

    def decide(self, cause: Envelope | None) -> None:
        """Have decided what is due after a message was heard, and give the new runs their answers."""
        if cause is None:
            return
        self._look()
        pace = self._pace if needs_estimate(self._state) else None
        drafts = decide(self._state, cause, self._policy, pace).drafts
        for draft in drafts:
            self._take(record(draft, cause.stream_id, 0))
        for draft in drafts:
            for envelope in self._waiting.pop(draft.event_id, ()):
                self.offer(envelope)

    def offer(self, envelope: Envelope) -> None:
        """Take a recorded event where it can have happened here, too."""
        request = self._recorded.get(envelope.causation_id) if envelope.causation_id is not None else None
        if envelope.event_type == TimerFired.event_type:
            fits = _timer(envelope) in self._alarms
        elif request is None:
            fits = True
        elif request.event_id in self.asked:
            fits = _is_same(self.asked[request.event_id], request)
        else:
            self._waiting[request.event_id].append(envelope)
            return
        if not fits:
            self._dropped.append(envelope)
            return
        self._take(envelope)
        if is_heard(envelope):
            self.decide(self.events[-1])

    def fire(self, before: Envelope | None = None) -> None:
        """Let the timers fire that are due before a recorded event, or all."""
        while due := self._due(before):
            alarm = min(due, key=lambda each: (each.due_at, each.timer_id))
            del self._alarms[alarm.timer_id]
            draft = Draft(
                event_id=derived_id("timer", alarm.timer_id),
                occurred_at=alarm.due_at,
                context=self._state.context or self.events[0].context,
                event=TimerFired(timer_id=alarm.timer_id, kind=alarm.kind, data=alarm.data),
            )
            self._take(record(draft, self.events[0].stream_id, 0))
            self.decide(self.events[-1])

    def _due(self, before: Envelope | None) -> list[Alarm]:
        if before is None:
            return [*self._alarms.values()]
        return [a for a in self._alarms.values() if a.due_at < before.timestamp and a.timer_id not in self._fires]

    def unused(self) -> list[Envelope]:
        """What was recorded and has no place here."""
        waiting = (envelope for each in self._waiting.values() for envelope in each)
        return sorted((*self._dropped, *waiting), key=lambda envelope: envelope.version)


def _timer(envelope: Envelope) -> UUID:
    return UUID(str(envelope.data["timer_id"]))


def _request(envelope: Envelope) -> StageRequested:
    return StageRequested.model_validate(envelope.data)


def _is_same(asked: Envelope, recorded: Envelope) -> bool:
    """Whether two requests of a run ask for the same work, on inputs of the same content."""
    mine, theirs = _request(asked), _request(recorded)
    same = all(getattr(mine, name) == getattr(theirs, name) for name in _ASKED)
    return same and _contents(mine) == _contents(theirs)


def _contents(request: StageRequested) -> list[tuple[str, str, int]]:
    return sorted((ref.kind.value, ref.sha256, ref.shard) for ref in request.inputs)
