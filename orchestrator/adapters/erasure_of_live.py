"""Remove from Redis what was sent while it happened: answers being written, and ticks, which name paths."""

import json
from collections.abc import Iterable, Set
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from runtime.live import LiveChannels

_AT_ONCE = 500
# As processes of releases before this one name them, where they run beside it: nobody reads those any more.
_FORMER_TICKS, _FORMER_ANSWER = "live.ticks", "live.answer."


async def forget_answers(redis: Redis, tenant_id: UUID, questions: Iterable[str]) -> None:
    """Delete the channels of a tenant's questions. Raises RedisError."""
    channels = LiveChannels(tenant_id)
    for question in questions:
        await redis.delete(channels.answer(question), f"{_FORMER_ANSWER}{question}")


async def forget_ticks(redis: Redis, tenant_id: UUID, analyses: Set[str]) -> None:
    """Delete the ticks of a tenant's analyses. Raises RedisError."""
    live = LiveChannels(tenant_id)
    channel = live.ticks
    entries: Any = await redis.xrange(channel)
    old = [entry_id for entry_id, fields in entries if _analysis_of(fields) in analyses]
    for start in range(0, len(old), _AT_ONCE):
        await redis.xdel(channel, *old[start : start + _AT_ONCE])
    await redis.delete(_FORMER_TICKS, *map(live.newest_ticks, sorted(analyses)))


async def forget_tenant(redis: Redis, tenant_id: UUID) -> None:
    """Delete all live channels of a tenant. Raises RedisError."""
    async for channel in redis.scan_iter(match=LiveChannels(tenant_id).every, count=_AT_ONCE):
        await redis.delete(channel)
    await redis.delete(_FORMER_TICKS)


def _analysis_of(fields: dict[Any, Any]) -> str | None:
    try:
        found = json.loads(fields[b"tick"]).get("analysis_id")
    except (KeyError, ValueError, AttributeError):
        return None
    return str(found)
