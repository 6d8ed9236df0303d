"""Pull events from the feed into read models. A projection's rows and its cursor are written in one transaction.

Any number of processes may run the same projection: the cursor's row lets one of them through at a time, and those of
an older version not at all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.log.journal import Journal
from orchestrator.projections import versions
from orchestrator.projections.versions import Superseded

_log = structlog.get_logger(__name__)

Write = Callable[[AsyncConnection], Awaitable[None]]

_SUPERSEDED_PAUSE = 60.0  # seconds until it is looked again, for a newer release may have been taken back


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
    """Take the next events of the feed; how many were looked at (0: it has caught up). Raises Superseded."""
    async with engine.begin() as connection:
        after = await versions.begin(connection, projection)
    envelopes = await journal.read_feed(after=after, limit=projection.batch)
    if not envelopes:
        return 0
    step = await projection.prepare(envelopes)
    async with engine.begin() as connection:
        if await versions.hold(connection, projection) == after:
            await step.write(connection)
            await versions.move(connection, projection, envelopes[step.taken - 1].seq or 0)
    return step.taken


async def catch_up(engine: AsyncEngine, journal: Journal, projection: Projection) -> None:
    """Advance until the end of the feed."""
    while await advance(engine, journal, projection):
        pass


async def rebuild(engine: AsyncEngine, journal: Journal, projections: Sequence[Projection]) -> None:
    """Remove the rows of `projections` and build them again from the first event. Readers see them grow."""
    for projection in projections:
        async with engine.begin() as connection:
            await versions.begin(connection, projection)
            await versions.hold(connection, projection)
            await projection.clear(connection)
            await versions.move(connection, projection, 0)
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
            except Superseded as reason:
                _log.warning("projection_superseded", projection=self._projection.name, reason=str(reason))
                await asyncio.sleep(_SUPERSEDED_PAUSE)
            except Exception as error:  # noqa: BLE001  # a read model must outlive whatever the database does
                _log.warning("projection_faulted", projection=self._projection.name, error=repr(error)[:500])
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
