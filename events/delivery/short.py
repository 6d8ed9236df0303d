"""Consumption in one transaction: inbox row, handler, what it returned; then the acknowledgement."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.delivery import dead_letters, inbox
from events.delivery.crash import crash_point
from events.delivery.entries import Entry, Unreadable, read_envelope
from events.delivery.lane import Lane
from events.delivery.record import record, record_appends
from events.delivery.work import Append, BatchHandler, OnParked
from events.log.journal import WrongExpectedVersion
from events.log.keyring import open_one
from events.log.outage import is_conflict, is_outage
from runtime.database import each_alone

logger = logging.getLogger(__name__)

DECISIONS = 5  # how often a handler decides again, each time on what it then sees
_OUTAGE_PAUSE = 0.5  # seconds

IsHeld = Callable[[Envelope], Awaitable[bool]]


@dataclass(frozen=True)
class Desk:
    """What every way of consuming needs. `committed` is called after each commit that appended something."""

    engine: AsyncEngine
    lane: Lane
    max_deliveries: int
    on_parked: OnParked | None
    committed: Callable[[], None]

    def transaction(self, *, alone: bool) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction; where it is of one statement `alone`, that statement is its own."""
        return each_alone(self.engine).connect() if alone else self.engine.begin()

    async def park(self, entry: Entry, envelope: Envelope | None, error: str) -> None:
        """Set an entry aside, say so in the log, acknowledge it."""
        logger.error("%s: %s of %s is parked: %s", self.lane.consumer, entry.entry_id, entry.topic, error)
        event_id = envelope.event_id if envelope else None
        async with self.engine.begin() as connection:
            message = [(entry.seq, event_id)]
            fresh = await inbox.take(connection, self.lane.consumer, entry.topic, message, inbox.PARKED)
            if fresh or envelope is None:
                await dead_letters.park(connection, self.lane.consumer, entry, error)
            if fresh and envelope is not None:
                await record_appends(connection, self._said_of(entry, envelope))
        self.committed()
        await self.lane.ack([entry])

    def _said_of(self, entry: Entry, envelope: Envelope) -> tuple[Append, ...]:
        try:
            return self.on_parked(envelope, entry.deliveries) if self.on_parked is not None else ()
        except Exception:  # a message that cannot even be spoken of is parked all the same
            logger.exception("%s: nothing can be said of %s", self.lane.consumer, entry.entry_id)
            return ()

    async def admit(self, entry: Entry, is_held: IsHeld | None = None) -> Envelope | None:
        """The envelope to work on; None where the entry was parked instead.

        What somebody is at (`is_held`) is not parked, however often it was delivered: that one may come to an end.
        """
        try:
            envelope = await read_envelope(entry, partial(open_one, self.engine))
        except Unreadable as error:
            await self.park(entry, None, str(error))
            return None
        is_worn = entry.deliveries > self.max_deliveries
        if is_worn and not (is_held is not None and await is_held(envelope)):
            await self.park(entry, envelope, f"delivered {entry.deliveries} times without an end")
            return None
        return envelope

    async def guard(self, entries: Sequence[Entry], work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`. An outage hands the entries back; any other error leaves them pending, counted and retried."""
        try:
            await work()
        except (
            Exception,
            asyncio.CancelledError,
        ) as error:  # the one place that catches broadly
            if is_cancelled_here(error):
                raise
            if is_outage(error):
                logger.warning("%s: the database is away: %s", self.lane.consumer, error)
                await asyncio.gather(*(self.lane.hand_back(entry, after=_OUTAGE_PAUSE) for entry in entries))
                await asyncio.sleep(_OUTAGE_PAUSE)
            else:
                logger.exception("%s: %s failed", self.lane.consumer, [entry.entry_id for entry in entries])


@dataclass(frozen=True)
class TransactionalConsumer:
    """Consumes in transactions: all entries of a read in one (`together`), or each in its own, side by side.

    With `room`, those of one stream are in one, and so many streams are handled side by side.
    """

    desk: Desk
    handler: BatchHandler
    together: bool
    room: asyncio.Semaphore | None = None

    async def consume(self, entries: Sequence[Entry]) -> None:
        """Handle what one read gave."""
        crash_point(self.desk.lane.topic, "after_claim")
        if self.room is not None:
            await asyncio.gather(*(self._of_stream(group, self.room) for group in by_stream(entries)))
        elif self.together and len(entries) > 1:
            await self.desk.guard(entries, lambda: self._as_one(entries))
        else:
            await asyncio.gather(*(self._alone(entry) for entry in entries))

    async def _of_stream(self, entries: Sequence[Entry], room: asyncio.Semaphore) -> None:
        async with room:
            if len(entries) > 1:
                await self.desk.guard(entries, lambda: self._as_one(entries))
            else:
                await self._alone(entries[0])

    async def _as_one(self, entries: Sequence[Entry]) -> None:
        """All entries in one transaction; where one of them makes it fail, each in its own."""
        try:
            await self._transact(entries)
        except Exception as error:
            if is_outage(error):
                raise
            logger.warning("%s: a batch failed (%s); one by one", self.desk.lane.consumer, error)
            for entry in entries:
                await self._alone(entry)

    async def _alone(self, entry: Entry) -> None:
        await self.desk.guard([entry], lambda: self._transact([entry]))

    async def _transact(self, entries: Sequence[Entry]) -> None:
        admitted = [(entry, envelope) for entry in entries if (envelope := await self.desk.admit(entry)) is not None]
        if not admitted:
            return
        for decision in range(1, DECISIONS + 1):
            try:
                async with self.desk.engine.begin() as connection:
                    await self._handle(connection, [envelope for _, envelope in admitted])
                break
            except Exception as error:
                again = isinstance(error, WrongExpectedVersion) or is_conflict(error)
                if not again or decision == DECISIONS:
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**decision))  # noqa: S311  # lets rivals go first
        crash_point(self.desk.lane.topic, "after_append")
        self.desk.committed()
        crash_point(self.desk.lane.topic, "before_ack")
        await self.desk.lane.ack([entry for entry, _ in admitted])

    async def _handle(self, connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
        lane = self.desk.lane
        messages = [(_seq(envelope), envelope.event_id) for envelope in envelopes]
        taken = await inbox.take(connection, lane.consumer, lane.topic, messages)
        fresh = [envelope for envelope in envelopes if envelope.seq in taken]
        if not fresh:
            return
        crash_point(lane.topic, "before_effect")
        result = await self.handler(fresh, connection)
        crash_point(lane.topic, "after_effect")
        crash_point(lane.topic, "before_append")
        await record(connection, result, fresh[0])


def by_stream(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries, those of one stream together; what is no envelope is by itself."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_stream_of(entry), []).append(entry)
    return list(groups.values())


def _stream_of(entry: Entry) -> str:
    try:
        return str(json.loads(entry.payload)["stream_id"])
    except (ValueError, KeyError, TypeError):
        return entry.entry_id


def is_cancelled_here(error: BaseException) -> bool:
    """Whether our own task was told to end, rather than something it waited for (a pool that was shut down, say).

    Such an error, let through, would end the reader for good: FastStream takes it for an order to stop.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _seq(envelope: Envelope) -> int:
    assert envelope.seq is not None  # noqa: S101  # set by `read_envelope`
    return envelope.seq
