"""One conversation goes, or one analysis that was replaced; of the repository all the rest stays as it was."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from events.base import LOCAL_TENANT, LOCAL_USER, Context, Draft
from events.question import QuestionAnswered
from orchestrator.adapters.policy import Policy
from orchestrator.adapters.retention import Retention
from orchestrator.audit.entry import Entry
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from runtime.live import LiveChannels, send_answer_part
from runtime.sealing import fresh_key
from tests.support.canaries import dump, files, keys
from tests.support.orchestrator import FILES, System, a_system, eventually

CANARY = "canary-7be1"
URL = "https://github.com/pallets/parts"
LINK = """
    INSERT INTO app.shares (share_id, tenant_id, secret_hash, kind, resource_id, created_by, expires_at)
    VALUES (gen_random_uuid(), :tenant, sha256('link'), 'conversation', :id, gen_random_uuid(),
            now() + interval '1 day')
"""


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def in_redis(redis_url: str) -> str:
    return repr([content async for _, content in keys(redis_url)])


async def rows(system: System, statement: str, **values: object) -> list[Any]:
    async with system.engine.begin() as connection:
        done = await connection.execute(text(statement), values)
        return list(done) if done.returns_rows else []


async def talked(system: System, repository_id: str, query: str, *, key: str = "") -> tuple[str, str]:
    """A conversation with one question that is answered: both ids."""
    begun = await system.client.post("/api/v1/conversations", json={"repository_id": repository_id})
    conversation: str = begun.json()["conversation_id"]
    path = f"/api/v1/conversations/{conversation}/questions"
    asked = await system.client.post(path, json={"query": query}, headers={"Idempotency-Key": key} if key else {})
    assert asked.status_code == 202, asked.text
    question = asked.json()["question_id"]
    answer = QuestionAnswered(
        question_id=question,
        query=query,
        answer=f"Because of {query}",
        mode="extractive",
        response_time=0.1,
        rag_hits=0,
        confidence=0.5,
        citations=(),
        removed_citations=0,
        passages=(),
        analysis_id=uuid4(),
        commit="c0ffee",
        generation_kind="quick",
        provider="none",
        model="none",
        prompt="extractive-v1",
    )
    context = Context(
        tenant_id=LOCAL_TENANT, user_id=LOCAL_USER, correlation_id=uuid4(), repository_id=UUID(repository_id)
    )
    draft = Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=context, event=answer)
    await system.journal.append(f"conversation/{conversation}", [draft])
    await system.followed()
    return conversation, question


async def a_reanalysed_repository(system: System, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Two analyses of it: the first has a file that the second has not; the rest is the same."""
    monkeypatch.setitem(FILES, f"app/{CANARY}.py", f"def canary():\n    return '{CANARY}'\n")
    first = await system.until(await system.begin(URL), "refined")
    monkeypatch.delitem(FILES, f"app/{CANARY}.py")
    again = await system.client.post("/api/v1/analyses", json={"url": URL, "ref": "newer"})
    second = await system.until(UUID(again.json()["analysis_id"]), "refined")
    assert first["repository_id"] == second["repository_id"]
    await system.followed()
    return [first, second]


def retention(system: System, policy: Policy, entries: list[Entry]) -> Retention:
    async def record(entry: Entry) -> None:
        entries.append(entry)

    return Retention(system.engine, system.app.state.services.intake._wake, record, policy)


async def test_a_deleted_conversation_is_hidden_at_once_and_soon_nowhere(
    system: System, database_url: str, redis_url: str
) -> None:
    view = await system.until(await system.begin(URL), "refined")
    repository = view["repository_id"]
    conversation, question = await talked(system, repository, f"Why {CANARY}?", key=f"key-{CANARY[-4:]}")
    kept, _ = await talked(system, repository, "Why not?")
    await rows(system, LINK, tenant=LOCAL_TENANT, id=UUID(conversation))  # as a team's link: this one has no sign-in
    async with Redis.from_url(redis_url) as redis:
        await send_answer_part(redis, LiveChannels(LOCAL_TENANT).answer(question), {"type": "token", "text": CANARY})
    await eventually(lambda: system.get("/conversations"), lambda page: len(page["items"]) == 2)
    await eventually(lambda: dump(database_url), lambda whole: CANARY in whole)
    assert await rows(system, "SELECT 1 FROM app.shares WHERE resource_id = :id", id=UUID(conversation))

    reply = await system.client.delete(f"/api/v1/conversations/{conversation}")

    assert reply.status_code == 202, reply.text
    assert reply.json()["conversation_id"] == conversation
    for path in (f"/conversations/{conversation}", f"/questions/{question}", f"/questions/{question}/stream"):
        assert (await system.client.get(f"/api/v1{path}")).status_code == 404, path
    asked = await system.client.post(f"/api/v1/conversations/{conversation}/questions", json={"query": "And?"})
    again = await system.client.delete(f"/api/v1/conversations/{conversation}")
    assert (asked.status_code, again.status_code) == (404, 404)
    listed = await eventually(lambda: system.get("/conversations"), lambda page: len(page["items"]) == 1)
    assert listed["items"][0]["conversation_id"] == kept
    events = (await system.get("/events", limit=500))["items"]
    told = {one["event_type"] for one in events if one["stream_id"] == f"conversation/{conversation}"}
    assert told <= {"conversation.deleted"}
    assert f"conversation/{kept}" in {one["stream_id"] for one in events}
    await eventually(lambda: dump(database_url), lambda whole: CANARY not in whole)
    await eventually(lambda: in_redis(redis_url), lambda whole: CANARY not in whole)
    history = await eventually(
        lambda: system.journal.read_stream(f"conversation/{conversation}"), lambda found: bool(found[1].erased)
    )
    assert [event.event_type for event in history] == [
        "conversation.started",
        "ai.query.requested",
        "ai.query.processed",
        "conversation.deleted",
    ]
    assert {event.data.get("query", "[erased]") for event in history} == {"[erased]"}
    assert (await system.get(f"/conversations/{kept}"))["questions"][0]["answer"] == "Because of Why not?"
    assert await rows(system, "SELECT 1 FROM app.shares WHERE resource_id = :id", id=UUID(conversation)) == []
    repeated = await system.client.post(
        f"/api/v1/conversations/{conversation}/questions",
        json={"query": f"Why {CANARY}?"},
        headers={"Idempotency-Key": f"key-{CANARY[-4:]}"},
    )
    assert CANARY not in repeated.text
    await rebuild_beside(system.engine, system.journal, Overview())
    assert [one["conversation_id"] for one in (await system.get("/conversations"))["items"]] == [kept]


async def test_a_question_that_waits_is_not_answered_once_its_conversation_is_deleted(system: System) -> None:
    view = await system.until(await system.begin(URL), "refined")
    begun = await system.client.post("/api/v1/conversations", json={"repository_id": view["repository_id"]})
    conversation = begun.json()["conversation_id"]
    path = f"/api/v1/conversations/{conversation}"

    deleted, *asked = await asyncio.gather(
        system.client.delete(path),
        *(system.client.post(f"{path}/questions", json={"query": f"{CANARY} {n}?"}) for n in range(4)),
    )

    assert deleted.status_code == 202
    assert {reply.status_code for reply in asked} <= {202, 404}
    accepted = sum(reply.status_code == 202 for reply in asked)
    history = await eventually(
        lambda: system.journal.read_stream(f"conversation/{conversation}"), lambda found: bool(found[0].erased)
    )
    types = [event.event_type for event in history]
    assert types == ["conversation.started", *["ai.query.requested"] * accepted, "conversation.deleted"]
    assert all(event.data.get("query", "[erased]") == "[erased]" for event in history)


async def test_only_replaced_analyses_go_and_what_the_newer_one_shares_stays(
    system: System, monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    first, second = await a_reanalysed_repository(system, monkeypatch)
    async with Redis.from_url(redis_url) as redis:
        tick = f'{{"analysis_id": "{first["analysis_id"]}", "current": "{CANARY}"}}'
        await redis.xadd(LiveChannels(LOCAL_TENANT).ticks, {"tick": tick})
    shared = await rows(
        system,
        "SELECT a->>'key' FROM es.events e CROSS JOIN LATERAL jsonb_array_elements(e.data->'artifacts') a"
        " WHERE e.stream_id = :stream AND e.type = 'processing.stage.completed'",
        stream=f"analysis/{second['analysis_id']}",
    )
    now, entries = datetime.now(UTC), list[Entry]()
    before = {name for name, _ in files(home / "objects")}
    total = (await system.get(f"/analyses/{second['analysis_id']}/files"))["total"]

    assert await gone(system, Policy(), now, entries) == []
    assert await gone(system, Policy(analyses_kept=2, analysis_days=30), now + timedelta(days=29), entries) == []
    found = await gone(system, Policy(analyses_kept=1), now, entries)

    assert found == [first["analysis_id"]]
    assert (await system.client.get(f"/api/v1/analyses/{first['analysis_id']}")).status_code == 404
    await eventually(lambda: dump(database_url), lambda whole: CANARY not in whole)
    await eventually(lambda: in_redis(redis_url), lambda whole: CANARY not in whole)
    await eventually(
        lambda: asyncio.to_thread(lambda: [n for n, content in files(home / "objects") if CANARY.encode() in content]),
        lambda left: left == [],
    )
    after = {name for name, _ in files(home / "objects")}
    assert after < before
    for [key] in shared:
        await system.objects.get(key)
    assert (await system.get(f"/analyses/{second['analysis_id']}"))["state"] == "refined"
    page = await system.get("/analyses")
    assert [item["analysis_id"] for item in page["items"]] == [second["analysis_id"]]
    assert (await system.get(f"/analyses/{second['analysis_id']}/files"))["total"] == total
    history = await system.journal.read_stream(f"analysis/{first['analysis_id']}")
    assert history[-1].event_type in {"analysis.deleted", "repository.processing.cancelled"}
    [deleted] = [event for event in history if event.event_type == "analysis.deleted"]
    assert deleted.data["policy"] == "REPOSTREAM_RETENTION_ANALYSES=1"
    for projection in (Overview(), Contents(system.objects)):
        await rebuild_beside(system.engine, system.journal, projection)
    assert [item["analysis_id"] for item in (await system.get("/analyses"))["items"]] == [second["analysis_id"]]
    tables = " UNION ALL ".join(f"SELECT analysis_id FROM app.{t}" for t in ("files", "outcomes", "loaded", "edges"))
    left = {str(row[0]) for row in await rows(system, f"SELECT DISTINCT analysis_id FROM ({tables}) t")}
    assert left == {second["analysis_id"]}


async def test_an_analysis_goes_by_age_and_a_conversation_when_nothing_was_asked_for_long(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await a_reanalysed_repository(system, monkeypatch)
    old, _ = await talked(system, first["repository_id"], "Why?")
    await eventually(lambda: system.get("/conversations"), lambda page: len(page["items"]) == 1)
    policy, later = Policy(analysis_days=30, conversation_days=60), datetime.now(UTC) + timedelta(days=31)
    entries: list[Entry] = []

    assert await gone(system, policy, later, entries) == [first["analysis_id"]]
    assert (await system.client.get(f"/api/v1/conversations/{old}")).status_code == 200
    assert await gone(system, policy, later + timedelta(days=30), entries) == [old]

    assert (await system.client.get(f"/api/v1/conversations/{old}")).status_code == 404
    assert (await system.get(f"/analyses/{second['analysis_id']}"))["state"] == "refined"
    assert [(entry.action, entry.tenant_id) for entry in entries] == [
        ("retention.analysis", LOCAL_TENANT),
        ("retention.conversation", LOCAL_TENANT),
    ]


async def gone(system: System, policy: Policy, at: datetime, entries: list[Entry]) -> list[str]:
    """What a policy deletes at a moment."""
    said = len(entries)
    await retention(system, policy, entries).carry_out(at)
    return [entry.target.partition("/")[2] for entry in entries[said:]]
