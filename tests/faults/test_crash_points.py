"""A worker that ends at each named point: another one goes on, and the effect is there once."""

import multiprocessing
import os
from collections.abc import AsyncIterator
from multiprocessing.context import ForkServerContext
from typing import cast

import pytest

from events.base import Draft
from events.delivery.crash import POINTS
from events.processing import Stage
from tests.faults import workers
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.kernel import requested, stage_requested


def _crashing(database_url: str, redis_url: str, at: str) -> None:
    os.environ["REPOSTREAM_CRASH_AT"] = at
    workers.worker(database_url, redis_url, "doomed")


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as kernel:
        await kernel.rows("CREATE TABLE public.effects (consumer text, cause uuid)")
        yield kernel


@pytest.mark.parametrize("stage", ["workflow", "parse"])
async def test_a_worker_that_ends_at_any_point_is_followed_and_the_effect_is_there_once(
    kernel: Kernel, database_url: str, redis_url: str, stage: str
) -> None:
    context = cast("ForkServerContext", multiprocessing.get_context("forkserver"))
    context.set_forkserver_preload(["tests.faults.workers"])
    consumer, topic = (workers.DECIDER, "workflow") if stage == "workflow" else (workers.PARSER, "stage.parse")
    drafts: list[Draft] = []
    for number, point in enumerate(POINTS):
        draft = requested(number) if stage == "workflow" else stage_requested(Stage.PARSE, number=number)
        drafts.append(draft)
        await kernel.journal.append(f"analysis/{number}", [draft])
        await kernel.carry()
        doomed = context.Process(target=_crashing, args=(database_url, redis_url, f"{stage}:{point}"), daemon=True)
        doomed.start()
        doomed.join(60)
        assert doomed.exitcode == 137, point  # the fault did fire

        successor = context.Process(target=workers.worker, args=(database_url, redis_url, "heir"), daemon=True)
        successor.start()
        await until(lambda: _is_over(kernel, consumer, topic, len(drafts)))
        successor.kill()
        successor.join()

    effects = await kernel.rows("SELECT cause, count(*) FROM public.effects WHERE consumer = :c GROUP BY 1", c=consumer)
    assert sorted(effects, key=str) == sorted(((draft.event_id, 1) for draft in drafts), key=str)
    assert set((await kernel.inbox(consumer)).values()) == {"done"}
    if stage == "workflow":
        assert await kernel.one("SELECT count(*) FROM es.events WHERE type = 'ai.query.requested'") == len(drafts)
    else:
        started = "SELECT count(*) FROM es.events WHERE type = 'processing.stage.started'"
        assert await kernel.one(started) == len(drafts)
        assert await kernel.rows("SELECT * FROM es.leases") == []


async def _is_over(kernel: Kernel, consumer: str, topic: str, count: int) -> bool:
    return len(await kernel.inbox(consumer)) == count and await kernel.pending(topic, consumer) == 0
