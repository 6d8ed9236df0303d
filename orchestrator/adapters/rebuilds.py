"""Rebuilds of the read models: asked for by an administrator, done by one of the processes, kept with what was found.

Whoever works on one holds its row. Where that process ends in the middle another begins anew; each projection is
replaced by itself, all at once.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.log.journal import Journal
from events.log.wake import Wake
from orchestrator.projections.beside import Rebuildable, rebuild_beside

_log = structlog.get_logger(__name__)

_POLL = 1.0  # seconds between two looks at what was asked for
_ASK = text("INSERT INTO es.rebuilds (rebuild_id, replace) VALUES (:id, :replace) ON CONFLICT DO NOTHING")
_ONE = text("""
SELECT rebuild_id, asked_at, replace, state, ended_at, message, report::text AS report FROM es.rebuilds
WHERE rebuild_id = :id
""")
_NEXT = text("""
SELECT rebuild_id, replace FROM es.rebuilds WHERE state = 'asked' ORDER BY asked_at FOR UPDATE SKIP LOCKED LIMIT 1
""")
_END = text("""
UPDATE es.rebuilds SET state = :state, message = :message, report = CAST(:report AS jsonb), ended_at = clock_timestamp()
WHERE rebuild_id = :id
""")


@dataclass(frozen=True)
class Rebuild:
    """One of them. `report` has a `Rebuilt` for each projection, as JSON has it, once the state is `done`."""

    rebuild_id: UUID
    asked_at: datetime
    replace: bool
    state: str
    ended_at: datetime | None
    message: str | None
    report: list[dict[str, object]]


class Rebuilds:
    """`engine` is the background's; `projections` are those that can be built again."""

    def __init__(self, engine: AsyncEngine, journal: Journal, projections: Sequence[Rebuildable], wake: Wake) -> None:
        self._engine = engine
        self._journal = journal
        self.projections = projections
        self._wake = wake

    async def ask(self, rebuild_id: UUID, *, replace: bool) -> Rebuild | None:
        """Have it done soon; asked for twice under one id, it is done once."""
        async with self._engine.begin() as connection:
            await connection.execute(_ASK, {"id": rebuild_id, "replace": replace})
        return await self.one(rebuild_id)

    async def one(self, rebuild_id: UUID) -> Rebuild | None:
        """The rebuild with this id."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_ONE, {"id": rebuild_id})).first()
        return None if row is None else Rebuild(**{**row._mapping, "report": json.loads(row.report)})

    async def run(self) -> None:
        """Do what was asked for, one after the other, for ever."""
        while True:
            if not await self.do_next():
                await asyncio.sleep(_POLL)

    async def do_next(self) -> bool:
        """Do the oldest that waits; whether there was one."""
        async with self._engine.begin() as connection:
            asked = (await connection.execute(_NEXT)).first()
            if asked is None:
                return False
            await self._do(connection, asked)
        self._wake.worked()
        return True

    async def _do(self, connection: AsyncConnection, asked: Row[tuple[UUID, bool]]) -> None:
        report: list[dict[str, Any]] = []
        state, message = "done", None
        try:
            for projection in self.projections:
                rebuilt = await rebuild_beside(self._engine, self._journal, projection, replace=asked.replace)
                report.append(asdict(rebuilt) | {"agrees": rebuilt.agrees})
        except (SQLAlchemyError, OSError, TimeoutError):
            raise  # the database is away: it still waits to be done
        except Exception as error:  # noqa: BLE001  # what keeps it from being done is what is told of it
            _log.warning("rebuild_failed", rebuild=str(asked.rebuild_id), error=repr(error)[:500])
            state, message = "failed", _failed(projection.name, report, replace=asked.replace)
        values = {"id": asked.rebuild_id, "state": state, "message": message, "report": json.dumps(report)}
        await connection.execute(_END, values)


def _failed(name: str, report: Sequence[Mapping[str, Any]], *, replace: bool) -> str:
    """What is told of one that could not be done with the projection `name`, after those of the report."""
    replaced = [table["table"] for each in report if replace for table in each["tables"] if table["differing"]]
    changed = f"of before, {', '.join(replaced)} was put right, nothing else" if replaced else "nothing was changed"
    return f"It could not be done, at {name!r}; {changed}. The log of the service says why."
