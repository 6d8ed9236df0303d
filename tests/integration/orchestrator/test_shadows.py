"""Stages of the present code over what was recorded: beside what serves, which stays as it is until it is replaced."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text

from events.base import LOCAL_TENANT, Envelope
from events.delivery.work import Result, Run
from events.log.wake import Wake
from events.processing import Stage
from events.replay import sandbox
from events.replay.sandbox import Nobody, SandboxObjects, ShadowWorker
from orchestrator.adapters import shadow_reports
from processor.adapters.parser_pool import ParserPool
from processor.subscribers import shadow_handlers
from rag_manager.adapters.recorded import RecordedEmbedder
from runtime.database import create_engine
from runtime.faults import Permanent
from runtime.objects import open_objects
from runtime.settings import DatabaseSettings
from runtime.tenancy import DatabaseRole
from tests.support.orchestrator import System, a_system, eventually, messages
from tests.support.untouched import live, only_connecting_to


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    for looking in (sandbox, shadow_reports):
        monkeypatch.setattr(looking, "_POLL", 0.05)
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


@asynccontextmanager
async def a_worker(database_url: str, redis_url: str, home: Path) -> AsyncIterator[ShadowWorker]:
    """The processor's, as its own role, with its real jobs."""
    settings = DatabaseSettings(url=SecretStr(database_url))
    engine = create_engine(settings, application="test", role=DatabaseRole.PROCESSOR)
    pool = ParserPool(1)
    redis = Redis.from_url(redis_url)
    worker = ShadowWorker(engine, open_objects("", home), shadow_handlers(pool), "test", Wake(redis).worked)
    running = asyncio.create_task(worker.run())
    yield worker
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await pool.close()
    await redis.aclose()
    await engine.dispose()


async def shadow(system: System, analysis: str, stage: str) -> dict[str, Any]:
    reply = await system.client.post("/api/v1/shadows", json={"analysis_id": analysis, "stage": stage})
    assert reply.status_code == 202, reply.text
    path = f"/shadows/{reply.json()['shadow_id']}"
    heard = [data["state"] async for event, _, data in messages(system, f"{path}/live") if event == "work"]
    found: dict[str, Any] = await system.get(path)
    assert (heard[-1], set(heard[:-1]) - {"asked"}) == (found["state"], set())
    return found


async def test_the_present_code_runs_beside_what_serves_and_touches_nothing(
    system: System, database_url: str, redis_url: str, home: Path
) -> None:
    analysis = str(await system.begin())
    await system.settled(UUID(analysis))
    await system.get("/events", stream_id=f"analysis/{analysis}")
    before = await live(database_url, redis_url, home)

    with only_connecting_to([database_url, redis_url, str(system.client.base_url)]) as refused:
        async with a_worker(database_url, redis_url, home):
            stages = ("metadata", "structure", "parse", "link", "workflow")
            found = dict(zip(stages, await asyncio.gather(*(shadow(system, analysis, s) for s in stages)), strict=True))

    assert {stage: one["state"] for stage, one in found.items()} == dict.fromkeys(found, "done"), found
    after = await live(database_url, redis_url, home)
    assert {name: (before.get(name), what) for name, what in after.items() if before.get(name) != what} == {}
    assert (before.keys(), refused) == (after.keys(), [])
    # The stand-in's rows are not those of the real parser, and it extracted no README: both are seen.
    symbols = found["parse"]["report"]["tables"]["symbols"]
    assert symbols["shadow"] == symbols["same"] + symbols["added"] + symbols["changed"] > 0
    assert symbols["live"] == symbols["same"] + symbols["removed"] + symbols["changed"] > 0
    assert found["parse"]["report"]["agrees"] is False
    assert "metadata_extracted" in {one["path"].split("/")[1] for one in found["metadata"]["report"]["facts"]}
    assert found["workflow"]["report"]["agrees"] is True
    assert {stage: one["runs"] - one["runs_ended"] for stage, one in found.items()} == dict.fromkeys(found, 0)
    assert (found["parse"]["runs"] > 0, found["workflow"]["runs"]) == (True, 0)
    assert "is in the log and stays" in found["workflow"]["not_promotable"]
    assert found["workflow"]["report"]["decided"] > 10
    listed, page = [], await system.get("/shadows", limit=2)
    while page["next"] is not None:
        assert len(page["items"]) == 2
        listed, page = [*listed, *page["items"]], await system.get("/shadows", limit=2, cursor=page["next"])
    listed += page["items"]
    assert [one["asked_at"] for one in listed] == sorted((one["asked_at"] for one in found.values()), reverse=True)
    assert {one["shadow_id"] for one in listed} == {one["shadow_id"] for one in found.values()}
    assert (await system.get("/shadows", cursor="eyJ4"))["code"] == "bad_cursor"
    for one in listed:
        assert (await system.client.delete(f"/api/v1/shadows/{one['shadow_id']}")).status_code == 204
    async with system.engine.connect() as connection:
        for table in ("shadows", "runs", "artifacts"):
            assert await connection.scalar(text(f"SELECT count(*) FROM sandbox.{table}")) == 0


async def test_a_shadow_takes_the_place_of_what_serves_where_nothing_was_made_of_that(
    system: System, database_url: str, redis_url: str, home: Path
) -> None:
    analysis = str(await system.begin())
    await system.until(UUID(analysis), "refined")
    versions = len((await system.get("/events", stream_id=f"analysis/{analysis}", limit=500))["items"])
    system.workers.held.add(Stage.LINK)  # the stand-in reads the log, where real workers are not told of a promotion
    async with a_worker(database_url, redis_url, home):
        parsed, linked, late = [await shadow(system, analysis, stage) for stage in ("parse", "link", "link")]
        was = await system.client.post(f"/api/v1/shadows/{parsed['shadow_id']}/promote")
        assert (was.status_code, was.json()["code"]) == (409, "shadow_not_promotable")
        assert "index" in was.json()["detail"]
        assert (parsed["not_promotable"], linked["not_promotable"]) == (was.json()["detail"], None)
        reply = await system.client.post(f"/api/v1/shadows/{linked['shadow_id']}/promote")
        assert reply.status_code == 200, reply.text
        assert reply.json()["promoted_at"] is not None

        async def serves() -> list[str]:
            statement = text("""
                SELECT a.kind FROM sandbox.artifacts a JOIN app.loaded l ON l.kind = a.kind
                WHERE a.shadow_id = CAST(:shadow AS uuid) AND l.analysis_id = CAST(:id AS uuid)
                  AND l.key LIKE '%' || a.sha256 || '%' ORDER BY 1
            """)
            values = {"shadow": linked["shadow_id"], "id": analysis}
            async with system.engine.connect() as connection:
                return list((await connection.execute(statement, values)).scalars())

        assert linked["report"]["agrees"] is False
        await eventually(serves, lambda kinds: kinds == ["connections", "imports", "links"])
        again = await shadow(system, analysis, "link")
        outdated = await system.client.post(f"/api/v1/shadows/{late['shadow_id']}/promote")
        twice = await system.client.post(f"/api/v1/shadows/{linked['shadow_id']}/promote")
        now = [(await system.get(f"/shadows/{one['shadow_id']}"))["not_promotable"] for one in (late, linked, again)]

    assert again["report"]["agrees"] is True
    assert [each.json()["code"] for each in (outdated, twice)] == ["shadow_outdated", "shadow_not_done"]
    assert now == [outdated.json()["detail"], None, None]
    events = (await system.get("/events", stream_id=f"analysis/{analysis}", limit=500))["items"][versions:]
    assert [(one["event_type"], one["data"]["attempt"]) for one in events] == [
        ("processing.stage.requested", 2),
        ("processing.stage.completed", 2),
    ]
    async with system.engine.connect() as connection:
        copies = text("SELECT count(*) FROM sandbox.artifacts WHERE shadow_id = CAST(:shadow AS uuid)")
        assert await connection.scalar(copies, {"shadow": again["shadow_id"]}) == 0  # what serves has the same bytes
    assert (await system.get(f"/analyses/{analysis}"))["state"] == "refined"
    checked = await system.client.post("/api/v1/rebuilds", json={"replace": False})
    path = f"/rebuilds/{checked.json()['rebuild_id']}"
    assert (await eventually(lambda: system.get(path), lambda one: one["state"] != "asked"))["agrees"] is True
    reply = await system.client.post(f"/api/v1/shadows/{again['shadow_id']}/promote")
    assert reply.status_code == 200, reply.text
    refused = [
        await system.client.post("/api/v1/shadows", json={"analysis_id": of, "stage": stage})
        for of, stage in (
            (analysis, "clone"),
            (analysis, "answer"),
            (str(uuid4()), "parse"),
            *[(analysis, "workflow")] * 7,
        )
    ]
    codes = [each.json()["code"] for each in refused]
    assert codes == ["shadow_not_offered", "shadow_nothing_recorded", "not_found", *[None] * 6, "shadow_too_many"]
    await system.client.delete(f"/api/v1/repositories/{linked['repository_id']}")

    async def left() -> int:
        async with system.engine.connect() as connection:
            return int(await connection.scalar(text("SELECT count(*) FROM sandbox.artifacts")))

    await eventually(left, lambda count: count == 0)


async def test_what_is_not_recorded_is_an_error_and_who_dies_at_it_is_followed_twice(
    system: System, database_url: str, home: Path
) -> None:
    system.workers.held.add(Stage.PROMOTE)
    analysis = str(await system.begin())
    await system.until(UUID(analysis), "ready")
    early = await system.client.post("/api/v1/shadows", json={"analysis_id": analysis, "stage": "index"})
    assert (early.status_code, early.json()["code"]) == (409, "shadow_not_complete")
    reply = await system.client.post("/api/v1/shadows", json={"analysis_id": analysis, "stage": "structure"})
    tried: list[int] = []

    def dying(_objects: SandboxObjects) -> Any:
        async def die(_envelope: Envelope, _run: Run) -> Result:
            tried.append(1)
            raise _Died

        return die

    worker = ShadowWorker(system.engine, open_objects("", home), {Stage.STRUCTURE: dying}, "test")
    for _ in range(3):
        with pytest.raises(_Died):
            await worker.do_next()
        assert not await worker.do_next()  # it is held, by whoever has died
        async with system.engine.begin() as connection:
            await connection.execute(
                text("UPDATE sandbox.runs SET held_until = clock_timestamp() - interval '1 second'")
            )
    path = f"/shadows/{reply.json()['shadow_id']}"
    parked = await eventually(lambda: system.get(path), lambda one: one["state"] != "asked")
    assert (len(tried), parked["state"], parked["code"]) == (3, "failed", "parked")

    def asking(objects: SandboxObjects) -> Any:
        async def ask(_envelope: Envelope, _run: Run) -> Result:
            RecordedEmbedder(_Model()).embed(["never embedded"])
            raise AssertionError(objects)

        return ask

    await system.client.post("/api/v1/shadows", json={"analysis_id": analysis, "stage": "structure"})
    assert await ShadowWorker(system.engine, open_objects("", home), {Stage.STRUCTURE: asking}, "test").do_next()
    newest = (await system.get("/shadows"))["items"][0]["shadow_id"]
    failed = await eventually(lambda: system.get(f"/shadows/{newest}"), lambda one: one["state"] != "asked")
    assert (failed["state"], failed["code"]) == ("failed", "effect_not_recorded")


class _Died(BaseException):
    """The end of a worker, as nothing catches it."""


class _Model:
    name, dimension, max_batch, max_characters = "model", 2, 4, 1_000

    def embed(self, texts: Sequence[str], **_how: object) -> np.ndarray[Any, np.dtype[np.float32]]:
        raise AssertionError(texts)

    def close(self) -> None:
        raise AssertionError


async def test_a_sandbox_reads_the_record_and_keeps_what_is_put_to_itself(home: Path) -> None:
    recorded = open_objects("", home)
    stored = await recorded.of(LOCAL_TENANT, None).put("kind", ".x", b"recorded")
    inside = SandboxObjects(recorded, LOCAL_TENANT)

    made = await inside.of(uuid4(), uuid4()).put("kind", ".x", b"made")

    assert await inside.get(stored.key, stored.sha256) == b"recorded"
    assert await inside.get(made.key, made.sha256) == b"made"
    with pytest.raises(Permanent):
        await recorded.get(made.key)
    assert await inside.take_over_all({stored.key: stored.sha256}) == set()
    with pytest.raises(Exception, match="nobody"):
        await Nobody().ping()
