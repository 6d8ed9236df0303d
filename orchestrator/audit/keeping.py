"""Let old entries go."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

_log = structlog.get_logger(__name__)
_EVERY = 3_600.0  # seconds


async def keep_for(expire: Callable[[datetime], Awaitable[int]], days: int) -> None:
    """Expire what is older than `days`, now and every hour; 0 keeps everything."""
    while True:
        if days:
            before = datetime.now(UTC) - timedelta(days=days)
            while gone := await expire(before):  # some at a time: changes wait meanwhile to be recorded
                _log.info("audit_expired", entries=gone, days=days)
        await asyncio.sleep(_EVERY)
