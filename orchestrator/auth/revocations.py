"""Tokens that are over before their time: by session, by family of refresh tokens, or one alone.

PostgreSQL has them; Redis has a copy, so that asking costs one round trip. The copy is whole only while its mark
stands, and the mark ends after some seconds: a Redis that was emptied, or away while somebody signed out, is filled
again before it is believed again.
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

from orchestrator.auth.tokens import MAX_LIFE

_log = structlog.get_logger(__name__)
PREFIX = "auth:revoked:"
_MARK = f"{PREFIX}whole"
KEPT = MAX_LIFE + 60  # seconds: by then every token of it is over by itself
_WHOLE = 3.0  # seconds that the copy is believed
_PATIENCE = 0.5  # seconds to wait for Redis
_AWAY = 1.0  # seconds in which it is not asked again after it did not answer
_ALL = f"""
    SELECT id FROM auth.revocations WHERE until > now()
    UNION SELECT session_id FROM auth.sessions WHERE revoked_at > now() - interval '{KEPT} seconds'
"""  # noqa: S608  # constants of ours
_SOME = """
    SELECT EXISTS (SELECT 1 FROM auth.revocations WHERE id = ANY(:ids) AND until > now())
        OR EXISTS (SELECT 1 FROM auth.sessions WHERE session_id = ANY(:ids) AND revoked_at IS NOT NULL)
"""


async def revoke_in(connection: AsyncConnection, revoked: Sequence[UUID]) -> None:
    """As `Revocations.revoke`, in the caller's transaction; whoever commits it tells `Revocations`."""
    statement = """
        INSERT INTO auth.revocations (id, until)
        SELECT DISTINCT id, now() + make_interval(secs => :kept) FROM unnest(CAST(:ids AS uuid[])) AS t (id)
        ON CONFLICT (id) DO UPDATE SET until = excluded.until
    """
    await connection.execute(text(statement), {"ids": list(revoked), "kept": KEPT})


class Unknown(Exception):
    """Neither Redis nor PostgreSQL can say."""


class Revocations:
    """Which sessions, families and tokens are revoked."""

    def __init__(self, engine: AsyncEngine, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        """`redis` should have a short patience of its own."""
        self._engine = engine
        self._redis = redis
        self._clock = clock
        self._away_until = 0.0
        self._untold: set[UUID] = set()  # revoked by us while Redis was away: a copy from before does not know of it

    async def revoke(self, revoked: UUID) -> None:
        """Let no token with this `sid` or `jti` be valid any more. Raises where PostgreSQL does not take it."""
        async with self._engine.begin() as connection:
            await revoke_in(connection, [revoked])
            await connection.execute(text("DELETE FROM auth.revocations WHERE until < now()"))
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
                    whole, *found = await self._redis.mget([_MARK, *(f"{PREFIX}{each}" for each in ids)])
                if any(found):
                    return True
                if whole:
                    return False
            except (RedisError, OSError, TimeoutError) as error:
                self._away_until = self._clock() + _AWAY
                _log.warning("revocations_without_redis", error=repr(error)[:200])
        return await self._ask_database(ids)

    async def _ask_database(self, ids: tuple[UUID, ...]) -> bool:
        untold = set(self._untold)
        try:
            async with asyncio.timeout(5), self._engine.connect() as connection:
                revoked = bool(await connection.scalar(text(_SOME), {"ids": list(ids)}))
                everything = list(await connection.scalars(text(_ALL)))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise Unknown from error
        await self._fill(everything, untold)
        return revoked

    async def _fill(self, everything: list[UUID], untold: set[UUID]) -> None:
        """Make the copy whole, with those that were `untold` before the database was asked.

        What is revoked meanwhile tells Redis itself, or is found at the next time.
        """
        if self._clock() < self._away_until:
            return
        try:
            async with asyncio.timeout(_PATIENCE), self._redis.pipeline(transaction=True) as pipeline:
                for each in everything:
                    pipeline.set(f"{PREFIX}{each}", b"1", ex=KEPT)
                pipeline.set(_MARK, b"1", px=int(_WHOLE * 1000))
                await pipeline.execute()
            self._untold -= untold
        except (RedisError, OSError, TimeoutError):
            self._away_until = self._clock() + _AWAY
