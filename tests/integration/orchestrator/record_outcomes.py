"""Records golden histories in which every stage fails, is lost, or is parked; and others that are rare.

    python -m pytest tests/integration/orchestrator/record_outcomes.py -n 0    # writes tests/histories

The orchestrator, its log and what it decides are real. What workers and models say is scripted, since none of ours
fails in each of these ways when it is told to. The suite does not run it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.base import Envelope, Event, caused_by
from events.index import EmbedderChanged
from events.processing import FaultKind, Stage
from events.question import QuestionFailed, StepTaken
from orchestrator.workflow.evolve import PARKED
from tests.integration.orchestrator.test_dead_letters import a_letter
from tests.support import histories
from tests.support.orchestrator import System, a_system

SHARD = {Stage.PARSE: 1, Stage.EMBED: 1, Stage.REFINE: 1}  # of the others the only one
CALM = 12  # looks at which nothing is at work


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as running:
        yield running


async def begin(system: System) -> UUID:
    body = {"url": "https://github.com/pallets/flask", "force": True, "history": 9}
    reply = await system.client.post("/api/v1/analyses", json=body)
    assert reply.status_code == 202, reply.text
    return UUID(reply.json()["analysis_id"])


async def keep(system: System, name: str, stream: str) -> None:
    page = await system.get("/events", stream_id=stream, limit=500)
    assert page["next"] is None
    histories.keep(name, [Envelope.model_validate(item) for item in page["items"]])


async def until_refined(system: System, analysis: UUID) -> None:
    """Retry whenever it failed, or is ready without something and nothing is at work."""
    async with asyncio.timeout(120):
        calm = 0
        while (view := await system.get(f"/analyses/{analysis}"))["state"] != "refined":
            active = any(stage["state"] in {"queued", "running", "retrying"} for stage in view["stages"])
            calm = 0 if active else calm + 1
            if view["state"] == "failed" or (view["state"] == "ready" and calm > CALM):
                await system.client.post(f"/api/v1/analyses/{analysis}/retry")
                calm = 0
            await asyncio.sleep(0.1)


async def say(system: System, cause: Envelope, *said: Event) -> None:
    at = datetime.now(UTC)
    drafts = [caused_by(cause, cause.stream_id, event, ordinal=900 + n, at=at) for n, event in enumerate(said)]
    await system.journal.append(cause.stream_id, drafts)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("every_stage_fails_once", FaultKind.TRANSIENT, "worker_lost"),
        ("every_stage_is_lost_then_retried", FaultKind.PERMANENT, "artifact_missing"),
        ("every_stage_is_parked_then_retried", FaultKind.PERMANENT, PARKED),
    ],
)
async def test_every_stage_ends_badly_at_first(system: System, name: str, kind: FaultKind, code: str) -> None:
    for stage in Stage:
        system.workers.faults[stage, SHARD.get(stage, 0), 1] = (kind, code)
    analysis = await begin(system)
    await until_refined(system, analysis)
    await keep(system, name, f"analysis/{analysis}")


async def test_a_shard_runs_again_and_then_the_embedder_changes(system: System) -> None:
    analysis = await begin(system)
    await system.until(analysis, "refined")
    body = {"stage": "parse", "shard": 1, "reason": "to see"}
    assert (await system.client.post(f"/api/v1/analyses/{analysis}/retry", json=body)).status_code == 202
    await system.until(analysis, "refined")
    history = await system.journal.read_stream(f"analysis/{analysis}")
    change = EmbedderChanged(analysis_id=analysis, generation_id=uuid4(), model="earlier", wanted="later")
    await say(system, history[-1], change)
    await system.until(analysis, "ready")
    await system.until(analysis, "refined")
    await keep(system, "run_again_then_embedded_anew", f"analysis/{analysis}")


async def test_a_stopped_one_goes_on(system: System) -> None:
    system.workers.held = {Stage.REFINE, Stage.LINK}
    analysis = await begin(system)
    await system.until(analysis, "ready")
    await system.client.post(f"/api/v1/analyses/{analysis}/cancel")
    system.workers.held = set()
    await system.client.post(f"/api/v1/analyses/{analysis}/retry")
    await system.until(analysis, "refined")
    await keep(system, "stopped_then_gone_on", f"analysis/{analysis}")


async def test_parked_messages_are_edited_and_discarded(system: System) -> None:
    system.workers.faults[Stage.CLONE, 0, 1] = (FaultKind.PERMANENT, PARKED)
    analysis = await begin(system)
    await system.until(analysis, "failed")
    stream = f"analysis/{analysis}"
    clone = await a_letter(system, "stage.clone", stream)
    await system.client.post(f"/api/v1/dead-letters/{clone}/edit", json={"changes": {"history_depth": 3}})
    await system.until(analysis, "refined")
    link = await a_letter(system, "stage.link", stream)
    await system.client.post(f"/api/v1/dead-letters/{link}/discard")
    await keep(system, "parked_then_edited_and_discarded", stream)


async def test_a_question_fails_after_a_step(system: System) -> None:
    analysis = await begin(system)
    view = await system.until(analysis, "refined")
    talk = (await system.client.post("/api/v1/conversations", json={"repository_id": view["repository_id"]})).json()
    query, stream = "Where is it made?", f"conversation/{talk['conversation_id']}"
    await system.client.post(f"/api/v1/conversations/{talk['conversation_id']}/questions", json={"query": query})
    cause = (await system.journal.read_stream(stream))[-1]
    question = UUID(str(cause.data["question_id"]))
    told: dict[str, Any] = {"tool": "search", "asked": '{"query": "made"}', "said": "I look for it.", "found": 3}
    step = StepTaken(question_id=question, analysis_id=analysis, number=1, characters=900, **told)
    why = "The model does not answer: ask again."
    failed = QuestionFailed(question_id=question, query=query, code="model_unavailable", message=why)
    await say(system, cause, step, failed)
    await keep(system, "question_failed_after_a_step", stream)


async def test_a_bundle_is_taken_over(system: System) -> None:
    analysis = await begin(system)
    await system.until(analysis, "refined")
    await system.followed()
    bundle = (await system.client.get(f"/api/v1/analyses/{analysis}/bundle")).content
    taken = await system.client.post("/api/v1/bundles", content=bundle, headers={"content-type": "application/zip"})
    other = taken.json()["analysis_id"]
    await system.until(UUID(other), "refined")
    await keep(system, "imported", f"analysis/{other}")
