"""A shadow that cannot be compared fails with a name; it keeps no other waiting, and can be dropped meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Envelope
from events.log.memory import MemoryJournal
from events.log.wake import Wake
from events.processing import Stage
from events.replay.sandbox import Nobody
from orchestrator.adapters import shadow_reports
from orchestrator.adapters.shadow_reports import ShadowReports
from orchestrator.workflow import replay
from orchestrator.workflow.shadowed import base_of
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.settings import DatabaseSettings
from tests.support import histories

EVENTS = histories.load("whole").events


class Journal(MemoryJournal):
    """Has one history under every name, ends whoever reads a `deadly` one, and has something happen meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.deadly = ""
        self.read: list[str] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        self.read.append(stream_id)
        if stream_id == self.deadly:
            raise _Died
        if self.meanwhile is not None:
            await self.meanwhile()
        return list(EVENTS)


class _Died(BaseException):
    """The end of a process, as nothing catches it."""


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield engine
    await engine.dispose()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def reports(engine: AsyncEngine, journal: Journal, tmp_path: Path) -> ShadowReports:
    return ShadowReports(engine, journal, open_objects("", tmp_path), Wake(Nobody()))


async def a_shadow(
    engine: AsyncEngine, tenant: UUID | None = None, stage: str = "workflow", base: Mapping[str, str] | None = None
) -> UUID:
    """One without runs, as those of the workflow are; its analysis has the same id."""
    shadow = uuid4()
    statement = """
        INSERT INTO sandbox.shadows (shadow_id, tenant_id, repository_id, analysis_id, stage, asked_by, base)
        VALUES (:id, :tenant, gen_random_uuid(), :id, :stage, gen_random_uuid(), CAST(:base AS jsonb))
    """
    await _do(engine, statement, id=shadow, tenant=tenant or uuid4(), stage=stage, base=json.dumps(base or {}))
    return shadow


async def _do(engine: AsyncEngine, statement: str, **values: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def state_of(engine: AsyncEngine, shadow: UUID) -> tuple[Any, ...]:
    async with engine.connect() as connection:
        statement = text("SELECT state, code, tries FROM sandbox.shadows WHERE shadow_id = :id")
        return tuple((await connection.execute(statement, {"id": shadow})).one())


async def test_one_that_ends_its_process_is_left_alone_after_three_and_others_come_first(
    engine: AsyncEngine, journal: Journal, reports: ShadowReports
) -> None:
    deadly, other = await a_shadow(engine), await a_shadow(engine)
    journal.deadly = f"analysis/{deadly}"
    over = "UPDATE sandbox.shadows SET held_until = clock_timestamp() - interval '1 second' WHERE state = 'asked'"

    with pytest.raises(_Died):
        await reports.finish_next()
    await _do(engine, over)
    assert await reports.finish_next()
    assert await state_of(engine, other) == ("done", None, 1)
    for _ in range(2):
        with pytest.raises(_Died):
            await reports.finish_next()
        assert not await reports.finish_next()  # it is held, by whoever has died
        await _do(engine, over)

    assert not await reports.finish_next()
    assert await state_of(engine, deadly) == ("failed", "shadow_not_compared", 3)
    assert journal.read.count(journal.deadly) == 3


async def test_tenants_take_turns(engine: AsyncEngine, journal: Journal, reports: ShadowReports) -> None:
    many = uuid4()
    first, second, third = [await a_shadow(engine, many) for _ in range(3)]
    other = await a_shadow(engine)

    while await reports.finish_next():
        pass

    assert journal.read == [f"analysis/{shadow}" for shadow in (first, other, second, third)]


async def test_one_is_compared_with_what_served_when_it_was_asked_for_or_fails_by_name(
    engine: AsyncEngine, reports: ShadowReports
) -> None:
    base = base_of(replay(EVENTS), Stage.LINK)
    same = await a_shadow(engine, stage="link", base=base)
    anew = await a_shadow(engine, stage="link", base={"0": str(uuid4())})
    answers = await a_shadow(engine, stage="answer", base=base_of(replay(EVENTS), Stage.INDEX) | {"vectors": "others"})
    then, earlier = [await a_shadow(engine, base=each) for each in ({"version": "20"}, {})]

    while await reports.finish_next():
        pass

    assert [await state_of(engine, each) for each in (same, anew, answers)] == [
        ("done", None, 1),
        ("failed", "shadow_outdated", 1),
        ("failed", "shadow_outdated", 1),
    ]
    async with engine.connect() as connection:
        statement = text("SELECT CAST(report ->> 'decided' AS int) FROM sandbox.shadows WHERE shadow_id = :id")
        few, every = [await connection.scalar(statement, {"id": each}) for each in (then, earlier)]
    assert 0 < few < every


async def test_what_the_database_does_not_take_of_it_makes_it_fail(
    engine: AsyncEngine, reports: ShadowReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow, other = await a_shadow(engine), await a_shadow(engine)
    monkeypatch.setattr(shadow_reports, "told_of", lambda _made: {"text": "a\0b"})

    assert await reports.finish_next()
    assert await state_of(engine, shadow) == ("done", None, 1)
    monkeypatch.setattr(shadow_reports, "as_stored", dict)
    assert await reports.finish_next()

    assert await state_of(engine, other) == ("failed", "shadow_not_compared", 1)


async def test_one_that_is_compared_can_be_dropped_meanwhile(
    engine: AsyncEngine, journal: Journal, reports: ShadowReports
) -> None:
    shadow = await a_shadow(engine)

    async def drop() -> None:
        async with asyncio.timeout(5):
            await _do(engine, "DELETE FROM sandbox.shadows WHERE shadow_id = :id", id=shadow)

    journal.meanwhile = drop

    assert await reports.finish_next()

    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM sandbox.shadows")) == 0
