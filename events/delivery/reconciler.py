"""Finds events that nobody will ever handle, and brings them back.

Work cannot be lost by a crash: the acknowledgement comes after the commit. It can by a hand that acknowledges or
deletes entries, and by a server that forgets. So: an event above the floor, older than a while, with no inbox row,
which the group has had delivered and does not hold as pending, is revived in its place; where the entry itself
is gone, delivered or not, the stream is deleted, and the relay rebuilds it from the floor.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

logger = logging.getLogger(__name__)

_Place = tuple[int, int]  # generation and seq
_REVIVED_BY = "reconciler"
_LONG_AGO_MS = 86_400_000  # so that the next reclaim takes it at once
_OPEN = text("""
SELECT f.seq, h.generation FROM es.consumers c
JOIN es.feed f ON f.topic = c.topic AND f.seq > c.floor_seq
JOIN es.events e ON e.position = f.position
CROSS JOIN es.feed_head h
WHERE c.consumer = :consumer AND c.topic = :topic
  AND e.recorded_at < clock_timestamp() - make_interval(secs => :older_than)
  AND NOT EXISTS (SELECT FROM es.inbox i WHERE i.consumer = c.consumer AND i.seq = f.seq)
ORDER BY f.seq LIMIT :limit
""")


async def reconcile(
    engine: AsyncEngine, redis: Redis, consumers: Mapping[str, Sequence[str]], *, older_than: float = 60.0
) -> int:
    """Revive what was forgotten; how many events. Safe to run anywhere, any number of times."""
    revived = 0
    for topic, names in consumers.items():
        for name in names:
            entries = await forgotten(engine, redis, topic, name, older_than=older_than)
            if entries:
                await _revive(redis, topic, name, entries)
            revived += len(entries)
    return revived


async def forgotten(
    engine: AsyncEngine, redis: Redis, topic: str, consumer: str, *, older_than: float, limit: int = 200
) -> list[str]:
    """The ids of entries that the group was given and neither handled nor holds, or that went before it was given them.

    The oldest `limit` of them. A stream or a group that is not there has forgotten nothing: the relay will rebuild it.
    """
    values = {"consumer": consumer, "topic": topic, "older_than": older_than, "limit": limit}
    entries = await _open(engine, values)
    reached = await _reached(redis, topic, consumer) if entries else None
    if reached is None:
        return []
    delivered, written = reached
    unheld = [
        entry
        for entry in entries
        if _place(entry) <= delivered and not await redis.xpending_range(topic, consumer, entry, entry, 1)
    ]
    unheld += await _gone(redis, topic, [entry for entry in entries if delivered < _place(entry) <= written])
    # What was handled since the first look is not held any more either; but it is not open any more.
    still_open = set(await _open(engine, values)) if unheld else set()
    return [entry for entry in unheld if entry in still_open]


async def _open(engine: AsyncEngine, values: Mapping[str, object]) -> list[str]:
    async with engine.connect() as connection:
        return [f"{row.generation}-{row.seq}" for row in await connection.execute(_OPEN, values)]


async def _revive(redis: Redis, topic: str, group: str, entries: Sequence[str]) -> None:
    gone = await _gone(redis, topic, entries)
    if gone:
        logger.error("%s: %s are gone from the stream before they were handled; it is rebuilt", topic, gone)
        await redis.delete(topic)
        return
    logger.error("%s: %s were acknowledged without being handled; they are revived", group, entries)
    await redis.xclaim(
        topic, group, _REVIVED_BY, 0, list(entries), idle=_LONG_AGO_MS, retrycount=0, force=True, justid=True
    )


async def _gone(redis: Redis, topic: str, entries: Sequence[str]) -> list[str]:
    return [entry for entry in entries if not await redis.xrange(topic, entry, entry, 1)]


async def _reached(redis: Redis, topic: str, consumer: str) -> tuple[_Place, _Place] | None:
    """What the group was given last, and what was written last; None where the stream or the group is not there."""
    if not await redis.exists(topic):
        return None
    written = (await redis.xinfo_stream(topic))["last-generated-id"]
    groups: list[dict[str, Any]] = await redis.xinfo_groups(topic)
    for found in groups:
        if _text(found["name"]) == consumer:
            return _place(_text(found["last-delivered-id"])), _place(_text(written))
    return None


def _text(raw: bytes | str) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw


def _place(entry: str) -> _Place:
    generation, _, seq = entry.partition("-")
    return int(generation), int(seq)
