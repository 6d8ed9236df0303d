"""A recorded question is answered again in a sandbox: no provider is called, and what comes of it is sealed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from ai_engine.adapters.openai import OpenAIModel
from ai_engine.answering_again import AnswerAgain
from ai_engine.stages.plan_steps import Budget
from ai_engine.subscribers import Deadlines
from events.base import LOCAL_TENANT
from events.conversation import ConversationDeleted
from events.log.postgres import PostgresJournal
from events.question import QuestionAsked
from events.replay.sandbox import ANSWER, ShadowWorker
from orchestrator.adapters.erasure_of_parts import ErasureOfParts
from orchestrator.adapters.shadow_answers import answered_again, requests_to_answer
from orchestrator.api.models import QuestionView
from orchestrator.projections.conversations import apply
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.sealing import fresh_key
from runtime.settings import DatabaseSettings
from runtime.tenancy import DatabaseRole
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import FILES, MODEL, Desk
from tests.support.delivery import a_kernel
from tests.support.index import ARun
from tests.support.kernel import AT, a_draft
from tests.support.model_stand_in import WORDS, model_stand_in
from tests.support.untouched import live


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    async with a_kernel(database_url, redis_url) as kernel:
        yield Desk(kernel)


async def test_no_provider_is_called_and_nobody_reads_it_in_a_table(
    desk: Desk, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    retriever, shadow = FakeRetriever(FILES), uuid4()
    async with model_stand_in("openai") as server:
        model = OpenAIModel(model="m", key=lambda: "test-key", base_url=server.url)
        await desk.ask()
        worker = await desk.work(retriever, {MODEL: model})
        await desk.end()
        await worker.stop()
        [view] = await _views(desk)
        assert view.answer == "".join(WORDS)
        [request] = requests_to_answer([view], retriever.analysis_id, LOCAL_TENANT, shadow, AT)
        assert await _asked(desk, shadow, request.model_dump_json()) == 1
        calls, before = len(server.requests), await live(database_url, redis_url, tmp_path)
        settings = DatabaseSettings(url=SecretStr(database_url))
        engine = create_engine(settings, application="test", role=DatabaseRole.AI_ENGINE)
        again = AnswerAgain(
            PostgresJournal(engine), retriever, desk.facts, configured=True, deadlines=Deadlines(9, 9), budget=Budget()
        )
        assert await ShadowWorker(engine, None, {ANSWER: lambda _objects: again}, "test").do_next()
        await engine.dispose()

        assert (calls, len(server.requests)) == (1, 1)
        await model.close()
    assert await live(database_url, redis_url, tmp_path) == before
    async with desk.kernel.engine.connect() as connection:
        [told] = await answered_again(connection, shadow)
        rows = await connection.scalar(text("SELECT string_agg(r::text, ' ') FROM sandbox.runs r"))
    assert told.answered is not None
    assert (told.question_id, told.code) == (desk.question_id, None)
    assert (told.answered.answer, told.answered.provider) == (view.answer, "openai")
    assert told.answered.citations == tuple(view.citations)
    assert WORDS[0].strip() not in str(rows)
    assert "Where are routes kept?" not in str(rows)

    deleted = a_draft(ConversationDeleted())
    [envelope] = await desk.kernel.journal.append(desk.stream_id, [deleted])
    archived = text("UPDATE es.streams SET archived_at = now() WHERE stream_id = :stream")
    async with desk.kernel.engine.begin() as connection:
        await connection.execute(archived, {"stream": desk.stream_id})
    erasure = ErasureOfParts(desk.kernel.engine, desk.kernel.redis, open_objects("", tmp_path))
    await erasure.conversation(envelope, ARun())
    async with desk.kernel.engine.connect() as connection:
        assert await answered_again(connection, shadow) == []


async def _views(desk: Desk) -> list[QuestionView]:
    questions: dict[object, QuestionView] = {}
    for envelope in await desk.kernel.journal.read_stream(desk.stream_id):
        told = apply(questions, envelope)  # type: ignore[arg-type]  # keyed by UUID
        if told is not None:
            questions[told.question_id] = told
    return list(questions.values())


async def _asked(desk: Desk, shadow: object, request: str) -> int:
    assert json.loads(request)["event_type"] == QuestionAsked.event_type
    async with desk.kernel.engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO sandbox.shadows (shadow_id, tenant_id, repository_id, analysis_id, stage, asked_by)
            VALUES (:id, :tenant, :id, :id, 'answer', :id)
            """),
            {"id": shadow, "tenant": LOCAL_TENANT},
        )
        made = await connection.execute(
            text("""
            INSERT INTO sandbox.runs (shadow_id, shard, tenant_id, stage, request)
            VALUES (:id, 0, :tenant, 'answer', CAST(:request AS jsonb))
            """),
            {"id": shadow, "tenant": LOCAL_TENANT, "request": request},
        )
        return made.rowcount
