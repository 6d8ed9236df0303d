"""A kernel for tests: journal, pump by hand, and subscribers, over real servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.catalog import CONSUMERS
from events.delivery.subscriber import EventSubscriber
from events.log.feed import PostgresFeed
from events.log.postgres import PostgresJournal
from events.log.relay import Relay
from events.log.sequencer import sequence
from events.log.streams import RedisStreams
from runtime.broker import create_broker, create_redis
from runtime.database import create_engine
from runtime.settings import BrokerSettings, DatabaseSettings

PATIENCE = 30.0  # seconds: what is awaited comes much sooner, except on a machine that is very busy


@dataclass
class Kernel:
    """`subscriber()` makes a worker; `carry()` does what the pump does, `carrying()` does it all the time."""

    engine: AsyncEngine
    redis: Redis
    broker_settings: BrokerSettings
    journal: PostgresJournal
    relay: Relay
    _started: list[EventSubscriber] = field(default_factory=list)

    def subscriber(self, worker: str = "worker", *, max_deliveries: int = 3) -> EventSubscriber:
        broker = create_broker(self.broker_settings)
        subscriber = EventSubscriber(broker, self.engine, self.redis, worker=worker, max_deliveries=max_deliveries)
        self._started.append(subscriber)
        return subscriber

    async def carry(self) -> None:
        while await sequence(self.engine):
            pass
        await self.relay.check()
        await self.relay.step()
        while not self.relay.is_settled:
            await self.relay.step()

    @asynccontextmanager
    async def carrying(self) -> AsyncIterator[None]:
        async def forever() -> None:
            while True:
                await self.carry()
                await asyncio.sleep(0.02)

        task = asyncio.create_task(forever())
        try:
            yield
        finally:
            while not task.done():  # a cancellation may get lost in a driver that is cleaning up
                task.cancel()
                await asyncio.wait([task], timeout=1.0)
            await asyncio.gather(task, return_exceptions=True)

    async def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def one(self, statement: str, **values: object) -> object:
        [[value]] = await self.rows(statement, **values)
        return value

    async def inbox(self, consumer: str) -> dict[int, str]:
        rows = await self.rows("SELECT seq, outcome FROM es.inbox WHERE consumer = :c ORDER BY seq", c=consumer)
        return {int(str(seq)): str(outcome) for seq, outcome in rows}

    async def pending(self, topic: str, group: str) -> int:
        return int((await self.redis.xpending(topic, group))["pending"])

    async def stop(self) -> None:
        for subscriber in self._started:
            await subscriber.stop(grace=1.0)


@asynccontextmanager
async def a_kernel(
    database_url: str, redis_url: str, consumers: Mapping[str, Sequence[str]] = CONSUMERS
) -> AsyncIterator[Kernel]:
    broker_settings = BrokerSettings(url=SecretStr(redis_url))
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url), pool_size=10), application="test")
    redis = create_redis(broker_settings)
    relay = Relay(PostgresFeed(engine), RedisStreams(redis), consumers)
    kernel = Kernel(engine, redis, broker_settings, PostgresJournal(engine), relay)
    try:
        yield kernel
    finally:
        await kernel.stop()
        await redis.aclose()
        await engine.dispose()


async def until(happened: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """Wait until `happened()` is true; an awaitable one is awaited. Fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        outcome = happened()
        if asyncio.iscoroutine(outcome):
            outcome = await outcome
        if outcome:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
