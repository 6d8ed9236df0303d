"""Wake-ups after a commit: best effort, never waited for. Whoever misses one polls a moment later."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

CHANNEL = "es.wake"
APPENDED = b"appended"  # something is in the outbox: for the sequencer
SEQUENCED = b"sequenced"  # the feed has grown: for the relay, for projections and for live pages


class Wake:
    """Publishes wake-ups in the background; many asked for in one moment become one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pending: set[bytes] = set()
        self._task: asyncio.Task[None] | None = None

    def appended(self) -> None:
        """Say that events were committed."""
        self._send(APPENDED)

    def sequenced(self) -> None:
        """Say that events got their place in the feed."""
        self._send(SEQUENCED)

    def _send(self, message: bytes) -> None:
        self._pending.add(message)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._drain(), name="es.wake")

    async def _drain(self) -> None:
        while self._pending:
            message = self._pending.pop()
            try:
                async with asyncio.timeout(2):
                    await self._redis.publish(CHANNEL, message)
            except (RedisError, OSError, TimeoutError):
                self._pending.clear()
