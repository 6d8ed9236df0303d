"""What a person deletes is hidden at once, and soon nowhere any more; what others share stays."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis

from events.base import LOCAL_TENANT
from events.processing import FaultKind, Stage
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from runtime.live import LiveChannels, send_answer_part
from runtime.sealing import fresh_key
from tests.support.canaries import dump, files, keys
from tests.support.orchestrator import FILES, System, a_system, eventually

CANARY = "canary-51d0"
URL = f"https://github.com/pallets/{CANARY}"


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    monkeypatch.setitem(FILES, f"app/{CANARY}.py", f"def {CANARY.replace('-', '_')}():\n    return '{CANARY}'\n")
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def in_redis(redis_url: str) -> str:
    """Every key with its value."""
    return repr([content async for _, content in keys(redis_url)])


def in_folder(folder: Path) -> list[str]:
    """The files whose name or content has the canary."""
    return [name for name, content in files(folder) if CANARY.encode() in content or CANARY in name]


async def analysed(system: System, url: str = URL) -> dict[str, Any]:
    return await system.until(await system.begin(url), "refined")


async def talked(system: System, repository_id: str) -> str:
    begun = await system.client.post("/api/v1/conversations", json={"repository_id": repository_id})
    conversation: str = begun.json()["conversation_id"]
    reply = await system.client.post(
        f"/api/v1/conversations/{conversation}/questions", json={"query": f"Why {CANARY}?"}
    )
    assert reply.status_code == 202, reply.text
    return conversation


async def erased(system: System, repository_id: str) -> None:
    async def is_done() -> list[Any]:
        async with system.engine.connect() as connection:
            from sqlalchemy import text

            return list(
                await connection.execute(
                    text("SELECT 1 FROM app.deleted_repositories WHERE repository_id = :id AND erased_at IS NOT NULL"),
                    {"id": UUID(repository_id)},
                )
            )

    await eventually(is_done, bool, seconds=40)


async def test_what_was_deleted_is_hidden_at_once_and_then_nowhere_any_more(
    system: System, database_url: str, redis_url: str, home: Path
) -> None:
    view = await analysed(system)
    repository, analysis = view["repository_id"], view["analysis_id"]
    conversation = await talked(system, repository)
    async with Redis.from_url(redis_url) as redis:
        question = (await system.get(f"/conversations/{conversation}"))["questions"][0]["question_id"]
        live = LiveChannels(LOCAL_TENANT)
        await send_answer_part(redis, live.answer(question), {"type": "token", "text": CANARY})
        await redis.xadd(live.ticks, {"tick": f'{{"analysis_id": "{analysis}", "current": "{CANARY}"}}'})
        await redis.hset(live.newest_ticks(analysis), "clone.0", f'{{"current": "{CANARY}"}}')
    await eventually(lambda: system.get(f"/analyses/{analysis}/files"), lambda page: page.get("total"))
    assert CANARY in await dump(database_url)
    assert CANARY in await in_redis(redis_url)
    assert in_folder(home / "objects")

    reply = await system.client.delete(f"/api/v1/repositories/{repository}")

    assert reply.status_code == 202, reply.text
    hidden = (
        f"/repositories/{repository}",
        f"/analyses/{analysis}",
        f"/analyses/{analysis}/history",
        f"/analyses/{analysis}/files",
        f"/analyses/{analysis}/symbols",
        f"/conversations/{conversation}",
    )
    for path in hidden:
        assert (await system.client.get(f"/api/v1{path}")).status_code == 404, path
    for path in ("/repositories", "/analyses", "/conversations"):
        assert (await system.get(path))["items"] == []
    listed = (await system.get("/events", limit=500))["items"]
    assert {one["event_type"] for one in listed if one["repository_id"] == repository} <= {"repository.deleted"}
    again = await system.client.delete(f"/api/v1/repositories/{repository}")
    assert again.status_code == 404
    await erased(system, repository)
    left = await eventually(lambda: dump(database_url), lambda rows: CANARY not in rows)
    assert repository in left, "the anonymised fact stays"
    assert CANARY not in await in_redis(redis_url)
    assert in_folder(home / "objects") == []


async def test_the_same_address_analysed_again_is_a_new_repository(system: System) -> None:
    first = await analysed(system)
    await system.client.delete(f"/api/v1/repositories/{first['repository_id']}")
    await erased(system, first["repository_id"])

    second = await analysed(system)

    assert second["repository_id"] != first["repository_id"]
    assert (second["url"], second["metadata"]) == (URL, {"readme_found": True})
    listed = await eventually(lambda: system.get("/repositories"), lambda page: page["items"])
    assert [item["url"] for item in listed["items"]] == [URL]
    assert (await eventually(lambda: system.get(f"/analyses/{second['analysis_id']}/files"), lambda p: p.get("total")))[
        "items"
    ]
    await system.client.delete(f"/api/v1/repositories/{second['repository_id']}")
    third = await analysed(system)
    assert third["repository_id"] not in {first["repository_id"], second["repository_id"]}


async def test_of_two_repositories_with_one_content_the_other_still_answers(system: System, home: Path) -> None:
    first, second = await analysed(system), await analysed(system, f"{URL}-2")
    files = sorted((home / "objects").rglob("*.parquet"))

    await system.client.delete(f"/api/v1/repositories/{first['repository_id']}")
    await erased(system, first["repository_id"])

    assert sorted((home / "objects").rglob("*.parquet")) == files
    lines = await system.client.get(
        f"/api/v1/analyses/{second['analysis_id']}/lines", params={"path": f"app/{CANARY}.py"}
    )
    assert CANARY in lines.json()["text"]
    assert (await system.get(f"/repositories/{second['repository_id']}"))["url"] == f"{URL}-2"

    await system.client.delete(f"/api/v1/repositories/{second['repository_id']}")
    await erased(system, second["repository_id"])
    assert not list((home / "objects").rglob("*.parquet"))


async def test_a_running_analysis_is_cancelled_and_leaves_nothing(
    system: System, database_url: str, home: Path
) -> None:
    system.workers.held = {Stage.INDEX}
    analysis = await system.begin(URL)
    view = await eventually(
        lambda: system.get(f"/analyses/{analysis}"),
        lambda found: next(s for s in found["stages"] if s["stage"] == "parse")["state"] == "completed",
    )

    await system.client.delete(f"/api/v1/repositories/{view['repository_id']}")

    await erased(system, view["repository_id"])
    types = [e.event_type for e in await system.journal.read_stream(f"analysis/{analysis}")]
    assert "repository.processing.cancelled" in types
    await eventually(lambda: dump(database_url), lambda rows: CANARY not in rows)
    assert in_folder(home / "objects") == []


async def test_an_analysis_that_failed_and_was_retried_is_cancelled_as_well(
    system: System, database_url: str, home: Path
) -> None:
    system.workers.faults[Stage.CLONE, 0, 1] = (FaultKind.RESOURCE, "disk_full")
    system.workers.held = {Stage.INDEX}
    analysis = await system.begin(URL)
    view = await system.until(analysis, "failed")
    await system.client.post(f"/api/v1/analyses/{analysis}/retry")
    await eventually(
        lambda: system.get(f"/analyses/{analysis}"),
        lambda found: next(s for s in found["stages"] if s["stage"] == "parse")["state"] == "completed",
    )

    await system.client.delete(f"/api/v1/repositories/{view['repository_id']}")

    await erased(system, view["repository_id"])
    types = [e.event_type for e in await system.journal.read_stream(f"analysis/{analysis}")]
    assert types.count("repository.processing.failed") == types.count("repository.processing.cancelled") == 1
    await eventually(lambda: dump(database_url), lambda rows: CANARY not in rows)
    assert in_folder(home / "objects") == []


async def test_read_models_are_built_again_over_erased_history(system: System, database_url: str) -> None:
    gone, kept = await analysed(system), await analysed(system, f"{URL}-2")
    await talked(system, gone["repository_id"])
    await system.client.delete(f"/api/v1/repositories/{gone['repository_id']}")
    await erased(system, gone["repository_id"])

    for projection in (Overview(), Contents(system.objects)):
        await rebuild_beside(system.engine, system.journal, projection)

    assert [item["repository_id"] for item in (await system.get("/repositories"))["items"]] == [kept["repository_id"]]
    assert gone["analysis_id"] not in (await dump_of(database_url, "app.files", "app.analyses", "app.questions"))
    events = (await system.client.get("/api/v1/events", params={"limit": 500})).json()["items"]
    about = [item for item in events if item["repository_id"] == gone["repository_id"]]
    assert {item["event_type"] for item in about} == {"repository.deleted"}
    history = await system.journal.read_stream(f"repository/{gone['repository_id']}")
    assert [event.event_type for event in history] == ["repository.registered", "repository.deleted"]


async def dump_of(database_url: str, *tables: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        rows = [row[0] for table in tables for row in await connection.fetch(f"SELECT t::text FROM {table} t")]
        return "\n".join(rows)
    finally:
        await connection.close()


async def test_an_analysis_asked_for_while_its_repository_is_deleted_is_either_gone_or_new(system: System) -> None:
    first = await analysed(system)

    deleted, *replies = await asyncio.gather(
        system.client.delete(f"/api/v1/repositories/{first['repository_id']}"),
        *(system.client.post("/api/v1/analyses", json={"url": URL, "ref": f"r{n}"}) for n in range(3)),
    )

    assert deleted.status_code == 202
    for reply in replies:
        if reply.status_code == 503:
            continue  # it waited for the others for too long: nothing was begun
        found = await system.client.get(f"/api/v1/analyses/{reply.json()['analysis_id']}")
        is_old = reply.json()["repository_id"] == first["repository_id"]
        assert found.status_code == (404 if is_old else 200)
