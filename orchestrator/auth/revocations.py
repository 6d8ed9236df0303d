"""Tokens that are over before their time: by session, by family of refresh tokens, or one alone.

PostgreSQL has them; Redis has a copy (`revocations_copy.py`), so that asking costs one round trip. The copy is believed
only while its mark stands, which is some seconds: where it was emptied, or away while somebody signed out, PostgreSQL
is asked until the copy is whole again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.auth.revocations_copy import KEPT, MARK, PREFIX, Copy

_log = structlog.get_logger(__name__)
_EVERY = 1.0  # seconds between two looks for what is newer than the copy
_SWEEP = 60.0  # seconds between two removals of what is over
_PATIENCE = 0.5  # seconds to wait for Redis
_AWAY = 1.0  # seconds in which it is not asked again after it did not answer
_REVOKE = text("""
    INSERT INTO auth.revocations (id, until)
    SELECT DISTINCT id, now() + make_interval(secs => :kept) FROM unnest(CAST(:ids AS uuid[])) AS t (id)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until, written = excluded.written
""")
_SOME = text("""
    SELECT EXISTS (SELECT 1 FROM auth.revocations WHERE id = ANY(:ids) AND until > now())
        OR EXISTS (SELECT 1 FROM auth.sessions WHERE session_id = ANY(:ids) AND revoked_at IS NOT NULL)
""")
_OVER = text("DELETE FROM auth.revocations WHERE until < now()")


async def revoke_in(connection: AsyncConnection, revoked: Sequence[UUID]) -> None:
    """As `Revocations.revoke`, in the caller's transaction; whoever commits it tells `Revocations`."""
    await connection.execute(_REVOKE, {"ids": list(revoked), "kept": KEPT})


class Unknown(Exception):
    """Neither Redis nor PostgreSQL can say."""


class Revocations:
    """Which sessions, families and tokens are revoked."""

    def __init__(self, engine: AsyncEngine, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        """`redis` should have a short patience of its own."""
        self._engine = engine
        self._redis = redis
        self._copy = Copy(engine, redis, clock)
        self._clock = clock
        self._away_until = 0.0
        self._untold: set[UUID] = set()  # revoked by us while Redis was away: a copy from before does not know of it

    async def revoke(self, revoked: UUID) -> None:
        """Let no token with this `sid` or `jti` be valid any more. Raises where PostgreSQL does not take it."""
        async with self._engine.begin() as connection:
            await revoke_in(connection, [revoked])
        await self.tell(revoked)

    async def tell(self, revoked: UUID) -> None:
        """Let Redis know at once of what PostgreSQL has; without it, it is known in some seconds."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._redis.set(f"{PREFIX}{revoked}", b"1", ex=KEPT)
        except (RedisError, OSError, TimeoutError):
            self._untold.add(revoked)
            self._away_until = self._clock() + _AWAY

    async def any_revoked(self, *ids: UUID) -> bool:
        """Whether one of `ids` is revoked. Raises Unknown."""
        if not self._untold.isdisjoint(ids):
            return True
        if self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(_PATIENCE):
                    whole, *found = await self._redis.mget([MARK, *(f"{PREFIX}{each}" for each in ids)])
                if any(found):
                    return True
                if whole:
                    return False
            except (RedisError, OSError, TimeoutError) as error:
                self._away_until = self._clock() + _AWAY
                _log.warning("revocations_without_redis", error=repr(error)[:200])
        return await self._ask_database(ids)

    async def run(self) -> None:
        """Keep the copy whole and remove what is over, for ever: the one task of a process that does."""
        swept = -_SWEEP
        while True:
            try:
                await self.fill()
                if self._clock() - swept >= _SWEEP:
                    swept = self._clock()
                    async with self._engine.begin() as connection:
                        await connection.execute(_OVER)
            except (RedisError, SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("revocations_not_copied", error=repr(error)[:200])
            await asyncio.sleep(_EVERY)

    async def fill(self) -> None:
        """Bring the copy up to what PostgreSQL has. Raises as either of them does where it is away."""
        untold = set(self._untold)
        if await self._copy.fill():
            self._untold -= untold

    async def _ask_database(self, ids: tuple[UUID, ...]) -> bool:
        try:
            async with asyncio.timeout(5), self._engine.connect() as connection:
                return bool(await connection.scalar(_SOME, {"ids": list(ids)}))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise Unknown from error
