"""Takes over what a dead worker left pending: one entry at a time, so that one that kills cannot take others along."""

from typing import Any

from redis.asyncio import Redis

# (entry id, fields, idle milliseconds, deliveries before this one)
Claimed = tuple[bytes, dict[bytes, bytes], int, int]


async def reclaim_one(redis: Redis, topic: str, consumer: str, name: str, idle_ms: int) -> Claimed | None:
    """The oldest entry that has been idle for `idle_ms`, now pending for `name`; None where there is none.

    What `XREADGROUP … CLAIM` of Redis 8.4 does, for servers that lack it. Raises RedisError.
    """
    pending: list[dict[str, Any]] = await redis.xpending_range(topic, consumer, "-", "+", 1, idle=idle_ms)
    if not pending:
        return None
    [oldest] = pending
    claimed: list[Any] = await redis.xclaim(topic, consumer, name, idle_ms, [oldest["message_id"]])
    if not claimed or claimed[0][1] is None:
        return None  # somebody was faster, or the entry was trimmed below all floors
    entry_id, fields = claimed[0]
    return entry_id, fields, int(oldest["time_since_delivered"]), int(oldest["times_delivered"])
