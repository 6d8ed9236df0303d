"""Gives committed events their place in the one global order.

Order is assigned after commit, by one short transaction at a time: whoever holds the row of `es.feed_head`. Positions
are handed out before commit and become visible in any order, so nobody may use them as a cursor; `feed.seq` is dense
and a reader that has seen `n` will never see a smaller one appear.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.database import each_alone

BATCH = 1_000  # keeps the transaction, and the wait for the row, below 10 ms

_SEQUENCE = text("SELECT es.sequence(CAST(:batch AS int))")


async def sequence(engine: AsyncEngine, *, batch: int = BATCH) -> int:
    """Move at most `batch` events from the outbox to the feed; how many were moved.

    Any number of processes may call this at once. One statement, which is its own transaction.
    """
    async with each_alone(engine).connect() as connection:
        moved: int = (await connection.execute(_SEQUENCE, {"batch": batch})).scalar_one()
        return moved
