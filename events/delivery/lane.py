"""What a consumer says to the transport about the entries it holds. None of it is needed for correctness: what is
not said leads to a redelivery, and the inbox absorbs that.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.delivery.entries import Entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lane:
    """One consumer of one topic, under one name in the transport. `idle_seconds`: when others may take its entries."""

    redis: Redis
    topic: str
    consumer: str
    name: str
    idle_seconds: float

    async def ack(self, entries: Sequence[Entry]) -> None:
        """Say that entries are done."""
        if not entries:
            return
        try:
            await self.redis.xack(self.topic, self.consumer, *(entry.entry_id for entry in entries))
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("%s: not acknowledged, will come again: %s", self.consumer, error)

    async def keep(self, entry: Entry) -> None:
        """Say that an entry is still being worked on. Does not count as a delivery. Raises RedisError."""
        await self.redis.xclaim(self.topic, self.consumer, self.name, 0, [entry.entry_id], justid=True)

    async def hand_back(self, entry: Entry, *, after: float = 0.0) -> None:
        """Let anybody take an entry `after` seconds from now, as if it had not been delivered this time."""
        idle = max(0, round((self.idle_seconds - after) * 1_000))
        try:
            await self.redis.xclaim(
                self.topic,
                self.consumer,
                self.name,
                0,
                [entry.entry_id],
                idle=idle,
                retrycount=max(0, entry.deliveries - 1),
                justid=True,
            )
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("%s: not handed back, will come again: %s", self.consumer, error)
