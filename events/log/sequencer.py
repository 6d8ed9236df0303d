"""Gives committed events their place in the one global order.

Order is assigned after commit, by one short transaction at a time: whoever holds the row of `es.feed_head`. Positions
are handed out before commit and become visible in any order, so nobody may use them as a cursor; `feed.seq` is dense
and a reader that has seen `n` will never see a smaller one appear.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

BATCH = 1_000  # keeps the transaction, and the wait for the row, below 10 ms

# Two statements on purpose: the second one takes its snapshot after the lock is held.
_LOCK = text("SELECT seq FROM es.feed_head FOR UPDATE")
_MOVE = text("""
WITH moved AS (
  DELETE FROM es.outbox WHERE position IN (SELECT position FROM es.outbox ORDER BY position LIMIT :batch)
  RETURNING position, topic
), placed AS (
  INSERT INTO es.feed (seq, position, topic)
  SELECT CAST(:head AS bigint) + row_number() OVER (ORDER BY position), position, topic FROM moved
  RETURNING seq
)
UPDATE es.feed_head SET seq = greatest(seq, (SELECT max(seq) FROM placed))
WHERE EXISTS (SELECT FROM placed)
RETURNING seq
""")
_PEEK = text("SELECT EXISTS (SELECT FROM es.outbox)")


async def sequence(engine: AsyncEngine, *, batch: int = BATCH) -> int:
    """Move at most `batch` events from the outbox to the feed; how many were moved.

    Any number of processes may call this at once. Looks before it locks, so that idling costs one read.
    """
    async with engine.begin() as connection:
        if not (await connection.execute(_PEEK)).scalar_one():
            return 0
        head: int = (await connection.execute(_LOCK)).scalar_one()
        reached: int | None = (await connection.execute(_MOVE, {"batch": batch, "head": head})).scalar_one_or_none()
        return 0 if reached is None else reached - head
