"""The big read models, loaded from artifacts: files, outcomes, symbols, edges, dependencies, the past, the graph.

It has its own cursor, so that a repository with a hundred thousand edges delays nobody's small events. Symbols and
edges of an artifact that another analysis has are shared with it. One that cannot be read is marked in `app.loaded`;
a store that does not answer is waited for, for ten minutes where it gives everything else: once for all that it refuses
then, and not again for what was given up before.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactRef
from events.base import Envelope
from events.processing import AnalysisDeleted, StageCompleted
from events.repository import RepositoryDeleted
from orchestrator.projections.content_loads import Load, Source, decode, write
from orchestrator.projections.content_tables import SHARED, TABLES, Part, loaded_before, what_goes
from orchestrator.projections.deleted import deleted_of
from orchestrator.projections.runner import Step, Write, nothing
from runtime.database import BESIDE
from runtime.faults import Fault, Permanent, Transient
from runtime.objects import Objects

_log = structlog.get_logger(__name__)


_LOADED_TABLES = (*(table.name for table in TABLES.values()), "loaded")
_OWN_TABLES = (*(table.name for table in TABLES.values() if not table.shared), "loaded")
_OF_REPOSITORY = """
SELECT CAST(split_part(e.stream_id, '/', 2) AS uuid) FROM es.events e
WHERE e.repository_id = :repository AND e.type = 'repository.processing.requested'
"""
_OF_ANALYSIS = "SELECT CAST(:analysis AS uuid)"


def _removing(mine: str) -> tuple[TextClause, ...]:
    own = (f"DELETE FROM app.{table} WHERE analysis_id IN ({mine})" for table in _OWN_TABLES)  # noqa: S608  # our own names
    return tuple(map(text, (*what_goes(mine), *own)))


_REMOVE, _REMOVE_ANALYSIS = _removing(_OF_REPOSITORY), _removing(_OF_ANALYSIS)
_MOST_ROWS = 50_000  # that one transaction writes, but for those of one event
_PATIENCE = 600.0  # seconds that an event waits for what the store refuses of it alone: all others wait behind it
_PATIENCE_THEN = 10.0  # the same, within `_PATIENCE` of another that waited in vain
_OTHERS = text("SELECT key FROM app.loaded WHERE code IS NULL ORDER BY random() LIMIT 5")
# As it serves, also where the rows are being built beside: the same is marked there.
_GIVEN_UP = text("""
SELECT key FROM app.loaded WHERE analysis_id = :analysis AND key = ANY (:keys) AND code = 'artifact_unreadable'
""")


class Connects(Protocol):
    """What gives connections: an engine, or one that is held."""

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection to look through."""
        ...


class Contents:
    """The projection `contents`. Loads all artifacts of an event in one transaction, and those of some more events.

    Without an `engine` it does not know what is loaded already, and waits for whatever the store refuses. `clock` is
    monotonic, in seconds.
    """

    name = "contents"
    version = 5
    batch = 200
    tables: Mapping[str, str] = MappingProxyType(
        dict.fromkeys(_OWN_TABLES, "analysis_id") | {table.name: "part_id" for table in SHARED.values()}
    )
    touched = ()

    def __init__(
        self, objects: Objects, engine: Connects | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._objects = objects
        self._engine = engine
        self._clock = clock
        self._waiting: tuple[UUID, float] | None = None  # the event whose artifacts are refused, and since when
        self._gave_up_at: float | None = None  # when an event had waited in vain

    def on(self, connection: Connects) -> "Contents":
        """As `Rebuildable.on`."""
        return Contents(self._objects, connection, self._clock)

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """Take events up to a deletion, or until there is enough to write, and decode what they bring.

        Up to the first whose artifacts the store does not give; raises Transient where that is the first of all, until
        it has waited long enough.
        """
        wanted = [_wanted(envelope) for envelope in envelopes]
        same = await self._loaded_before([source for sources in wanted for source in sources])
        loads: list[tuple[UUID | None, Load]] = []
        for taken, (envelope, sources) in enumerate(zip(envelopes, wanted, strict=True)):
            if loads and (_removal(envelope) is not None or sum(len(load.rows) for _, load in loads) > _MOST_ROWS):
                return Step(taken, _writer(loads))
            if (remove := _removal(envelope)) is not None:
                return Step(taken + 1, remove)
            try:
                loads += [(envelope.repository_id, await self._load(source, same)) for source in sources]
            except Transient:
                if taken:
                    return Step(taken, _writer(loads))
                given_up = await self._given_up(sources)
                over = sources if await self._waited_for(envelope) else given_up
                for source in sources:
                    load = await self._load_or_mark(source, same, waited=source in over)
                    loads.append((envelope.repository_id, load))
        return Step(len(envelopes), _writer(loads))

    async def _given_up(self, sources: Sequence[Source]) -> list[Source]:
        """Those that were marked before, as the store refused them: what they have to say is known."""
        if self._engine is None:
            return []
        values = {"analysis": sources[0].analysis_id, "keys": [source.ref.key for source in sources]}
        async with self._engine.connect() as connection:
            found = await connection.execute(_GIVEN_UP, values, execution_options={BESIDE: ()})
            keys = set(found.scalars())
        return [source for source in sources if source.ref.key in keys]

    async def _waited_for(self, envelope: Envelope) -> bool:
        """Whether an event waited long enough for artifacts that the store refuses while it gives others."""
        now = self._clock()
        if self._waiting is None or self._waiting[0] != envelope.event_id:
            self._waiting = (envelope.event_id, now)
        lately = self._gave_up_at is not None and now - self._gave_up_at < _PATIENCE
        if now - self._waiting[1] < (_PATIENCE_THEN if lately else _PATIENCE) or not await self._gives_others():
            return False
        self._gave_up_at = now
        return True

    async def _gives_others(self) -> bool:
        if self._engine is None:
            return False
        async with self._engine.connect() as connection:
            keys = (await connection.execute(_OTHERS)).scalars().all()
        for key in keys:
            try:
                await self._objects.get(key)
            except Fault:
                continue
            return True
        return False

    async def _loaded_before(self, sources: Sequence[Source]) -> dict[str, Part]:
        shared = [source for source in sources if source.ref.kind in SHARED]
        if self._engine is None or not shared:
            return {}
        tenants, keys = {source.tenant_id for source in shared}, {source.ref.key for source in shared}
        async with self._engine.connect() as connection:
            return await loaded_before(connection, tenants, keys)

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all rows."""
        await connection.execute(text(f"TRUNCATE {', '.join(f'app.{table}' for table in _LOADED_TABLES)}"))

    async def _load(self, source: Source, same: Mapping[str, Part]) -> Load:
        ref = source.ref
        if ref.key in same:
            return Load(source, same=same[ref.key])
        try:
            content = await self._fetch(ref)
            rows = await asyncio.to_thread(decode, content, source)
        except Permanent as fault:
            return Load(source, code=fault.code, message=fault.message)
        except (ValueError, KeyError) as error:
            message = f"The artifact {ref.key} is no {ref.kind} table: {type(error).__name__}."
            return Load(source, code="artifact_unreadable", message=message)
        return Load(source, rows)

    async def _load_or_mark(self, source: Source, same: Mapping[str, Part], *, waited: bool) -> Load:
        """Raises Transient where it is refused, and nobody waited for it."""
        try:
            return await self._load(source, same)
        except Transient:
            if not waited:
                raise
            message = f"The object store gives others, and not the artifact {source.ref.key}: retry once it does."
            return Load(source, code="artifact_unreadable", message=message)

    async def _fetch(self, ref: ArtifactRef) -> bytes:
        try:
            return await self._objects.get(ref.key, ref.sha256)
        except Fault:
            raise
        except Exception as error:  # of the key, say: it must not stop the feed
            _log.warning("artifact_fetch_failed", key=ref.key, error=repr(error)[:300])
            raise Permanent("artifact_unreadable", f"The artifact {ref.key} could not be read.") from error


def _wanted(envelope: Envelope) -> list[Source]:
    """The artifacts that an event brings and that go into tables."""
    if envelope.event_type != StageCompleted.event_type or envelope.data.get("stage") not in {
        "clone",
        "metadata",
        "history",
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


def _writer(loads: Sequence[tuple[UUID | None, Load]]) -> Write:
    if not loads:
        return nothing

    async def write_all(connection: AsyncConnection) -> None:
        named = {repository_id for repository_id, _ in loads if repository_id is not None}
        deleted = await deleted_of(connection, named) if named else set()
        for repository_id, load in loads:
            if repository_id not in deleted:
                await write(connection, load)

    return write_all


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
