"""What the present code decides on a recorded history, at each of its prefixes. Pure.

In:  the events of one analysis, in order.
Out: for each prefix the decision of today, beside the one that the log has, as lines that can be compared and read.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from uuid import UUID

from events.base import Envelope
from events.catalog import EVENTS, WORKFLOW, decode, topic_of
from events.processing import (
    ProcessingCancelled,
    ProcessingCompleted,
    ProcessingEstimated,
    ProcessingFailed,
    ProcessingRefined,
    ProcessingStarted,
    RetryScheduled,
    StageRequested,
)
from orchestrator.workflow.decide import decide
from orchestrator.workflow.estimate import needs_estimate
from orchestrator.workflow.evolve import replay
from orchestrator.workflow.policy import Pace, Policy, Thresholds
from orchestrator.workflow.state import AnalysisState

DECIDED = frozenset(
    cls.event_type
    for cls in (
        ProcessingStarted,
        ProcessingEstimated,
        StageRequested,
        RetryScheduled,
        ProcessingCompleted,
        ProcessingRefined,
        ProcessingFailed,
        ProcessingCancelled,
    )
)
_LONGEST = 80  # characters of one value in a line; of what is longer, the digest


@dataclass(frozen=True)
class Redecided:
    """What is decided after the first `version` events: by the present code, and as the log has it.

    `logged` is None where the workflow decided nothing at this place: it had not looked yet, or nothing was due.
    """

    version: int
    decided: tuple[str, ...]
    logged: tuple[str, ...] | None

    @property
    def agrees(self) -> bool:
        """Whether the present code decides what the log has."""
        return self.logged is None or self.logged == self.decided


def decide_again(history: Sequence[Envelope], policy: Policy) -> Iterator[Redecided]:
    """Each prefix that somebody could decide on, in order. Raises UnknownEvent for what this code cannot read.

    What was measured and what the limits were when it was estimated is taken from the estimate itself.
    """
    by_id = {envelope.event_id: envelope for envelope in history}
    pace, policy = as_estimated(history, policy)
    state, heard = AnalysisState(), None
    for place, envelope in enumerate(history, 1):
        state = replay([envelope], state)
        heard = envelope if is_heard(envelope) else heard
        group = _decided_next(history, place, by_id)
        cause = by_id[group[0].causation_id] if group and group[0].causation_id else heard
        if cause is None:
            continue
        given = pace if needs_estimate(state) else None
        drafts = decide(state, cause, policy, given).drafts
        decided = tuple(_line(d.event.event_type, str(d.event_id), d.event.model_dump(mode="json")) for d in drafts)
        logged = tuple(line_of(e) for e in group) or None
        yield Redecided(place, decided, logged)


def is_heard(envelope: Envelope) -> bool:
    """Whether the workflow decides on such a message."""
    return envelope.event_type in EVENTS and topic_of(decode(envelope)) == WORKFLOW


def _decided_next(history: Sequence[Envelope], place: int, by_id: Mapping[UUID, Envelope]) -> list[Envelope]:
    """The events after a place that were decided there: all of the same message that the workflow heard."""
    cause = history[place].causation_id if place < len(history) else None
    if cause is None or cause not in by_id or not is_heard(by_id[cause]):
        return []
    before = history[place - 1]
    if before.event_type in DECIDED and before.causation_id == cause:
        return []  # in the middle of a decision
    return list(takewhile(lambda e: e.event_type in DECIDED and e.causation_id == cause, history[place:]))


def as_estimated(history: Sequence[Envelope], policy: Policy) -> tuple[Pace | None, Policy]:
    """The pace and the limits with which the estimate in a history comes out as it was recorded."""
    envelope = next((e for e in history if e.event_type == ProcessingEstimated.event_type), None)
    if envelope is None:
        return None, policy
    event = ProcessingEstimated.model_validate(envelope.data)
    pace = Pace(event.measured, event.seconds or 0.0, event.bytes if event.seconds is not None else 0)
    price = event.cost * 1_000_000 / event.tokens if event.cost and event.tokens else 0.0
    hours = (event.until - envelope.timestamp).total_seconds() / 3600 if event.until is not None else 24.0
    limits = Thresholds(
        files=event.files - 1 if "files" in event.over else 0,
        bytes=event.bytes - 1 if "bytes" in event.over else 0,
        minutes=(event.seconds or 0.0) / 61 if "minutes" in event.over else 0.0,
        cost=(event.cost or 0.0) / 2 if "cost" in event.over else 0.0,
        price=price,
        currency=event.currency or "USD",
        hours=hours,
    )
    return pace, Policy(policy.base, policy.cap, policy.attempts, limits)


def line_of(envelope: Envelope, without: Collection[str] = ()) -> str:
    """An event as one line, as its class writes it today: a field that was added since then has its default."""
    data = decode(envelope).model_dump(mode="json", exclude=set(without))
    return _line(envelope.event_type, str(envelope.event_id), data)


def _line(event_type: str, event_id: str, data: dict[str, object]) -> str:
    return " ".join((event_type, f"id={event_id[:8]}", *(f"{name}={_short(value)}" for name, value in data.items())))


def _short(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(text) <= _LONGEST:
        return text
    count = f"{len(value)} " if isinstance(value, list | dict) else ""
    return f"<{count}{sha256(text.encode()).hexdigest()[:12]}>"
