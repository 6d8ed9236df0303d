"""What long analyses added up to every five hundred events, kept beside the log, so that none is folded whole again.

A state that is not there, or of another release's code, is folded from the log: it is only a shorter way.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pydantic
from pydantic import ValidationError
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.catalog import UnknownEvent
from events.log import snapshots
from events.log.postgres import read_stream_in
from events.log.snapshots import Place, Whose
from events.replay.history import Fold, fold
from orchestrator.projections.pasts import fold_of
from orchestrator.workflow.packed import DECIDED_ON
from orchestrator.workflow.state import AnalysisState
from runtime.tenancy import TenantDatabase

EVERY = 500  # events from one kept state to the next: to read a state takes about as long as to fold so many
_AT_ONCE = 5  # states of one analysis in one transaction
_POLL = 5.0  # seconds
_PAST, _WORKFLOW = "past", "workflow"  # what is shown of an analysis, and what is decided on
_FOLDS: Mapping[str, Fold[Any]] = {_PAST: fold_of("analysis/"), _WORKFLOW: DECIDED_ON}
_SOURCES = ("events", "orchestrator")  # whose code decides what events add up to

# The one asked for last of those that grew by so many events since a state of them was kept.
_NEXT = text("""
SELECT s.stream_id, a.tenant_id, a.repository_id, k.version AS kept
FROM app.analyses a JOIN es.streams s ON s.stream_id = 'analysis/' || CAST(a.analysis_id AS text)
CROSS JOIN LATERAL (
  SELECT coalesce(max(version), 0) AS version FROM es.snapshots
  WHERE stream_id = s.stream_id AND fold = :fold AND code = :code
) k
WHERE a.version >= :every AND s.version >= k.version + :every AND s.archived_at IS NULL
  AND s.stream_id <> ALL (:passed_over)
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = a.repository_id)
ORDER BY a.requested_at DESC LIMIT 1
""")
_THERE = text("SELECT fold FROM es.snapshots WHERE stream_id = :stream AND code = :code AND version = :version")
_PASSED = text("""
DELETE FROM es.snapshots WHERE stream_id = :stream AND fold = :fold AND code = :code AND version < :version
""")
_AGAIN = text("DELETE FROM es.snapshots WHERE stream_id = :stream AND code = :code")
# A release that still runs beside this one has its own for so long.
_EXPIRE = text("DELETE FROM es.snapshots WHERE code <> :code AND made_at < clock_timestamp() - interval '1 day'")
_NEWEST = "SELECT version FROM es.streams WHERE stream_id = $1"
_UNTIL = """
SELECT coalesce(
  (SELECT min(version) - 1 FROM es.events WHERE stream_id = $1 AND occurred_at > $2),
  (SELECT version FROM es.streams WHERE stream_id = $1), 0) AS version
"""


@cache
def code() -> str:
    """What names the code of this release: a digest of it, and of what writes states down."""
    digest = hashlib.sha256(pydantic.VERSION.encode())
    root = Path(__file__).parents[2]
    for path in sorted(path for name in _SOURCES for path in (root / name).rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:32]


class Snapshots:
    """Keeps states. `engine` is the background's; of any number of processes one does it at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._passed_over = set[str]()  # streams of which nothing can be kept, so that others have their turn

    async def run(self) -> None:
        """Keep what is due, for ever."""
        while True:
            if not await self.keep_next():
                await asyncio.sleep(_POLL)

    async def keep_next(self) -> bool:
        """Keep the next states of one analysis, where they can be; whether any were due."""
        async with self._engine.begin() as connection:
            if not await snapshots.hold(connection):
                return False
            values = {"fold": _PAST, "code": code(), "every": EVERY, "passed_over": sorted(self._passed_over)}
            due = (await connection.execute(_NEXT, values)).first()
            if due is None:
                await connection.execute(_EXPIRE, {"code": code()})
                return False
            if not await self._keep(connection, due):
                self._passed_over.add(due.stream_id)
            return True

    async def _keep(self, connection: AsyncConnection, due: Row[Any]) -> bool:
        states, version, kept = await _kept(connection, due), due.kept, False
        if states is None:  # one is damaged: all of it once more
            await connection.execute(_AGAIN, {"stream": due.stream_id, "code": code()})
            states, version = _initial(), 0
        for _ in range(_AT_ONCE):
            page = await read_stream_in(connection, due.stream_id, after=version, limit=EVERY)
            if len(page) < EVERY:
                break
            version = page[-1].version
            states = {name: await asyncio.to_thread(_folded, name, state, page) for name, state in states.items()}
            for name, state in states.items():
                kept |= await _put(connection, due, name, version, state) and name == _PAST
        return kept


def _initial() -> dict[str, Any]:
    return {name: how.initial() for name, how in _FOLDS.items()}


async def _kept(connection: AsyncConnection, due: Row[Any]) -> dict[str, Any] | None:
    """The states after `due.kept`, from which it goes on; None where one of them is damaged.

    One that was not kept, since this code cannot fold the stream until there, is None itself.
    """
    if not due.kept:
        return _initial()
    place = {"stream": due.stream_id, "code": code(), "version": due.kept}
    there = (await connection.execute(_THERE, place)).scalars().all()
    found = {name: await _newest(connection, due.stream_id, name, due.kept) for name in there}
    states = {name: newest[1] for name, newest in found.items() if newest is not None}
    return dict.fromkeys(_FOLDS) | states if len(states) == len(there) else None


async def _newest(
    connection: AsyncConnection, stream_id: str, name: str, until: int | None = None
) -> tuple[int, Any] | None:
    found = await snapshots.newest(connection, _place(stream_id, name), until)
    try:
        return None if found is None else (found[0], _FOLDS[name].unpack(found[1]))
    except (zlib.error, ValidationError):
        return None  # damaged: the log has it all


def _folded(name: str, state: object, page: list[Envelope]) -> object:
    """The state after a page more; None where this code cannot fold it."""
    if state is None:
        return None
    try:
        return fold(page, _FOLDS[name].evolve, state)
    except (UnknownEvent, ValidationError):
        return None


async def _put(connection: AsyncConnection, due: Row[Any], name: str, version: int, state: object) -> bool:
    if state is None:
        return False
    packed = await asyncio.to_thread(_FOLDS[name].pack, state)
    whose = Whose(due.tenant_id, due.repository_id)
    if not await snapshots.keep(connection, _place(due.stream_id, name), version, packed, whose):
        return False
    if name == _WORKFLOW:  # decisions go on from the newest alone
        await connection.execute(_PASSED, {"stream": due.stream_id, "fold": name, "code": code(), "version": version})
    return True


def _place(stream_id: str, name: str) -> Place:
    return Place(stream_id, name, code())


async def decided_on(connection: AsyncConnection, stream_id: str) -> tuple[AnalysisState, int] | None:
    """The newest kept state that the workflow decides on, and its version; None where none is kept."""
    found = await _newest(connection, stream_id, _WORKFLOW)
    return None if found is None else (found[1], found[0])


class KeptPasts:
    """Where the streams of tenants stand, and what is kept of them. Each question is a transaction of its tenant."""

    def __init__(self, rows: TenantDatabase) -> None:
        self._rows = rows

    async def newest(self, tenant: UUID, stream_id: str) -> int:
        """The newest version of a stream; 0 where there is none."""
        found = await self._rows.rows(tenant, _NEWEST, stream_id)
        return int(found[0]["version"]) if found else 0

    async def version_at(self, tenant: UUID, stream_id: str, moment: datetime) -> int:
        """The version at a moment: of the last event that had happened, and all before it; 0 before the first one."""
        [found] = await self._rows.rows(tenant, _UNTIL, stream_id, moment)
        return int(found["version"])

    async def before(self, tenant: UUID, stream_id: str, version: int) -> tuple[int, Any] | None:
        """The newest kept state of an analysis that is not after `version`, with the version it is of."""
        async with self._rows.of(tenant) as connection:
            return await _newest(connection, stream_id, _PAST, version)
