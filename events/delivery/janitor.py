"""Keeps the books short: consumers in the transport whose process is gone, and leases nobody holds any more."""

from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_FORGOTTEN_MS = 3_600_000  # an hour
_DROP_LEASES = text("DELETE FROM es.leases WHERE expires_at < clock_timestamp() - interval '1 day'")


async def tidy(
    engine: AsyncEngine, redis: Redis, consumers: Mapping[str, Sequence[str]], *, idle_ms: int = _FORGOTTEN_MS
) -> int:
    """Delete consumers that hold nothing and have been idle for `idle_ms`; how many.

    Deleting one that holds entries would lose them: a consumer with anything pending stays, whatever its age.
    """
    dropped = 0
    for topic, groups in consumers.items():
        if not await redis.exists(topic):
            continue
        for group in groups:
            found: list[dict[str, Any]] = await redis.xinfo_consumers(topic, group)
            for consumer in found:
                if consumer["pending"] == 0 and consumer["idle"] > idle_ms:
                    dropped += await _drop(redis, topic, group, consumer["name"])
    async with engine.begin() as connection:
        await connection.execute(_DROP_LEASES)
    return dropped


async def _drop(redis: Redis, topic: str, group: str, name: bytes | str) -> int:
    """One script, for between a look and a deletion the consumer may have read something."""
    return int(await redis.eval(_DROP, 1, topic, group, name))


_DROP = """
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
