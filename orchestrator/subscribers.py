"""What the orchestrator consumes: the topic `workflow`. Load the stream, fold it, decide, record. And `erasure`.

Hears what changes an analysis (requested, stage completed, failed or parked, a timer, a person who stops or goes on);
says `processing.stage.requested`, `processing.retry.scheduled` and how the analysis ends.
"""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.catalog import CONSUMERS, ERASURE, WORKFLOW
from events.delivery import persist
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Append, LongHandler, Result, ShortHandler, Timer
from orchestrator.workflow import Alarm, Pace, Policy, decide, needs_estimate, replay

CONSUMER = CONSUMERS[WORKFLOW][0]
ERASER = CONSUMERS[ERASURE][0]


# All events of a stream, read in the transaction that will record what is decided.
ReadStream = Callable[[AsyncConnection, str], Awaitable[Sequence[Envelope]]]


# What earlier analyses took, in the same transaction.
ReadPace = Callable[[AsyncConnection], Awaitable[Pace]]


def workflow_handler(read: ReadStream, policy: Policy, read_pace: ReadPace | None = None) -> ShortHandler:
    """The handler of the topic `workflow`. It raises nothing on purpose; a conflict of versions is decided again.

    Without `read_pace` nothing is estimated, and nothing waits for a person.
    """

    async def on_workflow_event(envelope: Envelope, connection: AsyncConnection) -> Result:
        history = await read(connection, envelope.stream_id)
        state = replay(history)
        pace = await read_pace(connection) if read_pace is not None and needs_estimate(state) else None
        decision = decide(state, envelope, policy, pace)
        if not decision.drafts:
            return Result()
        append = Append(envelope.stream_id, decision.drafts, expected=history[-1].version)
        return Result(appends=(append,), timers=tuple(_timer(envelope.stream_id, alarm) for alarm in decision.alarms))

    return on_workflow_event


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
