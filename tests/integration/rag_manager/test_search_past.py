"""Searches where the history was asked for: what earlier commits say, over the tables that the projection keeps."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT
from events.question import SearchRequest
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, Index, an_index

FILES = {
    "src/walk.py": "def walk(session):\n    return list(session)\n",
    "src/sign.py": "def sign(value):\n    return value  # the session gets old after a while\n",
}
QUESTION = "The session gets lost after a while"
LOADED = (
    "INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows, code)"
    " VALUES (:tenant, :analysis, 'commits', 0, :key, 1, :code)"
)
COMMIT = (
    "INSERT INTO app.commits (tenant_id, analysis_id, number, commit, subject, message, paths)"
    " VALUES (:tenant, :analysis, 0, '0123456789abcdef', :subject, 'it was lost after a while', :paths)"
)


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as made:
        yield made


async def a_past(
    index: Index, analysis: UUID, *, tenant: UUID = LOCAL_TENANT, code: str | None = None, key: str = "k"
) -> None:
    whose = {"tenant": tenant, "analysis": analysis}
    async with index.backends.engine.begin() as connection:
        await connection.execute(text(LOADED), {**whose, "key": key, "code": code})
        await connection.execute(
            text(COMMIT), {**whose, "subject": "Keep the session where it gets lost", "paths": ["src/walk.py", "gone"]}
        )


async def test_what_was_changed_for_the_like_is_found_as_soon_as_the_history_is_there(index: Index) -> None:
    analysis = await index.ready(FILES)
    search = index.search()
    request = SearchRequest(tenant_id=LOCAL_TENANT, repository_id=REPOSITORY, query=QUESTION)

    before = await search(request)
    await a_past(index, analysis.id)
    after = await search(request)  # not the reply that was kept a moment ago

    assert before.passages[0].path == "src/sign.py"
    assert "changes" not in {step.retriever for step in before.plan}
    assert after.passages[0].path == "src/walk.py"
    assert after.passages[0].ranks["changes"] == 1
    [step] = [step for step in after.plan if step.retriever == "changes"]
    assert (step.found, step.about) == (1, "Keep the session where it gets lost (0123456789)")


async def test_a_history_that_could_not_be_read_says_nothing(index: Index) -> None:
    analysis = await index.ready(FILES)
    await a_past(index, analysis.id, code="artifact_unreadable")

    reply = await index.ask(QUESTION)

    assert reply.passages[0].path == "src/sign.py"
    assert "changes" not in {step.retriever for step in reply.plan}


async def test_the_role_of_searches_sees_the_history_of_its_own_tenant_alone(index: Index) -> None:
    own, other = uuid4(), uuid4()
    await a_past(index, own)
    await a_past(index, other, tenant=uuid4())

    async with index.backends.engine.begin() as connection:
        await connection.execute(text("SET LOCAL ROLE repostream_search"))
        await connection.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(LOCAL_TENANT)})
        seen = [await connection.scalars(text(f"SELECT analysis_id FROM app.{t}")) for t in ("commits", "loaded")]

    assert [set(rows) for rows in seen] == [{own}, {own}]
