"""One artifact on its way into its table: decoded, or found there already; and how it is written down."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactRef
from orchestrator.projections.content_tables import (
    SHARED,
    TABLES,
    Moved,
    Part,
    copy_into,
    let_go,
    loaded_before,
    make_room,
    new_part,
    remove,
)
from runtime.parquet import batches_in, shape_of

_log = structlog.get_logger(__name__)

_LOADED = text("""
INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows, code, message, part_id, part_shard)
VALUES (:tenant_id, :analysis_id, :kind, :shard, :key, :rows, :code, :message, :part_id, :part_shard)
ON CONFLICT DO NOTHING RETURNING shard
""")
_BEFORE = text("""
SELECT key, part_id, part_shard, rows, code FROM app.loaded
WHERE analysis_id = :analysis_id AND kind = :kind AND shard = :shard
""")
_AGAIN = text("""
UPDATE app.loaded
SET key = :key, rows = :rows, code = :code, message = :message, part_id = :part_id, part_shard = :part_shard
WHERE analysis_id = :analysis_id AND kind = :kind AND shard = :shard
""")
_FAILED = text("""
UPDATE app.loaded SET code = :code, message = :message, rows = 0, part_id = NULL, part_shard = NULL
WHERE analysis_id = :analysis_id AND kind = :kind AND shard = :shard
""")
_BLOCK = 2_000  # rows that are unpacked at a time


@dataclass(frozen=True)
class Source:
    """An artifact that goes into a table: whose it is, and of which analysis and shard."""

    tenant_id: UUID
    analysis_id: UUID
    shard: int
    ref: ArtifactRef


@dataclass(frozen=True)
class Load:
    """One artifact's rows, decoded, or who has the `same`; or the reason why there are none."""

    source: Source
    rows: "Rows | tuple[()]" = ()
    same: Part | None = None
    code: str | None = None
    message: str | None = None

    @property
    def count(self) -> int:
        """How many rows the artifact has."""
        return self.same.rows if self.same is not None else len(self.rows)


class Rows:
    """The rows of a table as PostgreSQL takes them, unpacked a block at a time: a graph can have millions."""

    def __init__(self, content: bytes, source: Source, columns: Sequence[str], count: int) -> None:
        """Of the artifact's bytes, with those columns of its table that it has."""
        self._content = content
        self._source = source
        self._columns = columns
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        source, table = self._source, TABLES[self._source.ref.kind]
        part = new_part(source.tenant_id, source.ref.key, len(self))
        whose, shard = (source.tenant_id, source.analysis_id), source.shard
        if table.shared:
            whose, shard = (source.tenant_id, part.part_id), part.shard
        ordinal = 0
        for batch in batches_in(self._content, self._columns, _BLOCK):
            held = {name: batch.column(name).to_pylist() for name in batch.schema.names}
            columns = [held.get(name) or [table.later.get(name)] * batch.num_rows for name in table.columns]
            for row in zip(*columns, strict=True):
                yield (*whose, shard, ordinal, *row) if table.numbered else (*whose, *row)
                ordinal += 1


def decode(content: bytes, source: Source) -> Rows:
    """The rows of an artifact. Raises KeyError where a column is missing, ValueError where it is no table."""
    table = TABLES[source.ref.kind]
    count, known = shape_of(content)
    if missing := set(table.columns) - set(known) - set(table.later):
        raise KeyError(*missing)
    return Rows(content, source, [name for name in table.columns if name in known], count)


async def write(connection: AsyncConnection, load: Load) -> None:
    """Write what one artifact brings, and that it is there. Raises Moved."""
    there, part = await _part(connection, load)
    entry = await _enter(connection, load, part)
    if entry is None:
        return
    if load.code is not None:
        _log.warning("artifact_unreadable", key=load.source.ref.key, code=load.code)
    elif entry.is_again or not there:
        await _fill(connection, load, entry, there=there)


@dataclass(frozen=True)
class _Entry:
    """What `app.loaded` said of an analysis's shard before: nothing, or that it had another artifact, or a mark."""

    is_again: bool = False
    part: Part | None = None


async def _enter(connection: AsyncConnection, load: Load, part: Part | None) -> _Entry | None:
    """Write down what is loaded; None where it was loaded before, and not marked."""
    values: dict[str, object] = {**_key(load.source), "key": load.source.ref.key, "rows": load.count}
    values |= {"code": load.code, "message": load.message, "tenant_id": load.source.tenant_id}
    values |= {"part_id": part.part_id if part else None, "part_shard": part.shard if part else None}
    if (await connection.execute(_LOADED, values)).first() is not None:
        return _Entry()
    before = (await connection.execute(_BEFORE, _key(load.source))).one()
    if before.key == load.source.ref.key and before.code is None:
        return None
    await connection.execute(_AGAIN, {name: values[name] for name in values if name != "tenant_id"})
    had = before.part_id is not None
    return _Entry(is_again=True, part=Part(before.part_id, before.part_shard, before.rows) if had else None)


def _key(source: Source) -> dict[str, object]:
    return {"analysis_id": source.analysis_id, "kind": source.ref.kind.value, "shard": source.shard}


async def _fill(connection: AsyncConnection, load: Load, entry: _Entry, *, there: bool) -> None:
    source, ref = load.source, load.source.ref
    try:
        async with connection.begin_nested():
            if entry.is_again:
                await make_room(connection, ref.kind, source.analysis_id, source.shard)
            if entry.part is not None:
                await let_go(connection, ref.kind, entry.part)
            if not there:
                await copy_into(connection, TABLES[ref.kind], load.rows)
    except (DBAPIError, ValueError, OverflowError) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        _log.warning("artifact_refused", key=ref.key, error=repr(error)[:300])
        message = f"The rows of {ref.key} were refused by the database."
        await connection.execute(_FAILED, {**_key(source), "code": "artifact_refused", "message": message})


async def _part(connection: AsyncConnection, load: Load) -> tuple[bool, Part | None]:
    """Whether the rows are there, and the part that they are, or will be; None where their kind is not shared.

    Raises Moved where they were there, and nobody has read them from the artifact.
    """
    source, ref = load.source, load.source.ref
    if load.code is not None or ref.kind not in SHARED:
        return False, None
    there = (await loaded_before(connection, {source.tenant_id}, {ref.key})).get(ref.key)
    if there is not None:
        return True, there
    if load.same is not None:
        raise Moved(ref.key)
    part = new_part(source.tenant_id, ref.key, load.count)
    await remove(connection, ref.kind, part)  # what is marked as unreadable by now
    return False, part
