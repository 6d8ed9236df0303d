"""A conversation goes into a bundle without its secrets, and comes back as the importing person's, once."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT, LOCAL_USER, Context, Draft
from events.question import Citation, QuestionAnswered
from orchestrator.adapters import bundles
from orchestrator.adapters.policy import Policy
from orchestrator.adapters.retention import Retention
from orchestrator.audit.entry import Entry
from orchestrator.workflow.imported import imported
from runtime.parquet import read_table
from tests.support.orchestrator import FILES, System, a_system

SAID = "canary-51d0"
SECRET = "ghp_" + "a1B2" * 5


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def asked(system: System, repository_id: str) -> tuple[str, QuestionAnswered]:
    """A conversation with a question that waits for its answer: the id, and the answer."""
    begun = await system.client.post("/api/v1/conversations", json={"repository_id": repository_id})
    conversation = begun.json()["conversation_id"]
    query = f"Why {SAID}, and why {SECRET}?"
    reply = await system.client.post(f"/api/v1/conversations/{conversation}/questions", json={"query": query})
    [newest] = (await system.get(f"/analyses?repository_id={repository_id}"))["items"]
    return conversation, QuestionAnswered(
        question_id=reply.json()["question_id"],
        query=query,
        answer=f"Because of {SAID} [app/util.py:1-2]",
        mode="generated",
        response_time=0.1,
        rag_hits=1,
        confidence=0.5,
        citations=(Citation(path="app/util.py", first_line=1, last_line=2),),
        removed_citations=0,
        passages=(),
        analysis_id=newest["analysis_id"],
        commit="c0ffee",
        generation_kind="quick",
        provider="none",
        model="theirs",
        prompt="answer-v1",
        input_tokens=1_000,
        cost_usd=0.5,
    )


async def say(system: System, conversation: str, repository_id: str, answer: QuestionAnswered) -> None:
    context = Context(
        tenant_id=LOCAL_TENANT, user_id=LOCAL_USER, correlation_id=uuid4(), repository_id=UUID(repository_id)
    )
    draft = Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=context, event=answer)
    await system.journal.append(f"conversation/{conversation}", [draft])
    await system.followed()


async def taken_over(system: System, content: bytes, status: int) -> dict[str, Any]:
    reply = await system.client.post("/api/v1/bundles", content=content)
    assert reply.status_code == status, reply.text
    return dict(reply.json())


def long_ago(content: bytes, days: int) -> bytes:
    """The bundle, had everything in it happened so many days earlier."""

    def earlier(line: bytes) -> str:
        envelope = json.loads(line)
        at = datetime.fromisoformat(envelope["timestamp"]) - timedelta(days=days)
        return json.dumps(envelope | {"timestamp": at.isoformat()}) + "\n"

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    for name in members.keys() & {"events.jsonl", "conversation.jsonl"}:
        members[name] = "".join(map(earlier, members[name].splitlines())).encode()
        manifest["members"][name] = {"bytes": len(members[name]), "sha256": sha256(members[name]).hexdigest()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, member in (members | {"manifest.json": json.dumps(manifest).encode()}).items():
            archive.writestr(name, member)
    return file.getvalue()


async def gone(system: System, policy: Policy, at: datetime) -> set[str]:
    """What a policy deletes at a moment."""
    entries: list[Entry] = []

    async def record(entry: Entry) -> None:
        entries.append(entry)

    await Retention(system.engine, system.app.state.services.intake._wake, record, policy).carry_out(at)
    return {entry.target.partition("/")[2] for entry in entries}


async def test_it_says_the_same_elsewhere_and_is_there_once(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "app/keys.py", f"def key():\n    return '{SECRET}'\n")
    analysis = await system.until(await system.begin("https://github.com/pallets/bundled"), "refined")
    repository = analysis["repository_id"]
    there, answer = await asked(system, repository)
    path = f"/api/v1/conversations/{there}/bundle"
    waiting = await system.client.get(path)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "bundle_not_over")
    await say(system, there, repository, answer)

    alone, both = [(await system.client.get(path, params={"with_analysis": way})).content for way in (False, True)]
    with zipfile.ZipFile(io.BytesIO(both)) as archive:
        said = archive.read("conversation.jsonl").decode()
        assert "events.jsonl" in archive.namelist()
        texts = [str(read_table(archive.read(n)).to_pylist()) for n in archive.namelist() if n.startswith("artifacts/")]
    assert SAID in said  # it was sealed in the log
    assert SECRET not in said
    with zipfile.ZipFile(io.BytesIO(alone)) as archive:
        assert sorted(archive.namelist()) == ["conversation.jsonl", "manifest.json"]
    assert any("def key()" in text for text in texts)
    assert all(SECRET not in text for text in texts)

    exported = await system.client.get(f"/api/v1/analyses/{analysis['analysis_id']}/bundle")
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert json.loads(archive.read("manifest.json"))["version"] == 1  # as releases wrote it that knew no other

    first = await taken_over(system, both, 201)
    assert first == await taken_over(system, both, 200)
    assert (first["from_conversation_id"], first["repository_id"]) == (there, repository)
    await system.until(UUID(first["analysis_id"]), "refined")
    await system.followed()
    for one, shown in ((analysis, SECRET), (first, "[redacted]")):
        of = f"/api/v1/analyses/{one['analysis_id']}/lines"
        lines = (await system.client.get(of, params={"path": "app/keys.py"})).json()
        assert lines["text"].splitlines() == ["def key():", f"    return '{shown}'"]
    stream = await system.journal.read_stream(f"analysis/{first['analysis_id']}")
    with monkeypatch.context() as another_release:
        another_release.setattr(bundles, "imported", lambda *told: [*imported(*told), *imported(*told)])
        assert await taken_over(system, both, 200) == first
    assert await system.journal.read_stream(f"analysis/{first['analysis_id']}") == stream
    [then] = (await system.get(f"/conversations/{there}"))["questions"]
    [now] = (await system.get(f"/conversations/{first['conversation_id']}"))["questions"]
    new = {name: first[name] for name in ("conversation_id", "analysis_id")}
    assert now == then | new | {"question_id": now["question_id"], "query": then["query"].replace(SECRET, "[redacted]")}
    assert now["question_id"] != then["question_id"]
    listed = (await system.get("/conversations"))["items"]
    assert [one["conversation_id"] for one in listed].count(first["conversation_id"]) == 1

    async with system.engine.connect() as connection:
        counted = text("SELECT count(*), sum(tokens) FROM app.accepted_questions")
        asked_for = text("SELECT count(*) FROM es.feed f JOIN es.events e USING (position) WHERE f.topic = 'questions'")
        stored = (await connection.execute(text("SELECT string_agg(data::text, '') FROM es.events"))).scalar_one()
        assert SAID not in stored  # sealed again
        assert (await connection.execute(counted)).one() == (1, 1_000)
        assert (await connection.execute(asked_for)).scalar_one() == 1  # no model is asked again

    second = await taken_over(system, alone, 201)
    assert second["analysis_id"] is None
    await system.followed()
    deleted = await system.client.delete(f"/api/v1/conversations/{second['conversation_id']}")
    assert deleted.status_code < 300, deleted.text
    third = await taken_over(system, alone, 201)
    assert third["conversation_id"] != second["conversation_id"]
    [again] = (await system.get(f"/conversations/{third['conversation_id']}"))["questions"]
    assert again["answer"] == then["answer"]

    older, old = [await taken_over(system, long_ago(both, days), 201) for days in (100, 70)]
    for one in (older, old):
        await system.until(UUID(one["analysis_id"]), "refined")
    await system.followed()
    [asked_at] = [q["asked_at"] for q in (await system.get(f"/conversations/{old['conversation_id']}"))["questions"]]
    now, policy = datetime.now(UTC), Policy(analysis_days=30, conversation_days=60)
    assert datetime.fromisoformat(asked_at) < now - timedelta(days=69)
    assert await gone(system, policy, now) == set()  # it has just come
    assert await gone(system, policy, now + timedelta(days=31)) == {older["analysis_id"]}  # `old` came after it
    assert {one["conversation_id"] for one in (older, old)} < await gone(system, policy, now + timedelta(days=61))
