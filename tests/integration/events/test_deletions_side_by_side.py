"""Deletions go side by side: one that has to wait for others' work holds up none behind it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from events.base import Context, Draft, Envelope
from events.catalog import CONSUMERS, ERASURE
from events.delivery.unfinished import Unfinished
from events.delivery.work import Result, Run
from events.processing import Stage, StageRequested
from events.repository import RepositoryRegistered
from orchestrator.adapters.deletion import delete_repositories
from orchestrator.adapters.erasure import Erasure
from orchestrator.subscribers import subscribe_to_erasure
from runtime.objects import open_objects
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.kernel import AT

CONSUMER = CONSUMERS[ERASURE][0]
_LEASE = "INSERT INTO es.leases (run_id, worker, expires_at) VALUES (:run, 'busy', now() + interval '1 hour')"
_ERASED = "SELECT repository_id FROM app.deleted_repositories WHERE erased_at IS NOT NULL"


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as kernel:
        yield kernel


async def a_repository(kernel: Kernel) -> Context:
    context = Context(tenant_id=uuid4(), correlation_id=uuid4(), repository_id=(repository := uuid4()))
    event = RepositoryRegistered(url=f"https://example.org/{repository}", host="example.org", name="a/b")
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)
    await kernel.journal.append(f"repository/{repository}", [draft])
    return context


async def worked_on(kernel: Kernel, context: Context) -> None:
    """Let a worker hold on to a run of the repository."""
    event = StageRequested(analysis_id=uuid4(), run_id=(run := uuid4()), stage=Stage.PARSE, url="https://example.org")
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event, stage="parse")
    await kernel.journal.append(f"analysis/{event.analysis_id}", [draft])
    await kernel.rows(_LEASE, run=run)


async def delete(kernel: Kernel, context: Context) -> UUID:
    assert context.repository_id is not None
    async with kernel.engine.begin() as connection:
        [gone] = await delete_repositories(connection, context, datetime.now(UTC), [context.repository_id])
    return gone


async def test_a_deletion_that_waits_for_a_worker_holds_up_none_that_comes_after_it(
    kernel: Kernel, tmp_path: Path
) -> None:
    slow = [await a_repository(kernel) for _ in range(3)]
    for context in slow:
        await worked_on(kernel, context)
        await delete(kernel, context)
    quick = await delete(kernel, await a_repository(kernel))
    subscriber = kernel.subscriber()
    subscribe_to_erasure(subscriber, Erasure(kernel.engine, kernel.redis, open_objects("", tmp_path)))
    await subscriber.start()

    async def erased(*those: UUID | None) -> bool:
        return {found for [found] in await kernel.rows(_ERASED)} == set(those)

    async def at_work(number: int) -> bool:
        return await kernel.one("SELECT count(*) FROM es.leases WHERE worker = 'worker'") == number

    async with kernel.carrying():
        await until(lambda: erased(quick))
        await until(lambda: at_work(len(slow)))  # begun, and waiting
        await kernel.rows("DELETE FROM es.leases WHERE worker = 'busy'")
        await until(lambda: erased(quick, *(context.repository_id for context in slow)))


async def test_parked_copies_of_what_was_deleted_are_emptied_and_those_of_others_stay(
    kernel: Kernel, tmp_path: Path
) -> None:
    gone, kept = await a_repository(kernel), await a_repository(kernel)
    await kernel.carry()
    await kernel.rows(
        "INSERT INTO es.dead_letters (consumer, topic, seq, error, attempts, payload)"
        " SELECT 'a', topic, seq, 'it ended its workers', 4, 'in the clear' FROM es.feed"
    )
    await delete(kernel, gone)
    subscriber = kernel.subscriber()
    subscribe_to_erasure(subscriber, Erasure(kernel.engine, kernel.redis, open_objects("", tmp_path)))
    await subscriber.start()

    async def has_payload() -> list[object]:
        found = await kernel.rows(
            "SELECT e.repository_id FROM es.dead_letters d JOIN es.feed f ON f.seq = d.seq"
            " JOIN es.events e USING (position) WHERE d.payload IS NOT NULL"
        )
        return [repository for [repository] in found]

    async def is_emptied() -> bool:
        return await has_payload() == [kept.repository_id]

    assert set(await has_payload()) == {gone.repository_id, kept.repository_id}
    async with kernel.carrying():
        await until(is_emptied)
    assert await kernel.one("SELECT count(*) FROM es.dead_letters") == 2


async def test_what_was_set_aside_is_taken_up_side_by_side(kernel: Kernel) -> None:
    for _ in range(3):
        await delete(kernel, await a_repository(kernel))
    await kernel.carry()
    await kernel.rows(
        "INSERT INTO es.dead_letters (consumer, topic, seq, error, attempts)"
        " SELECT :consumer, topic, seq, 'it ended its workers', 4 FROM es.feed WHERE topic = :topic",
        consumer=CONSUMER,
        topic=ERASURE,
    )
    begun: list[str] = []
    go_on = asyncio.Event()

    async def erase(envelope: Envelope, _: Run) -> Result:
        begun.append(envelope.stream_id)
        if len(begun) == 1:
            await go_on.wait()
        return Result()

    async def open_ones(number: int) -> bool:
        return await kernel.one("SELECT count(*) FROM es.dead_letters WHERE resolved_at IS NULL") == number

    looking = asyncio.create_task(Unfinished(kernel.engine, CONSUMER, erase, "later", look=0.05, first=1.0).run())
    await until(lambda: open_ones(1))
    assert len(set(begun)) == 3
    go_on.set()
    await until(lambda: open_ones(0))
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert await kernel.one("SELECT count(*) FROM es.leases") == 0
