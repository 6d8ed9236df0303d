"""Administrators have the read models built again: asked for once, done once, whoever ends in the middle."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from obstore.store import MemoryStore
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.log.wake import Wake
from events.replay.sandbox import Nobody
from events.repository import RepositoryRegistered
from orchestrator.adapters.rebuilds import Rebuilds
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import Step, catch_up
from runtime.database import create_engine
from runtime.faults import Transient
from runtime.objects import Objects, open_objects
from runtime.settings import DatabaseSettings
from tests.integration.orchestrator.test_read_models import a_history
from tests.support import census
from tests.support.analyses import NOON
from tests.support.orchestrator import System, a_system, eventually, messages


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as running:
        yield running


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield made
    await made.dispose()


async def test_an_administrator_sees_what_differs_and_has_it_put_right(system: System) -> None:
    analysis = await system.begin()
    await system.until(analysis, "refined")

    async def loaded() -> int:
        async with system.engine.connect() as connection:
            return await connection.scalar(text("SELECT count(DISTINCT part_id) FROM app.part_symbols")) or 0

    await eventually(loaded, lambda parts: parts == 2)  # by a projection of its own, which may come later
    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE app.part_symbols SET name = 'wrong'"))

    async def rebuilt(*, replace: bool) -> dict[str, object]:
        reply = await system.client.post("/api/v1/rebuilds", json={"replace": replace})
        assert reply.status_code == 202, reply.text
        path = f"/rebuilds/{reply.json()['rebuild_id']}"
        heard = [data["state"] async for event, _, data in messages(system, f"{path}/live") if event == "work"]
        assert heard[-1] == "done"
        return await system.get(path)

    looked = await rebuilt(replace=False)
    assert (looked["state"], looked["agrees"], looked["message"]) == ("done", False, None)
    tables = {table["table"]: table for each in looked["projections"] for table in each["tables"]}
    assert [name for name, table in tables.items() if table["differing"]] == ["part_symbols"]
    assert tables["part_symbols"]["differing"] == len(tables["part_symbols"]["ids"]) == 2  # one a shard
    assert (await rebuilt(replace=True))["agrees"] is False
    assert (await rebuilt(replace=True))["agrees"] is True
    reply = await system.client.get(f"/api/v1/rebuilds/{uuid4()}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


class Broken(Overview):
    """A projection with a bug."""

    def on(self, _connection: object) -> Overview:
        raise RuntimeError("a bug of ours")


async def test_what_keeps_one_from_being_done_is_told_and_the_next_is_done(engine: AsyncEngine) -> None:
    journal, broken, sound = PostgresJournal(engine), uuid4(), uuid4()
    await Rebuilds(engine, journal, (Broken(),), Wake(Nobody())).ask(broken, replace=True)
    assert await Rebuilds(engine, journal, (Broken(),), Wake(Nobody())).do_next()
    rebuilds = Rebuilds(engine, journal, (Overview(),), Wake(Nobody()))
    for _ in range(2):
        await rebuilds.ask(sound, replace=True)

    assert [await rebuilds.do_next() for _ in range(2)] == [True, False]
    told = await rebuilds.one(broken)
    assert told is not None
    assert (told.state, told.report) == ("failed", [])
    assert "nothing was changed" in (told.message or "")
    await put_one(engine)
    await catch_up(engine, journal, Overview())
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE app.repositories SET name = 'wrong'"))
    half = Rebuilds(engine, journal, (Overview(), Broken()), Wake(Nobody()))
    for replace, changed in ((False, "nothing was changed"), (True, "repositories was put right, nothing else")):
        await half.ask(id_ := uuid4(), replace=replace)
        assert await half.do_next()
        said = await half.one(id_)
        assert said is not None
        assert (said.state, len(said.report), changed in (said.message or "")) == ("failed", 1, True), said.message
    done = await rebuilds.one(sound)
    assert done is not None
    assert done.state == "done"


async def test_of_a_process_that_ends_in_the_middle_another_begins_anew(engine: AsyncEngine) -> None:
    journal, id_, there = PostgresJournal(engine), uuid4(), asyncio.Event()

    class Slow(Overview):
        def on(self, _connection: object) -> Overview:
            there.set()
            return self

        async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
            await asyncio.sleep(60)
            return await super().prepare(envelopes)

    await put_one(engine)
    await catch_up(engine, journal, Overview())
    await Rebuilds(engine, journal, (Overview(),), Wake(Nobody())).ask(id_, replace=True)
    ended = asyncio.create_task(Rebuilds(engine, journal, (Slow(),), Wake(Nobody())).do_next())
    await there.wait()
    other = Rebuilds(engine, journal, (Overview(),), Wake(Nobody()))
    assert not await other.do_next()  # it is at work on it
    ended.cancel()
    await asyncio.gather(ended, return_exceptions=True)

    assert await other.do_next()
    done = await other.one(id_)
    assert done is not None
    assert (done.state, done.report[0]["agrees"]) == ("done", True)


async def put_one(engine: AsyncEngine) -> None:
    """Register a repository."""
    repository = uuid4()
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=repository)
    event = RepositoryRegistered(url="https://github.com/a/b", host="github.com", name="a/b")
    draft = Draft(event_id=uuid4(), occurred_at=NOON, context=context, event=event)
    await PostgresJournal(engine).append(f"repository/{repository}", [draft])
    await sequence(engine)


async def test_what_tests_compare_waits_for_what_the_api_says_before_the_rows_do(
    engine: AsyncEngine, home: Path, database_url: str
) -> None:
    objects = open_objects("", home).of(LOCAL_TENANT, None)
    await a_history(engine, objects)
    journal = PostgresJournal(engine)
    looking = asyncio.create_task(asyncio.to_thread(census.read_models, database_url))
    await catch_up(engine, journal, Contents(objects, engine))
    await asyncio.sleep(0.2)
    assert not looking.done()  # the analysis has no row yet

    await catch_up(engine, journal, Overview())
    assert (await looking)["analyses"][0] == 1


class NoSymbols(Objects):
    """A store that refuses to give artifacts of one kind."""

    async def get(self, key: str, sha256: str | None = None) -> bytes:
        if "/symbols/" in key:
            raise Transient("store_unavailable", "Not now.")
        return await super().get(key, sha256)


async def test_what_a_store_refuses_for_good_is_waited_for_once_and_no_rebuild_ends_at_it(engine: AsyncEngine) -> None:
    objects, now = NoSymbols(MemoryStore(), tenant=LOCAL_TENANT), [0.0]
    await a_history(engine, objects)
    journal, contents = PostgresJournal(engine), Contents(objects, engine, lambda: now[0])
    for now[0] in (0.0, 599.0, 600.0):  # then the first is given up, and the second waits
        with pytest.raises(Transient):
            await catch_up(engine, journal, contents)
    now[0] = 611.0
    await catch_up(engine, journal, contents)

    rebuilt = await rebuild_beside(engine, journal, contents)

    assert rebuilt.agrees
    async with engine.connect() as connection:
        marks = (await connection.execute(text("SELECT kind FROM app.loaded WHERE code IS NOT NULL"))).scalars().all()
    assert marks == ["symbols", "symbols"]
