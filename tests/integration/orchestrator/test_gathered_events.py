"""Events that come close together are projected together, to the same rows; those of no concern move a place alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import LOCAL_TENANT, Event
from events.conversation import ConversationDeleted, ConversationStarted
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.question import AnswerRated, QuestionAsked, QuestionFailed
from events.repository import RepositoryDeleted
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import advance, catch_up, place_of
from orchestrator.projections.versions import Superseded
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.settings import DatabaseSettings
from tests.support.kernel import a_draft


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield engine
    await engine.dispose()


async def tell(engine: AsyncEngine, stream_id: str, *events: Event) -> None:
    """Append to a stream and give the events their place in the feed."""
    await PostgresJournal(engine).append(stream_id, [a_draft(event) for event in events])
    await sequence(engine)


async def test_questions_that_are_written_together_are_as_those_written_one_by_one(engine: AsyncEngine) -> None:
    journal, one_by_one = PostgresJournal(engine), Overview()
    one_by_one.batch = 1
    kept, deleted, first, second, gone = (uuid4() for _ in range(5))
    for conversation, questions in ((kept, (first, second)), (deleted, (gone,))):
        stream = f"conversation/{conversation}"
        await tell(engine, stream, ConversationStarted(repository_id=LOCAL_TENANT, title="a/b"))
        for question in questions:
            await tell(engine, stream, QuestionAsked(question_id=question, repository_id=LOCAL_TENANT, query="Why?"))
            await tell(engine, stream, QuestionFailed(question_id=question, query="Why?", code="x", message="y"))
            await tell(engine, stream, AnswerRated(question_id=question, rating=-1))
    await tell(engine, f"conversation/{deleted}", ConversationDeleted())
    await tell(engine, f"conversation/{deleted}", AnswerRated(question_id=gone, rating=1))
    await catch_up(engine, journal, one_by_one)

    rebuilt = await rebuild_beside(engine, journal, Overview(), replace=False)

    assert rebuilt.agrees
    assert {table.table: table.rebuilt for table in rebuilt.tables}["questions"] == 2


async def test_what_is_deleted_takes_nobody_elses_question_out_of_its_batch(engine: AsyncEngine) -> None:
    asked, gone, repositories = (uuid4(), uuid4()), uuid4(), (uuid4(), uuid4(), uuid4())
    streams = [f"conversation/{uuid4()}" for _ in repositories]
    for stream, question, repository in zip(streams, (*asked, gone), repositories, strict=True):
        await tell(engine, stream, ConversationStarted(repository_id=repository, title="a/b"))
        await tell(engine, stream, QuestionAsked(question_id=question, repository_id=repository, query="Why?"))
    await tell(engine, f"conversation/{uuid4()}", ConversationDeleted())
    await tell(engine, streams[0], QuestionFailed(question_id=asked[0], query="Why?", code="x", message="y"))
    await tell(engine, f"repository/{repositories[2]}", RepositoryDeleted())
    await tell(engine, streams[1], QuestionFailed(question_id=asked[1], query="Why?", code="x", message="y"))
    await tell(engine, streams[2], QuestionFailed(question_id=gone, query="Why?", code="x", message="y"))
    await catch_up(engine, PostgresJournal(engine), Overview())

    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT question_id, state FROM app.questions"))
        assert {row.question_id: row.state for row in found} == dict.fromkeys(asked, "failed")


async def test_what_is_not_a_projections_business_moves_it_from_where_it_stands_alone(
    engine: AsyncEngine, home: Path
) -> None:
    journal, objects = PostgresJournal(engine), open_objects("", home)
    older, newer = Contents(objects), Contents(objects)
    older.version, newer.version = 7, 8
    await tell(engine, f"conversation/{uuid4()}", ConversationStarted(repository_id=LOCAL_TENANT, title="a/b"))
    for _ in range(2):
        assert await advance(engine, journal, older, await place_of(engine, older)) == 1
    await tell(engine, f"conversation/{uuid4()}", ConversationStarted(repository_id=LOCAL_TENANT, title="a/b"))
    assert await advance(engine, journal, older, 0) == 1  # where another process had moved it
    await catch_up(engine, journal, newer)

    assert await place_of(engine, newer) == 2
    with pytest.raises(Superseded):
        await advance(engine, journal, older, 1)
    assert await place_of(engine, newer) == 2
