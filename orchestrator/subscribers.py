"""What the orchestrator consumes: the topic `workflow`. Fold what is new in the stream, decide, record. And `erasure`.

Hears what changes an analysis (requested, stage completed, failed or parked, a timer, a person who stops or goes on);
says `processing.stage.requested`, `processing.retry.scheduled` and how the analysis ends.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.catalog import CONSUMERS, ERASURE, WORKFLOW
from events.delivery import persist
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Append, LongHandler, Result, ShortHandler, Timer
from orchestrator.workflow import Alarm, AnalysisState, Pace, Phase, Policy, decide, needs_estimate, replay

CONSUMER = CONSUMERS[WORKFLOW][0]
ERASER = CONSUMERS[ERASURE][0]
_MOST_FOLDED = 32  # analyses whose state is kept: the largest have a few megabytes

Folded = tuple[AnalysisState, int]  # what a stream adds up to, up to a version


# The events of a stream after a version, read in the transaction that will record what is decided.
ReadStream = Callable[[AsyncConnection, str, int], Awaitable[Sequence[Envelope]]]


# What earlier analyses took, in the same transaction.
ReadPace = Callable[[AsyncConnection], Awaitable[Pace]]


# What is kept of a stream, in the same transaction; None where nothing is.
ReadKept = Callable[[AsyncConnection, str], Awaitable[Folded | None]]


def workflow_handler(
    read: ReadStream, policy: Policy, read_pace: ReadPace | None = None, read_kept: ReadKept | None = None
) -> ShortHandler:
    """The handler of the topic `workflow`. It raises nothing on purpose; a conflict of versions is decided again.

    Without `read_pace` nothing is estimated, and nothing waits for a person; without `read_kept` the first decision
    about an analysis reads all of its stream.
    """

    folded: OrderedDict[str, Folded] = OrderedDict()

    async def on_workflow_event(envelope: Envelope, connection: AsyncConnection) -> Result:
        stream = envelope.stream_id
        kept = await read_kept(connection, stream) if read_kept is not None and stream not in folded else None
        state, version = await _fold(folded, read, connection, stream, kept)
        pace = await read_pace(connection) if read_pace is not None and needs_estimate(state) else None
        decision = decide(state, envelope, policy, pace)
        if not decision.drafts:
            return Result()
        append = Append(envelope.stream_id, decision.drafts, expected=version)
        return Result(appends=(append,), timers=tuple(_timer(envelope.stream_id, alarm) for alarm in decision.alarms))

    return on_workflow_event


async def _fold(
    folded: OrderedDict[str, Folded],
    read: ReadStream,
    connection: AsyncConnection,
    stream_id: str,
    kept: Folded | None = None,
) -> Folded:
    """The state of the stream as it is now, of which only what is new is read. What is over is not remembered."""
    before = folded.get(stream_id) or kept or (AnalysisState(), 0)
    history = await read(connection, stream_id, before[1])
    state = replay(history, before[0])
    now = (state, history[-1].version if history else before[1])
    if state.phase in {Phase.RUNNING, Phase.READY}:
        folded[stream_id] = max(now, folded.get(stream_id, now), key=lambda each: each[1])
        folded.move_to_end(stream_id)
    else:
        folded.pop(stream_id, None)
    while len(folded) > _MOST_FOLDED:
        folded.popitem(last=False)
    return now


def subscribe_to_erasure(subscriber: EventSubscriber, erase: LongHandler) -> None:
    """Consume what was deleted."""
    subscriber.long(
        ERASURE,
        ERASER,
        erase,
        slots=persist.SIDE_BY_SIDE,
        on_fault=persist.not_given_up,
        on_parked=persist.set_aside,
    )


def _timer(stream_id: str, alarm: Alarm) -> Timer:
    return Timer(alarm.timer_id, stream_id, alarm.due_at, alarm.kind, alarm.data)
