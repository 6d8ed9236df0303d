"""Forget refresh tokens that can let nobody in any more, once nobody needs them as evidence either.

A used token tells that somebody has a copy: whoever shows it ends its family. It stays for as long as an unused one
would have lived; shown after that it is unknown, and refused all the same. The first token of a family stays while the
family lives: it says when it began.
"""

import asyncio

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.refresh import IDLE_DAYS

_log = structlog.get_logger(__name__)
EVERY = 3_600.0  # seconds
_AT_ONCE = 5_000  # rows in one transaction
_GRACE = f"interval '{IDLE_DAYS} days'"
# A replaced token has the epoch as its time of use: it is as old as its making.
_USED = text(f"""
    DELETE FROM auth.refresh_tokens WHERE token_hash IN (
      SELECT t.token_hash FROM auth.refresh_tokens t
      WHERE greatest(t.used_at, t.created_at) < now() - {_GRACE} AND t.used_at IS NOT NULL AND EXISTS (
        SELECT FROM auth.refresh_tokens first
        WHERE first.family_id = t.family_id AND (first.created_at, first.token_hash) < (t.created_at, t.token_hash))
      LIMIT {_AT_ONCE} FOR UPDATE OF t SKIP LOCKED)
""")  # noqa: S608  # constants of ours
_OVER = text(f"""
    DELETE FROM auth.refresh_tokens WHERE token_hash IN (
      SELECT t.token_hash FROM auth.refresh_tokens t WHERE t.family_id IN (
        SELECT family_id FROM auth.refresh_tokens GROUP BY family_id
        HAVING max(least(revoked_at, expires_at)) < now() - {_GRACE})
      LIMIT {_AT_ONCE} FOR UPDATE OF t SKIP LOCKED)
""")  # noqa: S608  # the same


async def forget_old(engine: AsyncEngine) -> int:
    """Remove used tokens and ended families that are older than the grace; how many rows went."""
    gone = 0
    for statement in (_OVER, _USED):
        more = True
        while more:
            async with engine.begin() as connection:
                done = (await connection.execute(statement)).rowcount
            gone += done
            more = done > 0
    if gone:
        _log.info("refresh_tokens_forgotten", rows=gone)
    return gone


async def sweep(engine: AsyncEngine) -> None:
    """Forget what is old enough; then wait an hour."""
    await forget_old(engine)
    await asyncio.sleep(EVERY)
