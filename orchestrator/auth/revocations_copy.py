"""The copy in Redis of what is revoked: filled with what is newer than it, by one task of each process.

`auth:revoked:upto` says how far the copy goes: the oldest transaction that had not ended when PostgreSQL was read, so
that whatever is not in the copy was written by that one or a later one. It lies in Redis beside what it speaks of and
is written after it: what loses the one, or goes back to an earlier state of it, does so to the other.
"""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.tokens import MAX_LIFE

PREFIX = "auth:revoked:"
MARK = f"{PREFIX}whole"
KEPT = MAX_LIFE + 60  # seconds: by then every token of it is over by itself
_UPTO = f"{PREFIX}upto"
_WHOLE = 3.0  # seconds that the copy is believed after PostgreSQL was read
_FILLING = 30_000  # milliseconds in which whoever fills an empty copy has it to themselves
_AT_ONCE = 1_000  # keys in one round trip
_PATIENCE = 2.0  # seconds for one round trip
_NEWER = text("""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS upto,
      (SELECT array_agg(id) FROM auth.revocations WHERE written >= :since AND until > now()) AS ids
""")
# Only where nobody emptied it, or went further, since we looked: else it would be believed with something missing.
_FINISH = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
if tonumber(ARGV[4]) > 0 then redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) end
return 1
"""


class Copy:
    """What makes the copy whole."""

    def __init__(self, engine: AsyncEngine, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._redis = redis
        self._clock = clock
        self._finish = redis.register_script(_FINISH)

    async def fill(self) -> bool:
        """Send what is newer than the copy, all of it where it is empty; whether it has all that we read.

        Raises as Redis and PostgreSQL do.
        """
        async with asyncio.timeout(_PATIENCE):
            known = await self._redis.get(_UPTO)
        if known is not None and not known.isdigit():
            return False  # another process is filling it
        began = self._clock()
        upto, ids = await self._newer(int(known or 0))
        if known is not None and upto < int(known):
            await self._redis.delete(MARK, _UPTO)  # PostgreSQL was set back, or is another: begin anew next time
            return False
        claim = known if known is not None else await self._claim()
        if claim is None:
            return False
        await self._send(ids)
        return await self._finished(claim, upto, began)

    async def _newer(self, since: int) -> tuple[int, list[UUID]]:
        async with asyncio.timeout(_PATIENCE), self._engine.connect() as connection:
            row = (await connection.execute(_NEWER, {"since": since})).one()
        return row.upto, row.ids or []

    async def _claim(self) -> bytes | None:
        """Take an empty copy in hand; None where another process was first."""
        claim = f"by {uuid4()}".encode()
        async with asyncio.timeout(_PATIENCE):
            return claim if await self._redis.set(_UPTO, claim, px=_FILLING, nx=True) else None

    async def _send(self, ids: list[UUID]) -> None:
        for start in range(0, len(ids), _AT_ONCE):
            async with asyncio.timeout(_PATIENCE), self._redis.pipeline(transaction=False) as pipeline:
                for each in ids[start : start + _AT_ONCE]:
                    pipeline.set(f"{PREFIX}{each}", b"1", ex=KEPT)
                await pipeline.execute()

    async def _finished(self, claim: bytes | str, upto: int, began: float) -> bool:
        left = _WHOLE - (self._clock() - began)  # where it took longer, the mark comes with what is newer by now
        values: list[bytes | str | int] = [claim, upto, KEPT, int(left * 1000)]
        async with asyncio.timeout(_PATIENCE):
            return bool(await self._finish(keys=[_UPTO, MARK], args=values))
