"""Pull events from the feed into read models. A projection's rows and its cursor are written in one transaction.

Any number of processes may run the same projection: the cursor's row lets one of them through at a time, and those of
an older version not at all.
"""

import asyncio
import time
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

# Seconds that events gather after some were taken, so that many questions at once are written together: at least so
# many, more where that took long, as it does where much is asked of the machine.
_GATHER, _LONGEST_GATHER = 0.05, 0.25
_RESTS = 4.0  # times as long as a step took
_REMEMBERED = 2.0  # seconds until a projection's place is read again, for another process may have gone back
_SUPERSEDED_PAUSE = 60.0  # seconds until it is looked again, for a newer release may have been taken back


async def nothing(_connection: AsyncConnection) -> None:
    """What is written for events that are not the projection's business: then its place alone moves."""


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


async def place_of(engine: AsyncEngine, projection: Projection) -> int:
    """The `seq` after which a projection goes on. Raises Superseded."""
    async with engine.begin() as connection:
        return await versions.begin(connection, projection)


async def advance(engine: AsyncEngine, journal: Journal, projection: Projection, after: int) -> int:
    """Take the next events of the feed; where the projection stands now: still at `after` where there are none.

    Somewhere else altogether where another process moved it meanwhile; then nothing was written. Raises Superseded.
    """
    envelopes = await journal.read_feed(after=after, limit=projection.batch)
    if not envelopes:
        return after
    step = await projection.prepare(envelopes)
    reached = envelopes[step.taken - 1].seq or 0
    if step.write is nothing and await versions.pass_over(engine, projection, after, reached):
        return reached
    async with engine.begin() as connection:
        held = await versions.hold(connection, projection)
        if held != after:
            return held
        await step.write(connection)
        await versions.move(connection, projection, reached)
    return reached


async def catch_up(engine: AsyncEngine, journal: Journal, projection: Projection) -> None:
    """Advance until the end of the feed."""
    before, after = None, await place_of(engine, projection)
    while after != before:
        before, after = after, await advance(engine, journal, projection, after)


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
                await self._follow(await place_of(self._engine, self._projection))
                pause = 0.1
            except Superseded as reason:
                _log.warning("projection_superseded", projection=self._projection.name, reason=str(reason))
                await asyncio.sleep(_SUPERSEDED_PAUSE)
            except Exception as error:  # noqa: BLE001  # a read model must outlive whatever the database does
                _log.warning("projection_faulted", projection=self._projection.name, error=repr(error)[:500])
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)

    async def _follow(self, after: int) -> None:
        """Advance from `after` on, for as long as that is believed to be the projection's place."""
        until = time.monotonic() + _REMEMBERED
        while (began := time.monotonic()) < until:
            before, after = after, await advance(self._engine, self._journal, self._projection, after)
            if after == before:
                await self._wait()
            elif after - before < self._projection.batch:
                await asyncio.sleep(gather_after(time.monotonic() - began))


def gather_after(took: float) -> float:
    """Seconds that events gather after a step that `took` so long. Pure."""
    return max(_GATHER, min(_LONGEST_GATHER, _RESTS * took))
