"""Remove from Redis what was sent while it happened: answers being written, and ticks, which name paths."""

import json
from collections.abc import Iterable, Set
from typing import Any

from redis.asyncio import Redis

from runtime.live import TICKS, answer_channel

_AT_ONCE = 500


async def forget_answers(redis: Redis, questions: Iterable[str]) -> None:
    """Delete the channels of these questions. Raises RedisError."""
    for question in questions:
        await redis.delete(answer_channel(question))


async def forget_ticks(redis: Redis, analyses: Set[str]) -> None:
    """Delete the ticks of these analyses. Raises RedisError."""
    entries: Any = await redis.xrange(TICKS)
    old = [entry_id for entry_id, fields in entries if _analysis_of(fields) in analyses]
    for start in range(0, len(old), _AT_ONCE):
        await redis.xdel(TICKS, *old[start : start + _AT_ONCE])


def _analysis_of(fields: dict[Any, Any]) -> str | None:
    try:
        found = json.loads(fields[b"tick"]).get("analysis_id")
    except (KeyError, ValueError, AttributeError):
        return None
    return str(found)
