"""One artifact that the object store cannot read is marked after a while, and nothing waits behind it any longer."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import ArtifactKind, ArtifactRef, EdgeRow
from events.base import LOCAL_TENANT
from events.log.postgres import PostgresJournal
from events.log.sequencer import sequence
from events.processing import Stage, StageCompleted
from orchestrator.projections.contents import Contents
from orchestrator.projections.runner import catch_up
from runtime.database import create_engine
from runtime.faults import Transient
from runtime.objects import open_objects
from runtime.parquet import write_rows
from runtime.settings import DatabaseSettings
from tests.support.kernel import a_draft
from tests.support.orchestrator import put_rows


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
    yield engine
    await engine.dispose()


async def _tell(engine: AsyncEngine, analysis_id: UUID, ref: ArtifactRef) -> None:
    parsed = StageCompleted(
        run_id=uuid4(), stage=Stage.PARSE, shard=0, shards=1, attempt=1, duration=1, files_processed=1, artifacts=(ref,)
    )
    await PostgresJournal(engine).append(f"analysis/{analysis_id}", [a_draft(parsed)])
    await sequence(engine)


async def _codes(engine: AsyncEngine) -> dict[UUID, str | None]:
    async with engine.connect() as connection:
        return {row.analysis_id: row.code for row in await connection.execute(text("SELECT * FROM app.loaded"))}


async def test_an_artifact_that_alone_cannot_be_read_is_marked_and_a_retry_loads_it(
    engine: AsyncEngine, home: Path
) -> None:
    objects, journal, now = open_objects("", home).of(LOCAL_TENANT, None), PostgresJournal(engine), [0.0]
    paths, ids = ("a.py", "b.py", "c.py"), [uuid4() for _ in range(3)]
    rows = [[EdgeRow(path=path, kind="call", source=None, target="t", line=1)] for path in paths]
    refs = [await put_rows(objects, ArtifactKind.EDGES, EdgeRow, [*each], 0) for each in rows]
    contents = Contents(objects, engine, lambda: now[0])
    blob = home / "objects" / refs[1].key
    kept = blob.read_bytes()
    blob.unlink()
    blob.symlink_to(blob)  # of which the disk gives nothing
    for analysis_id, ref in zip(ids, refs, strict=True):
        await _tell(engine, analysis_id, ref)
    for now[0] in (0.0, 599.0):
        with pytest.raises(Transient, match="store_unavailable"):
            await catch_up(engine, journal, contents)
    assert await _codes(engine) == {ids[0]: None}

    now[0] = 600.0
    await catch_up(engine, journal, contents)
    assert await _codes(engine) == {ids[0]: None, ids[1]: "artifact_unreadable", ids[2]: None}
    blob.unlink()
    blob.write_bytes(kept)
    await _tell(engine, ids[1], refs[1])
    await catch_up(engine, journal, contents)
    assert set((await _codes(engine)).values()) == {None}


async def test_an_artifact_that_is_damaged_under_its_own_hash_is_marked_at_once_and_holds_nothing_up(
    engine: AsyncEngine, home: Path
) -> None:
    objects, ids = open_objects("", home).of(LOCAL_TENANT, None), [uuid4(), uuid4()]
    whole = write_rows(EdgeRow, [EdgeRow(path="a.py", kind="call", source=None, target="t", line=1)])
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")  # where its description begins
    for analysis_id, content in zip(ids, (whole[:end] + b"\xff" * 20 + whole[end + 20 :], whole), strict=True):
        stored = await objects.put(ArtifactKind.EDGES.value, ".parquet", content)
        ref = ArtifactRef(kind=ArtifactKind.EDGES, rows=1, shard=0, **vars(stored))
        await _tell(engine, analysis_id, ref)

    try:
        await catch_up(engine, PostgresJournal(engine), Contents(objects, engine))
    finally:
        shutil.rmtree(home / "objects")  # whatever looks through the folder afterwards reads tables

    assert await _codes(engine) == {ids[0]: "artifact_unreadable", ids[1]: None}
