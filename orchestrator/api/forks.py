"""`/forks`: a history with one event edited, gone on with by the present code. Nothing of it is kept or told."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

from fastapi import APIRouter
from pydantic import BaseModel, Field

from events.base import Envelope
from events.replay.difference import Change
from events.replay.fork import BadFork
from orchestrator.api.dependencies import EventReader, Parts, history_of
from orchestrator.api.inspecting_models import ChangeView
from orchestrator.api.problems import ApiProblem
from orchestrator.api.strict import Body
from orchestrator.projections.forks import Fork, fork
from orchestrator.workflow import Policy

router = APIRouter(prefix="/forks", tags=["forks"])

_MOST = 500  # of each list
_TURN = threading.Lock()  # a long history takes a processor for seconds: one at a time in a process
_PATIENCE = 8.0  # seconds that a fork waits for its turn; an answer may take fifteen
_LOOK = 0.05  # seconds between two looks at whether whoever waits is still there
_WAITING = threading.BoundedSemaphore(4)  # each holds a thread of the pool that other requests use as well


class _Gone(Exception):
    """Nobody waits for the fork any more."""


class ForkRequest(Body):
    """A stream, as `analysis/<id>`, the version of the event that is edited, and new values of its `data` by name.

    Without changes it goes on from there as it was, which shows what the present code does differently.
    """

    stream_id: str = Field(max_length=100)
    version: int = Field(ge=1)
    changes: dict[str, object] = Field(default_factory=dict, max_length=50)


class DecisionView(BaseModel):
    """One decision of the workflow as the log has it and as the fork has it, each as one line; null where it is not."""

    event_type: str
    agrees: bool
    real: str | None = None
    fork: str | None = None
    real_version: int = 0
    fork_version: int = 0


class MissingView(BaseModel):
    """What the fork would need from outside and nothing is recorded of: a run's result, or what an event led to.

    `code` is `effect_not_recorded`: it is not done for real, and the fork goes on without it.
    """

    code: str
    what: str
    stage: str = ""
    shard: int = 0
    attempt: int = 0


class ForkedEvent(BaseModel):
    """One event after the edited one. `real_version` is its place in the real history, 0 where it has none.

    `agrees`: it says the same there; what was decided at the same place may say something else.
    """

    version: int
    event_type: str
    stage: str = ""
    shard: int = 0
    real_version: int = 0
    agrees: bool = True


class ForkView(BaseModel):
    """A fork beside the real history; `edited`, `then` and `now` lead from the real event and states to the fork's.

    `agrees`: with the same decisions and all of the record; the time at which each was made may be another. `events`
    follow the edited one in the fork, `real` in the real history; `unused` are versions of that which have no place in
    the fork. Of each list 500 at most are told; `left_out` counts the rest.
    """

    stream_id: str
    version: int
    event_type: str
    real_events: int
    fork_events: int
    agrees: bool
    edited: list[ChangeView]
    then: list[ChangeView]
    now: list[ChangeView]
    decisions: list[DecisionView]
    not_recorded: list[MissingView]
    events: list[ForkedEvent]
    real: list[ForkedEvent] = Field(default_factory=list)
    unused: list[int]
    left_out: int = 0


@router.post("")
async def make(body: ForkRequest, who: EventReader, parts: Parts) -> ForkView:
    """Edit an event of a copy of a history, and go on from it with the present code and the recorded replies.

    It is calculated and answered, and nothing else: no event is appended, no run is asked for, no host is called.
    """
    history, gone = await history_of(parts, who, body.stream_id), threading.Event()
    try:
        made = await asyncio.to_thread(_alone, history, body, gone)
    except BadFork as bad:
        raise ApiProblem(bad.code, bad.message) from None
    finally:
        gone.set()
    return view(body.stream_id, history, made)


def _alone(history: Sequence[Envelope], body: ForkRequest, gone: threading.Event) -> Fork:
    """Calculate it, once nobody else does here, until whoever asked is `gone`. Raises BadFork, _Gone."""

    def look() -> None:
        if gone.is_set():
            raise _Gone

    if not _is_our_turn(look):
        raise BadFork("fork_busy", "Other forks are being calculated: try again in a moment.")
    try:
        return fork(history, body.version, body.changes, Policy(), look)
    finally:
        _TURN.release()


def _is_our_turn(look: Callable[[], None]) -> bool:
    """Whether the turn came, within a while. Raises what `look` does."""
    if _TURN.acquire(blocking=False):
        return True
    if not _WAITING.acquire(blocking=False):
        return False
    try:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            look()
            if _TURN.acquire(timeout=_LOOK):
                return True
        return False
    finally:
        _WAITING.release()


def view(stream_id: str, history: Sequence[Envelope], made: Fork) -> ForkView:
    """A fork as it is told beside the real `history`."""
    real, after = history[made.version :], made.events[made.version :]
    there = {each.event_id: each.version for each in real}
    otherwise = {each.fork_version for each in made.decisions if not each.agrees}
    told = (made.edited, made.then, made.now, made.decisions, made.not_recorded, real, after, made.unused)
    return ForkView(
        stream_id=stream_id,
        version=made.version,
        event_type=made.event_type,
        real_events=len(history),
        fork_events=len(made.events),
        agrees=made.agrees,
        edited=_changes(made.edited),
        then=_changes(made.then),
        now=_changes(made.now),
        decisions=[DecisionView(**vars(each), agrees=each.agrees) for each in made.decisions[:_MOST]],
        not_recorded=[MissingView(code="effect_not_recorded", **vars(each)) for each in made.not_recorded[:_MOST]],
        events=[
            _event(each, there.get(each.event_id, 0), agrees=each.version not in otherwise) for each in after[:_MOST]
        ],
        real=[_event(each, each.version) for each in real[:_MOST]],
        unused=[each.version for each in made.unused[:_MOST]],
        left_out=sum(max(0, len(each) - _MOST) for each in told),
    )


def _event(envelope: Envelope, real_version: int, *, agrees: bool = True) -> ForkedEvent:
    shard = envelope.data.get("shard")
    return ForkedEvent(
        version=envelope.version,
        event_type=envelope.event_type,
        stage=envelope.stage or "",
        shard=shard if isinstance(shard, int) else 0,
        real_version=real_version,
        agrees=agrees,
    )


def _changes(changes: Sequence[Change]) -> list[ChangeView]:
    return [ChangeView(**one._asdict()) for one in changes[:_MOST]]
