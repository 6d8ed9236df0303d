"""Two releases beside each other: from the moment the newer one takes over, the older one writes no read model."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Sequence
from multiprocessing.context import ForkServerContext
from typing import cast
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.repository import RepositoryRegistered
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.runner import Runner, Step, advance, catch_up, place_of
from orchestrator.projections.versions import Superseded
from runtime.database import create_engine
from runtime.settings import DatabaseSettings
from tests.faults import projectors
from tests.faults.projectors import Release
from tests.support.analyses import NOON
from tests.support.delivery import until

_NAMES = text("SELECT name FROM app.repositories")
# What the release before asked, which knew of no fence: where it goes on, and whether that is still so.
_AS_BEFORE = text("SELECT cursor_seq FROM es.projections WHERE name = 'overview' AND version = 1 FOR UPDATE")


class Held(Release):
    """Waits where it is told to: before its transaction, or inside it."""

    def __init__(self, version: int, *, inside: bool) -> None:
        super().__init__(version)
        self.inside = inside
        self.there, self.go_on = asyncio.Event(), asyncio.Event()

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        step = await super().prepare(envelopes)
        if not self.inside:
            await self._wait()
            return step

        async def write(connection: object) -> None:
            await self._wait()
            await step.write(connection)  # type: ignore[arg-type]  # the connection it is given

        return Step(step.taken, write)

    async def _wait(self) -> None:
        self.there.set()
        await self.go_on.wait()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield engine
    await engine.dispose()


async def register(engine: AsyncEngine, count: int) -> None:
    """Let so many repositories be registered."""
    for _ in range(count):
        context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=(repository := uuid4()))
        event = RepositoryRegistered(url=f"https://github.com/a/{repository}", host="github.com", name="none")
        draft = Draft(event_id=uuid4(), occurred_at=NOON, context=context, event=event)
        await PostgresJournal(engine).append(f"repository/{repository}", [draft])
    await sequence(engine)


async def names(engine: AsyncEngine) -> list[str]:
    """Who wrote each row."""
    async with engine.connect() as connection:
        return list((await connection.execute(_NAMES)).scalars())


async def test_the_process_of_the_release_before_writes_nothing_once_the_newer_one_runs(
    engine: AsyncEngine, database_url: str, redis_url: str
) -> None:
    fork = cast("ForkServerContext", multiprocessing.get_context("forkserver"))
    fork.set_forkserver_preload(["tests.faults.projectors"])

    def process(version: int) -> "multiprocessing.context.ForkServerProcess":
        made = fork.Process(target=projectors.projector, args=(database_url, redis_url, version), daemon=True)
        made.start()
        return made

    async def has(number: int, mark: str) -> bool:
        return (await names(engine)).count(mark) == number

    older = process(1)
    await register(engine, 20)
    await until(lambda: has(20, "of 1"))
    newer = process(2)
    try:
        for _ in range(10):
            await register(engine, 5)
        await until(lambda: has(70, "of 2"))
        await register(engine, 10)
        await until(lambda: has(80, "of 2"))
        assert await names(engine) == ["of 2"] * 80
        assert (older.is_alive(), newer.is_alive()) == (True, True)
    finally:
        for each in (older, newer):
            each.kill()
            each.join()


@pytest.mark.parametrize("inside", [False, True])
async def test_what_the_older_release_was_about_to_write_is_not_there_in_the_end(
    engine: AsyncEngine, inside: bool
) -> None:
    journal, older, newer = PostgresJournal(engine), Held(1, inside=inside), Release(2)
    await register(engine, 3)
    writing = asyncio.create_task(advance(engine, journal, older, await place_of(engine, older)))
    await older.there.wait()
    taking_over = asyncio.create_task(catch_up(engine, journal, newer))
    if inside:
        await until(lambda: _somebody_waits(engine))  # the newer one waits for the transaction of the older one
    else:
        await taking_over
    older.go_on.set()

    if inside:
        assert await writing == 3
    else:
        with pytest.raises(Superseded):
            await writing
    await taking_over
    assert await names(engine) == ["of 2"] * 3


async def test_a_process_of_the_older_release_that_starts_later_removes_and_writes_nothing(engine: AsyncEngine) -> None:
    await register(engine, 3)
    await catch_up(engine, PostgresJournal(engine), Release(3))

    for version in (1, 2):
        with pytest.raises(Superseded, match=rf"version {version} of overview is over"):
            await catch_up(engine, PostgresJournal(engine), Release(version))
        with pytest.raises(Superseded):
            await rebuild_beside(engine, PostgresJournal(engine), Release(version))

    assert await names(engine) == ["of 3"] * 3


async def test_a_release_that_does_not_ask_finds_nothing_to_write(engine: AsyncEngine) -> None:
    journal = PostgresJournal(engine)
    await register(engine, 3)
    for release in (Release(1), Release(2)):
        await catch_up(engine, journal, release)

    async with engine.connect() as connection:
        after = (await connection.execute(_AS_BEFORE)).scalar_one()
    assert after > 3
    assert await journal.read_feed(after=after, limit=10) == []


async def test_three_releases_that_begin_at_once_leave_the_newest_alone(engine: AsyncEngine) -> None:
    await register(engine, 3)
    journal = PostgresJournal(engine)
    done = await asyncio.gather(
        *(catch_up(engine, journal, Release(version)) for version in (2, 1, 3, 2, 3, 1)), return_exceptions=True
    )

    assert {type(each) for each in done} <= {type(None), Superseded}
    assert await names(engine) == ["of 3"] * 3
    async with engine.connect() as connection:
        live = text("SELECT version, cursor_seq FROM es.projections WHERE name = 'overview' AND status = 'live'")
        assert [tuple(row) for row in await connection.execute(live)] == [(3, 3)]


async def test_a_runner_says_that_it_was_superseded_and_lives_on(engine: AsyncEngine) -> None:
    await register(engine, 1)
    await catch_up(engine, PostgresJournal(engine), Release(2))
    waited = asyncio.Event()

    async def wait() -> None:
        waited.set()
        await asyncio.sleep(0.01)

    with capture_logs() as logged:
        running = asyncio.create_task(Runner(engine, PostgresJournal(engine), Release(1), wait).run())
        await until(lambda: _is_true(bool(logged)))
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [("projection_superseded", "warning")]
    assert not waited.is_set()
    assert await names(engine) == ["of 2"]


async def test_an_older_release_builds_its_own_rows_once_it_is_told_that_it_is_the_newest(engine: AsyncEngine) -> None:
    journal = PostgresJournal(engine)
    await register(engine, 3)
    for release in (Release(1), Release(2)):
        await catch_up(engine, journal, release)
    async with engine.begin() as connection:  # as docs/operating.md has it, for going back to an older release
        await connection.execute(text("DELETE FROM es.projections"))

    await catch_up(engine, journal, Release(1))

    assert await names(engine) == ["of 1"] * 3


async def _somebody_waits(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool((await connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar_one())


async def _is_true(fact: bool) -> bool:
    return fact
