"""The big read models, loaded from artifacts: files, outcomes, symbols, edges, dependencies, and the graph.

It has its own cursor, so that a repository with a hundred thousand edges delays nobody's small events. An artifact that
cannot be read is marked in `app.loaded`.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pyarrow as pa
import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef, ConnectionRow, ImportRow, LinkRow
from events.base import Envelope
from events.processing import AnalysisDeleted, StageCompleted
from events.repository import RepositoryDeleted
from orchestrator.projections.deleted import deleted_of
from orchestrator.projections.runner import Step, Write
from runtime.database import copy_rows
from runtime.faults import Permanent
from runtime.objects import Objects
from runtime.parquet import read_table

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Table:
    """Where the rows of one kind of artifact go. `numbered` tables keep the shard and the place in it.

    `later` are columns that older artifacts do not have, with what is meant there.
    """

    name: str
    columns: tuple[str, ...]
    numbered: bool
    later: Mapping[str, object] = field(default_factory=dict)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns as they are copied."""
        return ("tenant_id", "analysis_id", *(("shard", "ordinal") if self.numbered else ()), *self.columns)


TABLES = {
    ArtifactKind.TREE: Table(
        "files",
        ("path", "language", "file_class", "size", "lines", "shard", "skipped", "rule"),
        numbered=False,
        later={"rule": ""},
    ),
    ArtifactKind.OUTCOMES: Table(
        "outcomes", ("path", "outcome", "reason", "symbols", "chunks", "errors"), numbered=False
    ),
    ArtifactKind.SYMBOLS: Table(
        "symbols",
        (
            "path",
            "language",
            "kind",
            "name",
            "qualified_name",
            "parent",
            "signature",
            "docstring",
            "first_line",
            "last_line",
            "visibility",
            "complexity",
            "code_lines",
        ),
        numbered=True,
        later={"visibility": "", "complexity": 0, "code_lines": 0},
    ),
    ArtifactKind.DEPENDENCIES: Table(
        "dependencies",
        ("ecosystem", "name", "constraint", "version", "scope", "group", "path", "line", "locked"),
        numbered=True,
    ),
    ArtifactKind.EDGES: Table("edges", ("path", "kind", "source", "target", "line"), numbered=True),
    ArtifactKind.IMPORTS: Table("imports", tuple(ImportRow.model_fields), numbered=True),
    ArtifactKind.LINKS: Table("links", tuple(LinkRow.model_fields), numbered=True),
    ArtifactKind.CONNECTIONS: Table("connections", tuple(ConnectionRow.model_fields), numbered=False),
}

_LOADED = text("""
INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows, code, message)
VALUES (:tenant_id, :analysis_id, :kind, :shard, :key, :rows, :code, :message) ON CONFLICT DO NOTHING RETURNING shard
""")
_FAILED = text("""
UPDATE app.loaded SET code = :code, message = :message, rows = 0
WHERE analysis_id = :analysis_id AND kind = :kind AND shard = :shard
""")
_LOADED_TABLES = (*(table.name for table in TABLES.values()), "loaded")
_REMOVE = tuple(
    text(f"""
    DELETE FROM app.{table} WHERE analysis_id IN (
      SELECT CAST(split_part(e.stream_id, '/', 2) AS uuid) FROM es.events e
      WHERE e.repository_id = :repository AND e.type = 'repository.processing.requested'
    )
    """)  # noqa: S608  # our own names
    for table in _LOADED_TABLES
)
_REMOVE_ANALYSIS = tuple(
    text(f"DELETE FROM app.{table} WHERE analysis_id = :analysis")  # noqa: S608  # our own names
    for table in _LOADED_TABLES
)
_BLOCK = 2_000  # rows that are objects at a time
_TRIES = 4  # then the artifact counts as unreadable: a store that is down for long must not stop the feed


@dataclass(frozen=True)
class Source:
    """An artifact that goes into a table: whose it is, and of which analysis and shard."""

    tenant_id: UUID
    analysis_id: UUID
    shard: int
    ref: ArtifactRef


@dataclass(frozen=True)
class Load:
    """One artifact's rows, decoded; or the reason why there are none."""

    source: Source
    rows: "Rows | tuple[()]" = ()
    code: str | None = None
    message: str | None = None


class Contents:
    """The projection `contents`. Loads the artifacts of one event a transaction."""

    name = "contents"
    version = 2
    batch = 200

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """Take events up to the first that brings artifacts, and decode those."""
        for taken, envelope in enumerate(envelopes, start=1):
            if envelope.event_type == RepositoryDeleted.event_type:
                return Step(taken, _remover(_REMOVE, {"repository": envelope.repository_id}))
            if envelope.event_type == AnalysisDeleted.event_type:
                return Step(taken, _remover(_REMOVE_ANALYSIS, {"analysis": UUID(envelope.stream_id.partition("/")[2])}))
            wanted = _wanted(envelope)
            if wanted:
                loads = [await self._load(one) for one in wanted]
                return Step(taken, _writer(loads, envelope.repository_id))
        return Step(len(envelopes), _writer([], None))

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all rows."""
        await connection.execute(text(f"TRUNCATE {', '.join(f'app.{table}' for table in _LOADED_TABLES)}"))

    async def _load(self, source: Source) -> Load:
        ref = source.ref
        try:
            content = await self._fetch(ref)
            rows = await asyncio.to_thread(_decode, content, source)
        except Permanent as fault:
            return Load(source, code=fault.code, message=fault.message)
        except (pa.ArrowException, KeyError) as error:
            message = f"The artifact {ref.key} is no {ref.kind} table: {type(error).__name__}."
            return Load(source, code="artifact_unreadable", message=message)
        return Load(source, rows)

    async def _fetch(self, ref: ArtifactRef) -> bytes:
        for tries in range(1, _TRIES + 1):
            try:
                return await self._objects.get(ref.key, ref.sha256)
            except Permanent:
                raise
            except Exception as error:
                if tries == _TRIES:
                    raise Permanent("artifact_unreadable", f"The artifact {ref.key} could not be read.") from error
                _log.warning("artifact_fetch_failed", key=ref.key, error=repr(error)[:300])
                await asyncio.sleep(0.2 * 2**tries)
        raise AssertionError("unreachable")


def _wanted(envelope: Envelope) -> list[Source]:
    """The artifacts that an event brings and that go into tables."""
    if envelope.event_type != StageCompleted.event_type or envelope.data.get("stage") not in {
        "clone",
        "metadata",
        "parse",
        "link",
    }:
        return []
    try:
        event = StageCompleted.model_validate(envelope.data)
        analysis_id = UUID(envelope.stream_id.partition("/")[2])
    except ValueError as error:
        _log.warning("event_passed_over", seq=envelope.seq, type=envelope.event_type, error=repr(error)[:300])
        return []
    return [Source(envelope.tenant_id, analysis_id, event.shard, ref) for ref in event.artifacts if ref.kind in TABLES]


class Rows:
    """The rows of a table as PostgreSQL takes them, a block of objects at a time: a graph can have millions."""

    def __init__(self, arrow: pa.Table, source: Source) -> None:
        self._arrow = arrow
        self._source = source

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        table, whose = TABLES[self._source.ref.kind], (self._source.tenant_id, self._source.analysis_id)
        ordinal = 0
        for batch in self._arrow.to_batches(max_chunksize=_BLOCK):
            held = {name: batch.column(name).to_pylist() for name in batch.schema.names}
            columns = [held.get(name) or [table.later.get(name)] * batch.num_rows for name in table.columns]
            for row in zip(*columns, strict=True):
                yield (*whose, self._source.shard, ordinal, *row) if table.numbered else (*whose, *row)
                ordinal += 1


def _decode(content: bytes, source: Source) -> Rows:
    """The rows of an artifact. Raises KeyError where a column is missing."""
    table = TABLES[source.ref.kind]
    arrow = read_table(content, table.columns)
    if missing := set(table.columns) - set(arrow.column_names) - set(table.later):
        raise KeyError(*missing)
    return Rows(arrow, source)


def _writer(loads: list[Load], repository_id: UUID | None) -> Write:
    async def write(connection: AsyncConnection) -> None:
        if repository_id is not None and await deleted_of(connection, {repository_id}):
            return
        for load in loads:
            await _write(connection, load)

    return write


def _remover(statements: Sequence[TextClause], values: dict[str, UUID | None]) -> Write:
    async def write(connection: AsyncConnection) -> None:
        for statement in statements:
            await connection.execute(statement, values)

    return write


async def _write(connection: AsyncConnection, load: Load) -> None:
    source, ref = load.source, load.source.ref
    key = {"analysis_id": source.analysis_id, "kind": ref.kind.value, "shard": source.shard}
    more = {"key": ref.key, "rows": len(load.rows), "code": load.code, "message": load.message}
    if (await connection.execute(_LOADED, key | more | {"tenant_id": source.tenant_id})).first() is None:
        return  # loaded before
    if load.code is not None:
        _log.warning("artifact_unreadable", key=ref.key, code=load.code)
        return
    try:
        async with connection.begin_nested():
            await _copy(connection, TABLES[ref.kind], load.rows)
    except (DBAPIError, ValueError, OverflowError) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        _log.warning("artifact_refused", key=ref.key, error=repr(error)[:300])
        message = f"The rows of {ref.key} were refused by the database."
        await connection.execute(_FAILED, key | {"code": "artifact_refused", "message": message})


async def _copy(connection: AsyncConnection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy the rows; what COPY says of them becomes a ValueError."""
    import asyncpg

    try:
        await copy_rows(connection, f"app.{table.name}", table.all_columns, rows)
    except asyncpg.InterfaceError as error:
        raise ConnectionError(str(error)) from error
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise ValueError(str(error)) from error
