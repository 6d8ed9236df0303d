"""The index of a deleted repository goes: collections, rows, embeddings, caches; also where it was broken off."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.index import GenerationKind
from events.question import LinesRequest, SearchRequest
from events.repository import RepositoryDeleted
from rag_manager.adapters.chroma import ChromaVectors
from rag_manager.forgetting import Forgetting
from rag_manager.jobs.erase_repository import EraseRepository
from rag_manager.rows import erasing
from rag_manager.serving import ServingCache
from runtime.faults import Permanent, Transient
from runtime.tenancy import TenantDatabase
from tests.support.index import REPOSITORY, ARun, Index, an_index
from tests.support.kernel import AT

CANARY = "canary_90bb"
FILES = {f"src/{CANARY}.py": f"def {CANARY}(value):\n    return value\n", "src/b.py": "class Other:\n    ...\n"}
TABLES = ("analyses", "chunks", "files", "symbols", "generations", "pointers", "embeddings")


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        yield made


async def deleted(index: Index, repository_id: UUID = REPOSITORY) -> Envelope:
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=repository_id)
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=RepositoryDeleted())
    [envelope] = await index.kernel.journal.append(f"repository/{repository_id}", [draft])
    return envelope


async def rows(index: Index) -> dict[str, object]:
    return {table: await index.kernel.one(f"SELECT count(*) FROM rag.{table}") for table in TABLES}


async def refined(index: Index) -> None:
    analysis = await index.ready(FILES)
    await index.embed(analysis, GenerationKind.FULL)
    await index.activate(analysis, GenerationKind.FULL)


async def test_nothing_of_the_index_is_left(index: Index) -> None:
    await refined(index)
    assert all((await rows(index)).values())
    collections = {name for [name] in await index.kernel.rows("SELECT collection FROM rag.generations") if name}
    assert collections <= set(await index.backends.vectors.names())
    assert collections

    await EraseRepository(index.backends)(await deleted(index), ARun())

    assert set((await rows(index)).values()) == {0}
    assert not collections & set(await index.backends.vectors.names())
    with pytest.raises(Transient, match="not_indexed_yet"):
        await index.ask(CANARY)


class FailsOnce(ChromaVectors):
    """The vector server breaks once."""

    failed = 1  # set to 0 by the test

    async def drop(self, collection: str) -> None:
        if not self.failed:
            self.failed += 1
            raise ConnectionError("broken")
        await super().drop(collection)


async def test_a_server_that_breaks_in_the_middle_is_waited_for(
    database_url: str, redis_url: str, chroma_url: str, tmp_path: Path
) -> None:
    vectors = FailsOnce(chroma_url, timeout=5.0)
    async with an_index(database_url, redis_url, tmp_path, vectors) as index:
        await refined(index)
        vectors.failed = 0

        await EraseRepository(index.backends)(await deleted(index), ARun())

        assert vectors.failed == 1
        assert set((await rows(index)).values()) == {0}


async def test_it_goes_on_where_another_process_ended(index: Index) -> None:
    await refined(index)
    request = await deleted(index)
    job = EraseRepository(index.backends)
    async with index.backends.engine.begin() as connection:  # it had come as far as this
        await erasing.hide(connection, REPOSITORY)
        [first, *_] = await erasing.collections(connection, REPOSITORY)
    await index.backends.vectors.drop(first)

    await job(request, ARun())
    await job(request, ARun())

    assert set((await rows(index)).values()) == {0}


async def test_a_run_under_a_lease_is_waited_for(index: Index) -> None:
    analysis = await index.ready(FILES)
    async with index.backends.engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO es.leases (run_id, worker, expires_at)
            SELECT (data->>'run_id')::uuid, 'w', clock_timestamp() + interval '2 seconds' FROM es.events
            WHERE stream_id = :stream AND type = 'processing.stage.requested' LIMIT 1
            """),
            {"stream": analysis.stream},
        )
        until = (await connection.execute(text("SELECT expires_at FROM es.leases"))).scalar_one()

    await EraseRepository(index.backends)(await deleted(index), ARun())

    assert await index.kernel.one("SELECT clock_timestamp() >= :until", until=until)


async def test_caches_in_memory_and_on_disk_are_let_go_of(index: Index, tmp_path: Path) -> None:
    analysis = await index.ready(FILES)
    search, lines = index.search(), index.lines()
    cache: ServingCache = search._cache
    assert isinstance(cache.rows, TenantDatabase)
    await index.ask(CANARY)
    await search(SearchRequest(tenant_id=LOCAL_TENANT, repository_id=REPOSITORY, query=CANARY))
    wanted = LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=analysis.id, path=f"src/{CANARY}.py")
    assert CANARY in (await lines(wanted)).text
    folder = tmp_path / "cache" / "lexicon"
    forget = Forgetting(index.backends.engine, cache, lines, index.lexicon)
    await forget()
    assert [path for path in folder.iterdir() if path.is_dir()], "what is there is kept"
    assert lines.held()

    await EraseRepository(index.backends)(await deleted(index), ARun())
    await forget()

    assert list(folder.iterdir()) == []
    assert lines.held() == set()
    assert not cache._loaded
    with pytest.raises(Permanent, match="no_such_analysis"):
        await lines(wanted)
