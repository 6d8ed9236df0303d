"""The big read models, loaded from artifacts: files, outcomes, symbols, edges, dependencies, and the graph.

It has its own cursor, so that a repository with a hundred thousand edges delays nobody's small events. An artifact that
another analysis has is copied within the database. One that cannot be read is marked in `app.loaded`.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyarrow as pa
import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactRef
from events.base import Envelope
from events.processing import AnalysisDeleted, StageCompleted
from events.repository import RepositoryDeleted
from orchestrator.projections.content_tables import TABLES, Loaded, copy_into, copy_same, loaded_before, make_room
from orchestrator.projections.deleted import deleted_of
from orchestrator.projections.runner import Step, Write
from runtime.faults import Permanent
from runtime.objects import Objects
from runtime.parquet import read_table

_log = structlog.get_logger(__name__)


_LOADED = text("""
INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows, code, message)
VALUES (:tenant_id, :analysis_id, :kind, :shard, :key, :rows, :code, :message) ON CONFLICT DO NOTHING RETURNING shard
""")
_BEFORE = text("""
SELECT key FROM app.loaded WHERE analysis_id = :analysis_id AND kind = :kind AND shard = :shard
""")
_AGAIN = text("""
UPDATE app.loaded SET key = :key, rows = :rows, code = :code, message = :message
WHERE analysis_id = :analysis_id AND kind = :kind AND shard = :shard
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
_MOST_ROWS = 50_000  # that one transaction writes, but for those of one event
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
    """One artifact's rows, decoded, or who has the `same`; or the reason why there are none."""

    source: Source
    rows: "Rows | tuple[()]" = ()
    same: Loaded | None = None
    code: str | None = None
    message: str | None = None

    def __len__(self) -> int:
        return self.same.rows if self.same is not None else len(self.rows)


class Contents:
    """The projection `contents`. Loads all artifacts of an event in one transaction, and those of some more events.

    Without an `engine` it does not know what is loaded already.
    """

    name = "contents"
    version = 2
    batch = 200

    def __init__(self, objects: Objects, engine: AsyncEngine | None = None) -> None:
        self._objects = objects
        self._engine = engine

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """Take events up to a deletion, or until there is enough to write, and decode what they bring."""
        wanted = [_wanted(envelope) for envelope in envelopes]
        same = await self._loaded_before([source for sources in wanted for source in sources])
        loads: list[tuple[UUID | None, Load]] = []
        for taken, (envelope, sources) in enumerate(zip(envelopes, wanted, strict=True)):
            if loads and (_removal(envelope) is not None or sum(len(load) for _, load in loads) > _MOST_ROWS):
                return Step(taken, _writer(loads))
            if (remove := _removal(envelope)) is not None:
                return Step(taken + 1, remove)
            loads += [(envelope.repository_id, await self._load(source, same)) for source in sources]
        return Step(len(envelopes), _writer(loads))

    async def _loaded_before(self, sources: Sequence[Source]) -> dict[str, Loaded]:
        keys = {source.ref.key for source in sources if TABLES[source.ref.kind].numbered}
        if self._engine is None or not keys:
            return {}
        async with self._engine.connect() as connection:
            return await loaded_before(connection, keys)

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all rows."""
        await connection.execute(text(f"TRUNCATE {', '.join(f'app.{table}' for table in _LOADED_TABLES)}"))

    async def _load(self, source: Source, same: Mapping[str, Loaded]) -> Load:
        ref = source.ref
        if ref.key in same:
            return Load(source, same=same[ref.key])
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


def _writer(loads: Sequence[tuple[UUID | None, Load]]) -> Write:
    async def write(connection: AsyncConnection) -> None:
        named = {repository_id for repository_id, _ in loads if repository_id is not None}
        deleted = await deleted_of(connection, named) if named else set()
        for repository_id, load in loads:
            if repository_id not in deleted:
                await _write(connection, load)

    return write


def _removal(envelope: Envelope) -> Write | None:
    """What an event removes; None where it is no deletion."""
    if envelope.event_type == RepositoryDeleted.event_type:
        return _remover(_REMOVE, {"repository": envelope.repository_id})
    if envelope.event_type == AnalysisDeleted.event_type:
        return _remover(_REMOVE_ANALYSIS, {"analysis": UUID(envelope.stream_id.partition("/")[2])})
    return None


def _remover(statements: Sequence[TextClause], values: dict[str, UUID | None]) -> Write:
    async def write(connection: AsyncConnection) -> None:
        for statement in statements:
            await connection.execute(statement, values)

    return write


async def _write(connection: AsyncConnection, load: Load) -> None:
    source, ref = load.source, load.source.ref
    key = {"analysis_id": source.analysis_id, "kind": ref.kind.value, "shard": source.shard}
    more = {"key": ref.key, "rows": len(load), "code": load.code, "message": load.message}
    is_first = (await connection.execute(_LOADED, key | more | {"tenant_id": source.tenant_id})).first() is not None
    if not is_first:
        if await connection.scalar(_BEFORE, key) == ref.key:
            return  # loaded before
        await connection.execute(_AGAIN, key | more)
    if load.code is not None:
        _log.warning("artifact_unreadable", key=ref.key, code=load.code)
        return
    try:
        async with connection.begin_nested():
            if not is_first:
                await make_room(connection, ref.kind, source.analysis_id, source.shard)
            if load.same is not None:
                await copy_same(connection, ref, source.analysis_id, source.shard, load.same)
            else:
                await copy_into(connection, TABLES[ref.kind], load.rows)
    except (DBAPIError, ValueError, OverflowError) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        _log.warning("artifact_refused", key=ref.key, error=repr(error)[:300])
        message = f"The rows of {ref.key} were refused by the database."
        await connection.execute(_FAILED, key | {"code": "artifact_refused", "message": message})
