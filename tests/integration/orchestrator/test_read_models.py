"""Read models can be thrown away: built again from events and artifacts, they are the same rows."""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events import processing as facts
from events.artifacts import ArtifactKind, ArtifactRef, EdgeRow, OutcomeRow, SymbolRow, TreeRow
from events.base import LOCAL_TENANT, Context, Draft, Envelope, Event
from events.conversation import ConversationStarted
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.processing import Stage, StageCompleted, StageRequested
from events.question import AnswerRated, QuestionAsked
from events.repository import RepositoryRegistered
from orchestrator.adapters.contents import Contents as Files
from orchestrator.adapters.contents import FileQuery
from orchestrator.adapters.readmodels import ReadModels
from orchestrator.api.pages import AnalysisPage, RepositoryPage
from orchestrator.api.paging import Page
from orchestrator.projections.beside import rebuild_beside
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import Step, advance, catch_up, place_of
from runtime.database import create_engine
from runtime.objects import Objects, open_objects
from runtime.settings import DatabaseSettings
from runtime.tenancy import TenantDatabase
from tests.support.analyses import NOON
from tests.support.orchestrator import Workers, put_rows

logger = logging.getLogger(__name__)
TABLES = (
    "repositories",
    "analyses",
    "conversations",
    "questions",
    "files",
    "outcomes",
    "symbols",
    "edges",
    "dependencies",
    "loaded",
)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield engine
    await engine.dispose()


@pytest.fixture
def objects(home: Path) -> Objects:
    return open_objects("", home).of(LOCAL_TENANT, None)


async def tell(engine: AsyncEngine, stream_id: str, *events: Event, repository: UUID | None = None) -> None:
    """Append to a stream and give the events their place in the feed."""
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4(), repository_id=repository)
    drafts = [Draft(event_id=uuid4(), occurred_at=NOON, context=context, event=event) for event in events]
    await PostgresJournal(engine).append(stream_id, drafts)
    await sequence(engine)


async def rows(engine: AsyncEngine) -> dict[str, list[Any]]:
    async with engine.connect() as connection:
        return {
            table: sorted(map(repr, await connection.execute(text(f"SELECT * FROM app.{table}")))) for table in TABLES
        }


async def rows_of(engine: AsyncEngine, table: str, analysis_id: UUID) -> list[Any]:
    query = text(f"SELECT to_jsonb(t) - 'analysis_id' AS row FROM app.{table} t WHERE analysis_id = :id ORDER BY 1")
    async with engine.connect() as connection:
        return list((await connection.execute(query, {"id": analysis_id})).scalars())


def completed(analysis_id: UUID, stage: Stage, shard: int, artifacts: tuple[ArtifactRef, ...]) -> tuple[Event, Event]:
    run_id = uuid4()
    asked = StageRequested(analysis_id=analysis_id, run_id=run_id, stage=stage, shard=shard, shards=2, url="u")
    done = StageCompleted(
        run_id=run_id, stage=stage, shard=shard, shards=2, attempt=1, duration=1, files_processed=1, artifacts=artifacts
    )
    return asked, done


async def a_history(engine: AsyncEngine, objects: Objects) -> UUID:
    workers, repository, analysis_id = Workers(engine, objects), uuid4(), uuid4()
    registered = RepositoryRegistered(url="https://github.com/a/b", host="github.com", name="a/b")
    await tell(engine, f"repository/{repository}", registered, repository=repository)
    stream = f"analysis/{analysis_id}"
    asked = facts.ProcessingRequested(analysis_id=analysis_id, url="https://github.com/a/b")
    await tell(engine, stream, asked, repository=repository)
    await tell(engine, stream, *completed(analysis_id, Stage.CLONE, 0, await workers.clone()), repository=repository)
    needed = completed(analysis_id, Stage.METADATA, 0, (await workers.dependencies(),))
    await tell(engine, stream, *needed, repository=repository)
    for shard in range(2):
        parsed = completed(analysis_id, Stage.PARSE, shard, await workers.parse(shard))
        await tell(engine, stream, *parsed, repository=repository)
    conversation, question = f"conversation/{uuid4()}", uuid4()
    await tell(engine, conversation, ConversationStarted(repository_id=repository, title="a/b"), repository=repository)
    await tell(engine, conversation, QuestionAsked(question_id=question, repository_id=repository, query="Why?"))
    await tell(engine, conversation, AnswerRated(question_id=question, rating=1))
    return analysis_id


async def stored(engine: AsyncEngine) -> dict[str, int]:
    """How many rows of the shared kinds there are, whoever has them."""
    async with engine.connect() as connection:
        return {
            table: (await connection.execute(text(f"SELECT count(*) FROM app.part_{table}"))).scalar_one()
            for table in ("symbols", "edges")
        }


async def of_analysis(engine: AsyncEngine, analysis_id: UUID) -> dict[str, list[Any]]:
    tables = ("files", "outcomes", "symbols", "edges", "dependencies", "loaded")
    return {table: await rows_of(engine, table, analysis_id) for table in tables}


async def delete(engine: AsyncEngine, analysis_id: UUID) -> None:
    await tell(engine, f"analysis/{analysis_id}", facts.AnalysisDeleted())


async def test_rows_of_an_artifact_are_there_once_for_all_analyses_that_have_it(
    engine: AsyncEngine, objects: Objects, home: Path
) -> None:
    journal = PostgresJournal(engine)
    first = await a_history(engine, objects)
    await catch_up(engine, journal, Contents(objects, engine))
    alone = await stored(engine)
    second = await a_history(engine, objects)
    shutil.rmtree(home / "objects" / str(LOCAL_TENANT) / "symbols")  # nothing is read that is there
    await catch_up(engine, journal, Contents(objects, engine))
    both, found = await stored(engine), await of_analysis(engine, first)

    assert alone == both == {"symbols": 6, "edges": 3}
    assert await of_analysis(engine, second) == found
    assert all(found.values())

    await delete(engine, first)
    await catch_up(engine, journal, Contents(objects, engine))
    assert await of_analysis(engine, second) == found
    assert not any((await of_analysis(engine, first)).values())
    await delete(engine, second)
    await catch_up(engine, journal, Contents(objects, engine))
    assert await stored(engine) == {"symbols": 0, "edges": 0}


async def test_a_shard_that_comes_again_changes_nothing_for_others_that_had_the_same(
    engine: AsyncEngine, objects: Objects
) -> None:
    journal = PostgresJournal(engine)
    first, second = await a_history(engine, objects), await a_history(engine, objects)
    await catch_up(engine, journal, Contents(objects, engine))
    before, stays = await of_analysis(engine, first), await of_analysis(engine, second)
    one = [EdgeRow(path="again.py", kind="call", source=None, target="t", line=1)]
    again = await put_rows(objects, ArtifactKind.EDGES, EdgeRow, list(one), 0)
    for analysis_id in (first, second):
        await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 0, (again,)))
        await catch_up(engine, journal, Contents(objects, engine))
        assert [row["path"] for row in await rows_of(engine, "edges", analysis_id) if row["shard"] == 0] == ["again.py"]
        if analysis_id == first:
            assert await of_analysis(engine, second) == stays

    assert await of_analysis(engine, first) == await of_analysis(engine, second) != before
    assert (await stored(engine))["edges"] == len(await rows_of(engine, "edges", first))


async def test_rebuilding_beside_puts_right_what_differs_and_nothing_else(
    engine: AsyncEngine, objects: Objects
) -> None:
    analysis_id, other = await a_history(engine, objects), await a_history(engine, objects)
    journal, projections = PostgresJournal(engine), (Overview(), Contents(objects))
    for projection in projections:
        await catch_up(engine, journal, projection)
    before = await rows(engine)
    values = {"id": analysis_id}
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM app.part_symbols WHERE ordinal = 0 AND path LIKE 'app/%'"))
        await connection.execute(text("UPDATE app.analyses SET state = 'wrong' WHERE analysis_id = :id"), values)
        columns = "tenant_id, path, outcome, reason, symbols, chunks, errors"
        stranger = f"INSERT INTO app.outcomes (analysis_id, {columns}) SELECT gen_random_uuid(), {columns}"
        await connection.execute(text(f"{stranger} FROM app.outcomes WHERE analysis_id = :id LIMIT 1"), values)
    damaged, kept = await rows(engine), await places(engine, "outcomes", other)
    assert damaged != before

    looked = [await rebuild_beside(engine, journal, projection, replace=False) for projection in projections]
    assert await rows(engine) == damaged
    found = {table.table: table for each in looked for table in each.tables if table.differing}
    assert set(found) == {"analyses", "outcomes", "part_symbols"}
    assert found["analyses"].differing == (str(analysis_id),)
    assert found["part_symbols"].rebuilt == 6 > found["part_symbols"].rows
    assert found["part_symbols"].checksum != found["part_symbols"].rebuilt_checksum

    rebuilt = [await rebuild_beside(engine, journal, projection) for projection in projections]
    assert [(each.projection, each.seq, each.agrees) for each in rebuilt] == [
        (each.projection, each.seq, False) for each in looked
    ]
    assert await rows(engine) == before
    assert await places(engine, "outcomes", other) == kept  # nobody touched those
    assert all([(await rebuild_beside(engine, journal, each)).agrees for each in projections])


async def places(engine: AsyncEngine, table: str, analysis_id: UUID) -> list[str]:
    """Where the rows of an analysis lie: others once they were written anew."""
    query = text(f"SELECT ctid::text FROM app.{table} WHERE analysis_id = :id ORDER BY ctid")
    async with engine.connect() as connection:
        return list((await connection.execute(query, {"id": analysis_id})).scalars())


async def test_readers_see_all_old_rows_until_they_see_all_new_ones(engine: AsyncEngine, objects: Objects) -> None:
    await a_history(engine, objects)
    journal, contents = PostgresJournal(engine), Contents(objects, engine)
    await catch_up(engine, journal, contents)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE app.part_symbols SET name = 'wrong'"))
    seen, over = set[tuple[int, int]](), asyncio.Event()

    async def read() -> None:
        count = text("SELECT count(*), count(*) FILTER (WHERE name = 'wrong') FROM app.symbols")
        while not over.is_set():
            async with engine.connect() as connection:
                seen.add(tuple((await connection.execute(count)).one()))
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    assert not (await rebuild_beside(engine, journal, contents)).agrees
    await asyncio.sleep(0.05)
    over.set()
    await reading
    assert seen == {(6, 6), (6, 0)}


async def test_what_happens_meanwhile_is_in_both(engine: AsyncEngine, objects: Objects) -> None:
    await a_history(engine, objects)
    journal, contents = PostgresJournal(engine), Contents(objects, engine)
    await catch_up(engine, journal, contents)
    slow, happened = Contents(objects, engine), asyncio.Event()
    prepare = Contents.prepare

    async def prepare_slowly(self: Contents, envelopes: Sequence[Envelope]) -> Step:
        if not happened.is_set():
            happened.set()
            await a_history(engine, objects)
            await catch_up(engine, journal, Contents(objects, engine))
        return await prepare(self, envelopes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contents, "prepare", prepare_slowly)
        rebuilt = await rebuild_beside(engine, journal, slow)

    assert happened.is_set()
    assert rebuilt.agrees
    assert {table.table: table.rebuilt for table in rebuilt.tables}["outcomes"] == 6
    assert rebuilt.seq == await place_of(engine, contents)


async def test_a_newer_version_of_a_projection_removes_the_rows_of_the_older_one_and_builds_them_again(
    engine: AsyncEngine, objects: Objects
) -> None:
    await a_history(engine, objects)
    journal, older, newer = PostgresJournal(engine), Contents(objects), Contents(objects)
    older.version, newer.version = 7, 8
    await catch_up(engine, journal, older)
    before = await rows(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE app.outcomes SET errors = 99"))

    await catch_up(engine, journal, newer)
    assert await rows(engine) == before


async def test_files_are_listed_by_the_reason_that_is_said_of_them(engine: AsyncEngine, objects: Objects) -> None:
    analysis_id = uuid4()
    tree = [TreeRow(path=path, blob_id="b", mode="100644", size=1) for path in ("a.py", "b.py", "c.md", "d.c", "e.py")]
    tree.append(TreeRow(path="z.png", blob_id="b", mode="100644", size=1, skipped="binary"))
    outcomes = [
        OutcomeRow(path="a.py", outcome="parsed"),
        OutcomeRow(path="b.py", outcome="parsed", errors=2),
        OutcomeRow(path="c.md", outcome="lines", reason="no_grammar"),
        OutcomeRow(path="d.c", outcome="failed", reason="parser_timeout"),
        OutcomeRow(path="e.py", outcome="lines", reason="syntax_errors", errors=40),
    ]
    refs = (
        await put_rows(objects, ArtifactKind.TREE, TreeRow, list(tree), 0),
        await put_rows(objects, ArtifactKind.OUTCOMES, OutcomeRow, list(outcomes), 0),
    )
    await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 0, refs))
    await catch_up(engine, PostgresJournal(engine), Contents(objects))

    async def paths(query: FileQuery) -> list[tuple[str, int]]:
        page = await Files(TenantDatabase(engine)).files(LOCAL_TENANT, analysis_id, query, Page(limit=10))
        assert page.total == len(page.items)
        return [(file.path, file.errors) for file in page.items]

    assert await paths(FileQuery(reason="syntax_errors")) == [("b.py", 2), ("e.py", 40)]
    assert await paths(FileQuery(reason="no_grammar")) == [("c.md", 0)]
    assert await paths(FileQuery(reason="parser_timeout")) == [("d.c", 0)]
    assert await paths(FileQuery(left_out=True)) == [("d.c", 0), ("z.png", 0)]
    assert await paths(FileQuery(left_out=True, reason="binary")) == [("z.png", 0)]


async def test_what_could_not_be_loaded_is_seen_in_the_lists_too(engine: AsyncEngine, objects: Objects) -> None:
    analysis_id = await a_history(engine, objects)
    gone = ArtifactRef(kind=ArtifactKind.EDGES, key="edges/gone.parquet", sha256="0" * 64, rows=1, bytes=1)
    await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 2, (gone,)))
    for projection in (Overview(), Contents(objects)):
        await catch_up(engine, PostgresJournal(engine), projection)
    read = ReadModels(TenantDatabase(engine))

    [view] = AnalysisPage.model_validate_json(await read.analyses(LOCAL_TENANT, Page())).items
    [repository] = RepositoryPage.model_validate_json(await read.repositories(LOCAL_TENANT, Page())).items

    for name, known in (("A/b", [repository]), ("https://GitHub.com/a", [repository]), ("hono", [])):
        found = await read.repositories(LOCAL_TENANT, Page(), name=name)
        assert RepositoryPage.model_validate_json(found).items == known
    assert repository.latest == view
    assert view.damaged == await read.damaged(LOCAL_TENANT, analysis_id)
    assert view.damaged == ["edges 2: The artifact edges/gone.parquet is not in the object store."]


async def test_two_processes_on_one_projection_write_each_row_once(engine: AsyncEngine, objects: Objects) -> None:
    await a_history(engine, objects)
    journal = PostgresJournal(engine)
    await asyncio.gather(*(catch_up(engine, journal, Contents(objects)) for _ in range(4)))

    assert {name: len(found) for name, found in (await rows(engine)).items() if found} == {
        "files": 4,
        "outcomes": 3,
        "symbols": 6,
        "edges": 3,
        "dependencies": 3,
        "loaded": 8,
    }


async def test_an_artifact_that_cannot_be_read_is_marked_and_the_rest_goes_on(
    engine: AsyncEngine, objects: Objects
) -> None:
    analysis_id, stream = uuid4(), f"analysis/{uuid4()}"
    stream = f"analysis/{analysis_id}"
    stored = await objects.put("symbols", ".parquet", b"this is no Parquet")
    junk = ArtifactRef(kind=ArtifactKind.SYMBOLS, key=stored.key, sha256=stored.sha256, rows=1, bytes=stored.bytes)
    gone = ArtifactRef(kind=ArtifactKind.EDGES, key="edges/gone.parquet", sha256="0" * 64, rows=1, bytes=1)
    other_shape = await put_rows(objects, ArtifactKind.OUTCOMES, EdgeRow, [], 0)
    good = await Workers(engine, objects).parse(1)
    await tell(engine, stream, *completed(analysis_id, Stage.PARSE, 0, (junk, gone, other_shape)))
    await tell(engine, stream, *completed(analysis_id, Stage.PARSE, 1, good))
    await catch_up(engine, PostgresJournal(engine), Contents(objects))

    async with engine.connect() as connection:
        marks = {
            (row.kind, row.shard): row.code
            for row in await connection.execute(text("SELECT kind, shard, code FROM app.loaded"))
        }
    assert marks == {
        ("symbols", 0): "artifact_unreadable",
        ("edges", 0): "artifact_missing",
        ("outcomes", 0): "artifact_unreadable",
        ("symbols", 1): None,
        ("edges", 1): None,
        ("outcomes", 1): None,
    }
    assert len((await rows(engine))["symbols"]) == 2


async def test_what_was_marked_is_loaded_once_it_comes_again_and_can_be_read(
    engine: AsyncEngine, objects: Objects, home: Path
) -> None:
    analysis_id, good = uuid4(), await Workers(engine, objects).parse(1)
    away = (home / "objects" / str(LOCAL_TENANT)).rename(home / "away")
    await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 0, good))
    await catch_up(engine, PostgresJournal(engine), Contents(objects, engine))
    marks = {row["code"] for row in (await of_analysis(engine, analysis_id))["loaded"]}
    away.rename(home / "objects" / str(LOCAL_TENANT))
    await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 0, good))
    await catch_up(engine, PostgresJournal(engine), Contents(objects, engine))
    there = await of_analysis(engine, analysis_id)
    assert (marks, {row["code"] for row in there["loaded"]}, len(there["symbols"])) == ({"artifact_missing"}, {None}, 2)


async def test_rows_that_the_database_refuses_are_marked_and_the_transaction_goes_on(
    engine: AsyncEngine, objects: Objects
) -> None:
    analysis_id = uuid4()
    bad = await put_rows(
        objects, ArtifactKind.EDGES, EdgeRow, [EdgeRow(path="a\x00b", kind="call", source=None, target="t", line=1)], 0
    )
    await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 0, (bad,)))
    await catch_up(engine, PostgresJournal(engine), Contents(objects))

    async with engine.connect() as connection:
        [row] = await connection.execute(text("SELECT code, rows FROM app.loaded"))
    assert (row.code, row.rows) == ("artifact_refused", 0)


async def test_an_event_of_an_unknown_version_does_not_stop_the_feed(engine: AsyncEngine, objects: Objects) -> None:
    analysis_id = await a_history(engine, objects)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE es.events SET schema_version = 99 WHERE type = 'processing.stage.requested'")
        )
    await catch_up(engine, PostgresJournal(engine), Overview())

    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT analysis_id FROM app.analyses"))).scalars().all()
    assert found == [analysis_id]


async def test_an_overview_that_was_overtaken_or_rolled_back_goes_on_from_what_is_stored(
    engine: AsyncEngine, objects: Objects
) -> None:
    """What one process folded before is used only where its row is as it was left."""
    journal, one, other = PostgresJournal(engine), Overview(), Overview()
    first = await a_history(engine, objects)
    await catch_up(engine, journal, one)
    for stage in (Stage.STRUCTURE, Stage.INDEX):
        await tell(engine, f"analysis/{first}", *completed(first, stage, 0, ()))
        if stage is Stage.STRUCTURE:
            step = await one.prepare(await journal.read_feed(after=await place_of(engine, one), limit=500))
            async with engine.connect() as connection:
                await step.write(connection)
                await connection.rollback()
        else:
            await catch_up(engine, journal, other)
        await tell(engine, f"analysis/{first}", *completed(first, Stage.PARSE, 0, ()))
        await catch_up(engine, journal, one)

    rebuilt = await rebuild_beside(engine, journal, one)
    assert rebuilt.agrees
    assert rebuilt.events > 10


async def test_what_was_rebuilt_under_an_analysis_at_work_stays_so(engine: AsyncEngine, objects: Objects) -> None:
    journal, one = PostgresJournal(engine), Overview()
    first = await a_history(engine, objects)
    await catch_up(engine, journal, Overview())
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE app.analyses SET record = jsonb_set(record, '{view,url}', '\"wrong\"')"))
    await tell(engine, f"analysis/{first}", *completed(first, Stage.STRUCTURE, 0, ()))
    await catch_up(engine, journal, one)  # which keeps in mind what it read
    assert not (await rebuild_beside(engine, journal, one)).agrees

    await tell(engine, f"analysis/{first}", *completed(first, Stage.PARSE, 0, ()))
    await catch_up(engine, journal, one)

    assert (await rebuild_beside(engine, journal, one, replace=False)).agrees


async def test_a_django_sized_shard_is_overtaken_by_small_events(engine: AsyncEngine, objects: Objects) -> None:
    """45,000 symbols and 200,000 edges in one event; small events have another cursor and do not wait for it."""
    fixed = {"language": "python", "kind": "method", "parent": "C", "docstring": "What it does."}
    symbols = [
        SymbolRow(
            path=f"django/{n % 2_800}.py",
            name=f"name_{n}",
            qualified_name=f"C.name_{n}",
            signature=f"def name_{n}(self, value)",
            first_line=n,
            last_line=n + 5,
            first_byte=n,
            last_byte=n + 90,
            **fixed,
        )
        for n in range(45_000)
    ]
    edges = [
        EdgeRow(path=f"django/{n % 2_800}.py", kind="call", source="C.f", target=f"g_{n % 9_000}", line=n)
        for n in range(200_000)
    ]
    analysis_id = uuid4()
    refs = (
        await put_rows(objects, ArtifactKind.SYMBOLS, SymbolRow, list(symbols), 0),
        await put_rows(objects, ArtifactKind.EDGES, EdgeRow, list(edges), 0),
    )
    await tell(engine, f"analysis/{analysis_id}", *completed(analysis_id, Stage.PARSE, 0, refs))
    began = time.perf_counter()
    loading = asyncio.create_task(catch_up(engine, PostgresJournal(engine), Contents(objects)))
    await asyncio.sleep(0.05)
    assert await advance(engine, PostgresJournal(engine), Overview(), await place_of(engine, Overview())) > 0
    overview_seconds = time.perf_counter() - began
    overtook = not loading.done()
    await loading
    seconds = time.perf_counter() - began  # a figure for the log, not for a test
    logger.info("45,000 symbols and 200,000 edges: %.1f s; small events meanwhile: %.2f s", seconds, overview_seconds)

    assert overtook
