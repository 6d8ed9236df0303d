"""The one way to consume events: `EventSubscriber` over FastStream.

FastStream wires and drives the reading; everything that must not go wrong is decided here. Its traps, and what is
done about each, are listed in docs/decisions/0020-delivery.md and shown in tests/integration/events/test_traps.py.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import Any, Protocol

from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.redis import RedisBroker, StreamSub
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.delivery.entries import FIELD, Entry
from events.delivery.lane import Lane
from events.delivery.long import LeasedConsumer
from events.delivery.patient import Gate, PatientConnection
from events.delivery.short import Desk, TransactionalConsumer
from events.delivery.work import (
    BatchHandler,
    LongHandler,
    OnCancelled,
    OnFault,
    OnParked,
    OnStart,
    Result,
    ShortHandler,
)
from events.log.wake import Wake

logger = logging.getLogger(__name__)

_BLOCK_MS = 1_000  # a read waits in the server; also the longest that stopping waits for it
_ABANDON_SECONDS = 5.0
_NEWEST_READ = 32  # messages, most of which are of one stream where many shards end together
_QUIET_LOOKS = 3  # between a read that came back and its handling there is a moment in which neither shows


class _Consumer(Protocol):
    async def consume(self, entries: Sequence[Entry]) -> None: ...


class EventSubscriber:
    """Consumes topics for one process. Register handlers, then `start`; `stop` before the process ends.

    A handler's effects happen once, however often its message is delivered: inbox row, effects and new events are one
    transaction, and the acknowledgement comes after. A message that ends its worker more than `max_deliveries`
    times is parked.
    """

    def __init__(
        self, broker: RedisBroker, engine: AsyncEngine, redis: Redis, *, worker: str, max_deliveries: int = 3
    ) -> None:
        self._broker = broker
        self._engine = engine
        self._redis = redis
        self._worker = worker
        self._max_deliveries = max_deliveries
        self._wake = Wake(redis)
        self._gate = Gate()
        self._leased: list[LeasedConsumer] = []
        self._busy = 0
        # Two processes may have been given one name (every container has a process 1), two consumers may not.
        self._name = f"{worker}-{secrets.token_hex(3)}"
        config = broker.config.broker_config
        config.connection = PatientConnection(config.connection, self._gate)  # type: ignore[assignment]  # of our own client

    def short(
        self,
        topic: str,
        consumer: str,
        handler: ShortHandler,
        *,
        slots: int = 8,
        on_parked: OnParked | None = None,
        idle_seconds: float = 5.0,
    ) -> None:
        """Consume `topic` with a handler that works in the transaction; `slots` messages side by side."""

        async def handle(envelopes: Sequence[Envelope], connection: AsyncConnection) -> Result:
            [envelope] = envelopes
            return await handler(envelope, connection)

        desk = self._desk(topic, consumer, "0", idle_seconds, on_parked)
        self._subscribe(desk, TransactionalConsumer(desk, handle, together=False), count=slots)

    def newest(
        self, topic: str, consumer: str, handler: ShortHandler, *, slots: int = 8, idle_seconds: float = 5.0
    ) -> None:
        """As `short`, for a handler that looks at the whole stream: of messages read together it gets the newest.

        That stands for all of them, in one transaction; `slots` streams side by side.
        """

        async def handle(envelopes: Sequence[Envelope], connection: AsyncConnection) -> Result:
            return await handler(max(envelopes, key=lambda envelope: envelope.version), connection)

        desk = self._desk(topic, consumer, "0", idle_seconds, None)
        consuming = TransactionalConsumer(desk, handle, together=False, room=asyncio.Semaphore(slots))
        self._subscribe(desk, consuming, count=_NEWEST_READ)

    def batch(  # noqa: PLR0913  # each is one decision of the caller
        self,
        topic: str,
        consumer: str,
        handler: BatchHandler,
        *,
        size: int = 500,
        slots: int = 1,
        on_parked: OnParked | None = None,
        idle_seconds: float = 5.0,
    ) -> None:
        """Consume `topic` with a handler that takes up to `size` messages in one transaction; `slots` side by side."""
        for slot in range(slots):
            desk = self._desk(topic, consumer, str(slot), idle_seconds, on_parked)
            consuming = TransactionalConsumer(desk, handler, together=True)
            self._subscribe(desk, consuming, count=size, is_documented=slot == 0)

    def long(  # noqa: PLR0913  # each is one decision of the caller
        self,
        topic: str,
        consumer: str,
        handler: LongHandler,
        *,
        slots: int,
        on_fault: OnFault,
        on_parked: OnParked,
        on_start: OnStart | None = None,
        on_cancelled: OnCancelled | None = None,
        idle_seconds: float = 15.0,
    ) -> None:
        """Consume `topic` with a handler that works under a lease; `slots` runs side by side, none read ahead.

        A worker that dies is followed by another after `idle_seconds`, which a heartbeat keeps from passing.
        """
        for slot in range(slots):
            desk = self._desk(topic, consumer, str(slot), idle_seconds, on_parked)
            leased = LeasedConsumer(desk, handler, self._worker, on_start, on_fault, on_cancelled)
            self._leased.append(leased)
            self._subscribe(desk, leased, count=1, is_documented=slot == 0)

    async def start(self) -> None:
        """Begin to consume. Does not wait for the transport, nor for groups that are not there yet."""
        self._gate.is_open = True
        await self._broker.start()

    async def stop(self, grace: float = 10.0) -> None:
        """Stop reading, let what is being handled end within `grace` seconds, hand back the rest."""
        self._gate.is_open = False
        await self._settle(grace)
        for leased in self._leased:
            leased.stopping.set()
        await self._settle(_ABANDON_SECONDS)
        await self._broker.stop()

    @property
    def busy(self) -> int:
        """How many reads are being handled."""
        return self._busy

    async def _settle(self, seconds: float) -> None:
        """Wait until nothing is handled, and until reads that were under way have come back."""
        loop = asyncio.get_running_loop()
        deadline, quiet = loop.time() + seconds, 0
        while loop.time() < deadline and quiet < _QUIET_LOOKS:
            await asyncio.sleep(0.02)
            quiet = 0 if self._busy or self._gate.reading else quiet + 1

    def _desk(self, topic: str, consumer: str, slot: str, idle_seconds: float, on_parked: OnParked | None) -> Desk:
        lane = Lane(self._redis, topic, consumer, f"{self._name}:{slot}", idle_seconds)
        return Desk(self._engine, lane, self._max_deliveries, on_parked, self._wake.appended)

    def _subscribe(self, desk: Desk, consumer: _Consumer, *, count: int, is_documented: bool = True) -> None:
        async def consume(delivered: Any) -> None:  # noqa: ANN401  # a tuple of entries; typed, FastStream would copy it
            self._busy += 1
            try:
                await consumer.consume(delivered)
            finally:
                self._busy -= 1

        lane = desk.lane
        subscribe = self._broker.subscriber(
            stream=StreamSub(
                lane.topic,
                group=lane.consumer,
                consumer=lane.name,
                batch=True,
                max_records=count,
                polling_interval=_BLOCK_MS,
                claim_min_idle_time=round(lane.idle_seconds * 1_000),
                declare=False,
            ),
            ack_policy=AckPolicy.MANUAL,
            parser=_parse,
            decoder=_entries,
            no_reply=True,
            title=f"{lane.topic} → {lane.consumer}",
            include_in_schema=is_documented,
        )
        subscribe(consume)


async def _parse(raw: Any) -> StreamMessage[Any]:  # noqa: ANN401  # FastStream's raw dictionary
    """The message with its bytes as they are: FastStream's own formats are not used."""
    return StreamMessage(raw_message=raw, body=b"")


async def _entries(message: StreamMessage[Any]) -> tuple[Entry, ...]:
    raw = message.raw_message
    counts = raw.get("delivery_counts") or [0] * len(raw["data"])
    return tuple(
        Entry(raw["channel"], entry_id.decode(), fields.get(FIELD, b""), before + 1)
        for entry_id, fields, before in zip(raw["message_ids"], raw["data"], counts, strict=True)
    )
