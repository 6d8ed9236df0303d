"""The processes that a storm kills. Each function is the whole life of one process."""

import asyncio
import ctypes
import logging
import random
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from faststream import FastStream
from faststream.redis import RedisBroker, StreamSub
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope, caused_by, derived_id
from events.catalog import QUESTIONS, WORKFLOW, stage_topic
from events.delivery import stages
from events.delivery.pump import Pace, Pump
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Append, Result, Run
from events.processing import Stage
from events.question import QuestionAsked
from runtime.broker import create_broker, create_redis
from runtime.database import create_engine
from runtime.settings import BrokerSettings, DatabaseSettings
from tests.support.kernel import AT

DECIDER, ANSWERER, PARSER = "orchestrator.workflow", "ai_engine.answer", "processor.parse"
IDLE = 2.0  # seconds after which what a dead worker held is taken over
PATIENT = 10_000  # deliveries: in a storm many an innocent message sees its worker die

_EFFECT = text("INSERT INTO public.effects (consumer, cause) VALUES (:consumer, :cause)")


def pump(database_url: str, redis_url: str, is_naive: bool) -> None:
    """A process that carries events, as the orchestrator does. Nothing is revived for the naive workers."""
    pace = Pace(reconcile=5.0, forgotten_after=3_600.0 if is_naive else 5.0, trim=5.0)

    async def main(engine: AsyncEngine, broker_settings: BrokerSettings) -> None:
        await Pump(engine, create_redis(broker_settings), pace=pace).start()

    _live(main, database_url, redis_url)


def worker(database_url: str, redis_url: str, name: str) -> None:
    """A process that consumes in all three ways: short, in batches, long."""

    async def main(engine: AsyncEngine, broker_settings: BrokerSettings) -> None:
        redis, broker = create_redis(broker_settings), create_broker(broker_settings)
        subscriber = EventSubscriber(broker, engine, redis, worker=name, max_deliveries=PATIENT)
        subscriber.short(WORKFLOW, DECIDER, _decide, slots=8, idle_seconds=IDLE)
        subscriber.batch(QUESTIONS, ANSWERER, _answer, size=50, idle_seconds=IDLE)
        subscriber.long(
            stage_topic(Stage.PARSE),
            PARSER,
            _parse,
            slots=2,
            on_start=stages.started,
            on_fault=stages.failed,
            on_parked=stages.parked,
            idle_seconds=IDLE,
        )
        await subscriber.start()

    _live(main, database_url, redis_url)


def naive_worker(database_url: str, redis_url: str, name: str) -> None:
    """What the documentation's first example leads to: FastStream's defaults, and no inbox."""

    async def main(engine: AsyncEngine, broker_settings: BrokerSettings) -> None:
        broker = RedisBroker(broker_settings.url.get_secret_value(), logger=None)

        @broker.subscriber(stream=StreamSub(WORKFLOW, group=DECIDER, consumer=name))
        async def handle(entry: dict[str, str]) -> None:
            envelope = Envelope.model_validate_json(entry["event"])
            async with engine.begin() as connection:
                await connection.execute(_EFFECT, {"consumer": DECIDER, "cause": envelope.event_id})
                await _dawdle()

        await FastStream(broker, logger=None).run()
        raise SystemExit(1)  # it gave up; whoever watches it starts it again

    _live(main, database_url, redis_url)


async def _dawdle() -> None:
    await asyncio.sleep(random.uniform(0, 0.01))


def _effects(consumer: str, causes: Sequence[UUID]) -> Callable[[AsyncConnection], Coroutine[Any, Any, None]]:
    async def write(connection: AsyncConnection) -> None:
        await connection.execute(_EFFECT, [{"consumer": consumer, "cause": cause} for cause in causes])
        await _dawdle()

    return write


async def _decide(envelope: Envelope, _: AsyncConnection) -> Result:
    question = derived_id("question", envelope.event_id)
    stream = f"conversation/{question}"
    event = QuestionAsked(question_id=question, repository_id=question, query="what now?")
    draft = caused_by(envelope, stream, event, ordinal=0, at=AT)
    await _dawdle()
    return Result(appends=(Append(stream, (draft,), expected=0),), write=_effects(DECIDER, [envelope.event_id]))


async def _answer(envelopes: Sequence[Envelope], _: AsyncConnection) -> Result:
    await _dawdle()
    return Result(write=_effects(ANSWERER, [envelope.event_id for envelope in envelopes]))


async def _parse(envelope: Envelope, _: Run) -> Result:
    await asyncio.sleep(random.uniform(0.05, 0.8))
    return Result(write=_effects(PARSER, [envelope.event_id]))


def _live(
    main: Callable[[AsyncEngine, BrokerSettings], Coroutine[Any, Any, None]], database_url: str, redis_url: str
) -> None:
    """Run until killed; no orphan is left where the storm itself is killed."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    logging.disable(logging.CRITICAL)

    async def forever() -> None:
        database = DatabaseSettings(url=SecretStr(database_url), pool_size=8)
        engine = create_engine(database, application="storm")
        await main(engine, BrokerSettings(url=SecretStr(redis_url)))
        await asyncio.Event().wait()

    asyncio.run(forever())
