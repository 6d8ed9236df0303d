"""The index of a deleted repository goes: collections, rows, embeddings, caches; also where it was broken off."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT, Context, Draft, Envelope
from events.index import GenerationKind
from events.looking import LinesRequest
from events.processing import AnalysisDeleted, Stage
from events.question import SearchRequest
from events.repository import RepositoryDeleted, RepositoryRegistered
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
TABLES = ("analyses", "layouts", "part_chunks", "part_files", "part_symbols", "generations", "pointers", "embeddings")


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        yield made


async def deleted(index: Index, repository_id: UUID = REPOSITORY) -> Envelope:
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=repository_id)
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=RepositoryDeleted())
    [envelope] = await index.kernel.journal.append(f"repository/{repository_id}", [draft])
    return envelope


async def deleted_analysis(index: Index, stream: str) -> Envelope:
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=REPOSITORY)
    await index.kernel.rows("UPDATE es.streams SET archived_at = now() WHERE stream_id = :s", s=stream)
    event = AnalysisDeleted(policy="a test")
    draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)
    [envelope] = await index.kernel.journal.append(stream, [draft])
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


@pytest.mark.parametrize("whole", [True, False], ids=["the repository", "the analysis"])
async def test_what_was_written_ahead_of_an_index_goes_with_what_is_deleted(index: Index, whole: bool) -> None:
    analysis = await index.analysis(FILES, number=7, shards=2)  # no other test's: they share a vector server
    await index.embed(analysis)
    written = await index.kernel.one("SELECT collection FROM rag.ahead")
    assert await index.backends.vectors.count(written) == 2

    request = await deleted(index) if whole else await deleted_analysis(index, analysis.stream)
    await EraseRepository(index.backends)(request, ARun())

    assert written not in await index.backends.vectors.names()
    assert await index.kernel.one("SELECT count(*) FROM rag.ahead") == 0


async def test_who_embeds_late_writes_nothing_ahead_of_an_analysis_that_is_gone(index: Index) -> None:
    analysis = await index.analysis(FILES, shards=2)
    late = await index.request(analysis, Stage.EMBED, analysis.chunks[:1])
    await index.handle(late)
    written = await index.kernel.one("SELECT collection FROM rag.ahead")
    await EraseRepository(index.backends)(await deleted_analysis(index, analysis.stream), ARun())

    await index.handle(late)

    assert await index.kernel.one("SELECT count(*) FROM rag.ahead") == 0
    assert written not in await index.backends.vectors.names()


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
    await index.linked(analysis.id)
    search, lines = index.search(), index.lines()
    cache: ServingCache = search._index
    assert isinstance(cache.rows, TenantDatabase)
    await index.ask(CANARY)
    await search(SearchRequest(tenant_id=LOCAL_TENANT, repository_id=REPOSITORY, query=CANARY))
    wanted = LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=analysis.id, path=f"src/{CANARY}.py")
    assert CANARY in (await lines(wanted)).text
    folder = tmp_path / "cache" / "lexicon"
    forget = Forgetting(index.backends.engine, cache, search, index.beside(cache), lines, index.lexicon)
    await forget()
    assert [path for path in folder.iterdir() if path.is_dir()], "what is there is kept"
    assert lines.held()
    assert len(search._replies)
    assert len(search.dense._embedded[False])

    await EraseRepository(index.backends)(await deleted(index), ARun())
    await forget()

    assert list(folder.iterdir()) == []
    assert lines.held() == set()
    assert not cache._loaded
    assert not len(search._replies)
    assert not len(search.dense._embedded[False])
    with pytest.raises(Permanent, match="no_such_analysis"):
        await lines(wanted)


async def test_of_a_deleted_analysis_nothing_is_left_and_the_newer_one_is_as_it_was(index: Index) -> None:
    old = await index.ready(FILES)
    await index.embed(old, GenerationKind.FULL)
    await index.activate(old, GenerationKind.FULL)
    newer = await index.ready({"src/b.py": FILES["src/b.py"]}, number=2)
    await index.embed(newer, GenerationKind.FULL)
    await index.activate(newer, GenerationKind.FULL)
    before = await embeddings_of(index)
    kept = await index.kernel.rows("SELECT * FROM rag.generations WHERE analysis_id = :id", id=newer.id)
    envelope = await deleted_analysis(index, old.stream)

    for _ in range(2):  # delivered twice, it happened once
        await EraseRepository(index.backends)(envelope, ARun())

    for table in ("chunks", "files", "symbols", "generations", "analyses", "pointers"):
        found = await index.kernel.rows(f"SELECT DISTINCT analysis_id FROM rag.{table}")
        assert found == [(newer.id,)], table
    assert await index.kernel.rows("SELECT * FROM rag.generations WHERE analysis_id = :id", id=newer.id) == kept
    after = await embeddings_of(index)
    assert set(after) < set(before)
    assert {key for key, _ in after.values()}.isdisjoint({key for key, _ in before.values()})  # known elsewhere now
    reply = await index.ask("Other")
    assert [passage.path for passage in reply.passages] == ["src/b.py"]
    again = await index.ready({"src/b.py": FILES["src/b.py"], "README.md": "# B\n"}, number=3)
    await index.embed(again, GenerationKind.FULL)
    [counts] = await index.kernel.rows(
        "SELECT data->'counts'->>'reused' FROM es.events WHERE stream_id = :s AND stage = 'refine'"
        " AND type = 'processing.stage.completed'",
        s=again.stream,
    )
    assert counts == (str(len(after)),)  # nothing that was embedded before is embedded again


async def embeddings_of(index: Index) -> dict[str, tuple[str, int]]:
    found = await index.kernel.rows("SELECT text_sha256, artifact_key, artifact_row FROM rag.embeddings")
    return {str(text): (str(key), int(str(row))) for text, key, row in found}


async def test_what_a_tenant_knows_of_vectors_goes_with_its_last_repository_though_another_tenant_has_them(
    index: Index,
) -> None:
    await refined(index)
    others, theirs = uuid4(), uuid4()
    draft = Draft(
        event_id=uuid4(),
        occurred_at=AT,
        context=Context(tenant_id=others, correlation_id=uuid4(), repository_id=theirs),
        event=RepositoryRegistered(url="https://example.org/x", host="example.org", name="x"),
    )
    await index.kernel.journal.append(f"repository/{theirs}", [draft])
    await index.kernel.rows(
        "INSERT INTO es.artifact_owners (key, repository_id) SELECT DISTINCT artifact_key, CAST(:theirs AS uuid)"
        " FROM rag.embeddings",
        theirs=theirs,
    )
    await index.kernel.rows(
        "INSERT INTO rag.embeddings (tenant_id, model, text_sha256, artifact_key, artifact_sha256, artifact_row)"
        " SELECT CAST(:others AS uuid), model, text_sha256, artifact_key, artifact_sha256, artifact_row"
        " FROM rag.embeddings",
        others=others,
    )

    await EraseRepository(index.backends)(await deleted(index), ARun())

    left = {tenant for [tenant] in await index.kernel.rows("SELECT DISTINCT tenant_id FROM rag.embeddings")}
    assert left == {others}
