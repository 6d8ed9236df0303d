"""Pull events from the feed into read models. A projection's rows and its cursor are written in one transaction.

Any number of processes may run the same projection: the cursor's row lets one of them through at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.log.journal import Journal

_log = structlog.get_logger(__name__)

Write = Callable[[AsyncConnection], Awaitable[None]]

_REGISTER = text("""
INSERT INTO es.projections (name, version, status) VALUES (:name, :version, 'live')
ON CONFLICT DO NOTHING RETURNING version
""")
_VERSIONS = text("SELECT max(version) FROM es.projections WHERE name = :name")
_CURSOR = text("SELECT cursor_seq FROM es.projections WHERE name = :name AND version = :version")
_LOCK = text("SELECT cursor_seq FROM es.projections WHERE name = :name AND version = :version FOR UPDATE")
_MOVE = text("UPDATE es.projections SET cursor_seq = :seq WHERE name = :name AND version = :version")


@dataclass(frozen=True)
class Step:
    """How many of the offered events a projection took, and what it will write for them."""

    taken: int
    write: Write


class Projection(Protocol):
    """One read model, or several that share a cursor.

    Raise `version` where its rows would come out differently: they are then built again from the first event.
    """

    @property
    def name(self) -> str:
        """Its name in `es.projections`."""
        ...

    @property
    def version(self) -> int:
        """The version of its rows."""
        ...

    @property
    def batch(self) -> int:
        """How many events it is offered at once."""
        ...

    async def prepare(self, envelopes: Sequence[Envelope]) -> Step:
        """Do what needs no transaction (fetch, decode), and say what to write. Takes at least one event."""
        ...

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all rows."""
        ...


async def advance(engine: AsyncEngine, journal: Journal, projection: Projection) -> int:
    """Take the next events of the feed; how many were looked at (0: it has caught up)."""
    key = {"name": projection.name, "version": projection.version}
    async with engine.begin() as connection:
        after = (await connection.execute(_CURSOR, key)).scalar_one_or_none()
        if after is None:
            await _begin(connection, projection)
            after = 0
    envelopes = await journal.read_feed(after=after, limit=projection.batch)
    if not envelopes:
        return 0
    step = await projection.prepare(envelopes)
    async with engine.begin() as connection:
        if (await connection.execute(_LOCK, key)).scalar_one() == after:
            await step.write(connection)
            await connection.execute(_MOVE, {**key, "seq": envelopes[step.taken - 1].seq})
    return step.taken


async def _begin(connection: AsyncConnection, projection: Projection) -> None:
    """Register the projection; the rows of an older version of it are removed, for they would come out differently."""
    newest = (await connection.execute(_VERSIONS, {"name": projection.name})).scalar_one()
    key = {"name": projection.name, "version": projection.version}
    is_first = (await connection.execute(_REGISTER, key)).first() is not None
    if is_first and newest is not None and newest < projection.version:
        await projection.clear(connection)


async def catch_up(engine: AsyncEngine, journal: Journal, projection: Projection) -> None:
    """Advance until the end of the feed."""
    while await advance(engine, journal, projection):
        pass


async def rebuild(engine: AsyncEngine, journal: Journal, projections: Sequence[Projection]) -> None:
    """Remove the rows of `projections` and build them again from the first event. Readers see them grow."""
    for projection in projections:
        key = {"name": projection.name, "version": projection.version}
        async with engine.begin() as connection:
            await connection.execute(_REGISTER, key)
            await connection.execute(_LOCK, key)
            await projection.clear(connection)
            await connection.execute(_MOVE, {**key, "seq": 0})
        await catch_up(engine, journal, projection)


class Runner:
    """Keeps one projection up to date until it is cancelled. A fault is logged and tried again, ever more slowly."""

    def __init__(
        self, engine: AsyncEngine, journal: Journal, projection: Projection, wait: Callable[[], Awaitable[object]]
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._projection = projection
        self._wait = wait

    async def run(self) -> None:
        """Advance for ever; at the end of the feed `wait` for more."""
        pause = 0.1
        while True:
            try:
                if not await advance(self._engine, self._journal, self._projection):
                    await self._wait()
                pause = 0.1
            except Exception as error:  # noqa: BLE001  # a read model must outlive whatever the database does
                _log.warning("projection_faulted", projection=self._projection.name, error=repr(error)[:500])
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
