"""Processes that erase what was deleted, as the orchestrator does, with shorter pauses."""

import os
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from events.catalog import CONSUMERS, ERASURE
from events.delivery import persist
from events.delivery.pump import Pace, Pump
from events.delivery.subscriber import EventSubscriber
from events.delivery.unfinished import Unfinished
from orchestrator.adapters.erasure import Erasure
from runtime.broker import create_broker, create_redis
from runtime.objects import open_objects
from runtime.settings import BrokerSettings
from tests.faults.workers import _live

CONSUMER = CONSUMERS[ERASURE][0]


def eraser(database_url: str, redis_url: str, home: str, crash_at: str, later: bool) -> None:
    """Consume `erasure`, or (`later`) take up again what was set aside."""
    if crash_at:
        os.environ["REPOSTREAM_CRASH_AT"] = crash_at

    async def main(engine: AsyncEngine, broker_settings: BrokerSettings) -> None:
        redis = create_redis(broker_settings)
        erase = Erasure(engine, redis, open_objects("", Path(home)))
        if later:
            await Unfinished(engine, CONSUMER, erase, "later", look=0.1, first=1.0).run()
        await Pump(engine, redis, pace=Pace(reconcile=5.0)).start()
        subscriber = EventSubscriber(create_broker(broker_settings), engine, redis, worker="eraser")
        subscriber.long(
            ERASURE,
            CONSUMER,
            erase,
            slots=1,
            on_fault=persist.not_given_up,
            on_parked=persist.set_aside,
            idle_seconds=1.0,
        )
        await subscriber.start()

    _live(main, database_url, redis_url)
