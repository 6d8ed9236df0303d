"""A deletion comes to its end, however often whoever carries it out is killed."""

import multiprocessing
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from events.base import Context, Draft
from events.repository import RepositoryRegistered
from orchestrator.adapters.deletion import delete_repositories
from tests.faults import erasers
from tests.support.delivery import Kernel, a_kernel, until
from tests.support.kernel import AT

WORN = ("after_claim", "after_key", "before_done")  # one process each: the fourth delivery is set aside


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as kernel:
        yield kernel


async def test_a_deletion_whose_workers_are_killed_again_and_again_is_done_in_the_end(
    kernel: Kernel, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    context = Context(tenant_id=uuid4(), correlation_id=uuid4(), repository_id=(repository := uuid4()))
    event = RepositoryRegistered(url="https://example.org/a/b", host="example.org", name="a/b")
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)
    await kernel.journal.append(f"repository/{repository}", [draft])
    async with kernel.engine.begin() as connection:
        assert await delete_repositories(connection, context, datetime.now(UTC), [repository]) == [repository]
    fork = cast("ForkServerContext", multiprocessing.get_context("forkserver"))
    fork.set_forkserver_preload(["tests.faults.erasers"])

    def process(crash_at: str = "", *, later: bool = False) -> "multiprocessing.context.ForkServerProcess":
        made = fork.Process(
            target=erasers.eraser, args=(database_url, redis_url, str(tmp_path), crash_at, later), daemon=True
        )
        made.start()
        return made

    for point in WORN:
        doomed = process(f"erasure:{point}")
        doomed.join(60)
        assert doomed.exitcode == 137, point  # the fault did fire
    parking = process()
    await until(lambda: _set_aside(kernel))
    parking.kill()
    parking.join()
    assert await kernel.one("SELECT count(*) FROM app.deleted_repositories WHERE erased_at IS NOT NULL") == 0

    for point in ("after_key", "before_done"):
        doomed = process(f"erasure:{point}", later=True)
        doomed.join(60)
        assert doomed.exitcode == 137, point
    heir = process(later=True)
    await until(lambda: _done(kernel))
    heir.kill()
    heir.join()

    resolved = await kernel.rows("SELECT resolution, attempts FROM es.dead_letters")
    assert resolved == [("done later", 7)]
    assert await kernel.rows("SELECT * FROM es.leases") == []
    history = await kernel.journal.read_stream(f"repository/{repository}")
    assert history[0].data["url"] == "[erased]"


async def _set_aside(kernel: Kernel) -> bool:
    return await kernel.one("SELECT count(*) FROM es.dead_letters WHERE resolved_at IS NULL") == 1


async def _done(kernel: Kernel) -> bool:
    return await kernel.one("SELECT count(*) FROM es.dead_letters WHERE resolved_at IS NOT NULL") == 1
