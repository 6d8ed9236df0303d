"""Work that is not given up: erasing is done again until it succeeds, through whatever outage there is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Envelope
from events.delivery.work import Append, Run
from events.log.ownership import is_stream_worked_on, is_worked_on
from runtime.faults import Fault

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = 8  # deletions in one process: nearly all of one is waiting, for others to end what they are at
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # seconds
_LOOK = 0.25


async def until_done(work: Callable[[], Awaitable[None]], run: Run, what: str) -> None:
    """Return once `work`, which may be done any number of times, succeeded. Raises Cancelled: the lease is lost."""
    pause = _FIRST_PAUSE
    while True:
        run.check()
        try:
            return await work()
        except Exception as error:  # noqa: BLE001  # whatever it was, what a person had deleted must go
            logger.warning("%s is tried again: %s", what, repr(error)[:500])
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)


async def until_idle(engine: AsyncEngine, repository_id: UUID, run: Run) -> None:
    """Return once nobody holds a lease for work on a repository: whoever comes later finds it cancelled."""
    while True:
        run.check()
        async with engine.connect() as connection:
            if not await is_worked_on(connection, repository_id):
                return
        await asyncio.sleep(_LOOK)


async def until_stream_idle(engine: AsyncEngine, stream_id: str, run: Run) -> None:
    """Return once nobody holds a lease for a run of an analysis, or for a question of a conversation."""
    while True:
        run.check()
        async with engine.connect() as connection:
            if not await is_stream_worked_on(connection, stream_id):
                return
        await asyncio.sleep(_LOOK)


def not_given_up(_envelope: Envelope, _fault: Fault) -> tuple[Append, ...]:
    """Nothing is said of a fault: `until_done` lets none through."""
    return ()


def set_aside(_envelope: Envelope, _deliveries: int) -> tuple[Append, ...]:
    """Nothing is said in the log of a deletion that ends its workers: `Unfinished` takes it up again."""
    return ()
