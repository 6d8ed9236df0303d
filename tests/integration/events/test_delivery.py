import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope, caused_by
from events.catalog import WORKFLOW
from events.delivery.work import Append, Result
from events.processing import CancelRequested
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.kernel import AT, requested

CONSUMER = "orchestrator.workflow"


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as kernel:
        yield kernel


def follow_up(envelope: Envelope) -> Append:
    """A fact that follows from another one."""
    stream = f"conversation/{envelope.event_id}"
    return Append(stream, (caused_by(envelope, stream, CancelRequested(), ordinal=0, at=AT),), expected=None)


async def test_a_message_is_handled_once_and_its_events_are_in_the_log(kernel: Kernel) -> None:
    seen: list[Envelope] = []

    async def handle(envelope: Envelope, connection: AsyncConnection) -> Result:
        seen.append(envelope)
        return Result(appends=(follow_up(envelope),) if envelope.stream_id == "analysis/a" else ())

    [first] = await kernel.journal.append("analysis/a", [requested(1)])
    subscriber = kernel.subscriber()
    subscriber.short(WORKFLOW, CONSUMER, handle)
    async with kernel.carrying():
        await subscriber.start()
        await until(lambda: len(seen) == 2)
        await until(lambda: _none_pending(kernel))

    assert seen[0] == first.with_seq(1)
    assert seen[1].causation_id == first.event_id
    assert await kernel.inbox(CONSUMER) == {1: "done", 2: "done"}


async def _none_pending(kernel: Kernel) -> bool:
    return await kernel.pending(WORKFLOW, CONSUMER) == 0
