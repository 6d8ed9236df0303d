"""Stopping the pump ends, also where a driver has swallowed the cancellation of one of its parts."""

import asyncio

from pydantic import SecretStr

from events.delivery.pump import Pump
from runtime.broker import create_redis
from runtime.database import create_engine
from runtime.settings import BrokerSettings, DatabaseSettings


async def test_a_part_that_missed_its_cancellation_is_told_again() -> None:
    engine = create_engine(DatabaseSettings(url=SecretStr("postgresql://a:b@127.0.0.1:1/c")), application="test")
    pump = Pump(engine, create_redis(BrokerSettings(url=SecretStr("redis://127.0.0.1:1/0"))))
    missed = 0

    async def deaf_once() -> None:
        nonlocal missed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                missed += 1
                if missed > 1:
                    raise

    pump._tasks.append(asyncio.create_task(deaf_once()))
    await asyncio.sleep(0)

    await asyncio.wait_for(pump.stop(), 10)

    assert missed == 2
