"""Hear that the feed has grown: one Redis subscription a process, and a poll where Redis is silent."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.log.wake import CHANNEL, SEQUENCED


class Bell:
    """Rings for everybody who waits."""

    def __init__(self, redis: Redis, *, poll: float = 0.15) -> None:
        """`poll` is how long a listener waits at most, in seconds: a wake-up may get lost."""
        self._redis = redis
        self._poll = poll
        self._rings: set[asyncio.Event] = set()

    def listener(self) -> Callable[[], Awaitable[None]]:
        """A function that returns at the next ring since it last returned, or after `poll` seconds."""
        ring = asyncio.Event()
        self._rings.add(ring)

        async def wait() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await ring.wait()
            ring.clear()

        return wait

    def ring(self) -> None:
        """Wake everybody."""
        for event in self._rings:
            event.set()

    async def run(self) -> None:
        """Listen for ever; while Redis is down, listeners poll."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        if message["data"] == SEQUENCED:
                            self.ring()
            except (RedisError, OSError):
                await asyncio.sleep(0.5)
