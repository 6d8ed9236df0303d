"""Consumption under a lease: work outside any transaction, kept alive by a heartbeat, recorded with a fencing token."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.delivery import inbox, leases, runs
from events.delivery.crash import crash_point
from events.delivery.entries import Entry
from events.delivery.record import joined, record, record_appends
from events.delivery.short import Desk, is_cancelled_here
from events.delivery.work import Append, LongHandler, OnCancelled, OnFault, OnStart, Result
from events.log.outage import is_conflict, is_database_away, is_outage
from events.log.postgres import read_stream_in
from runtime.faults import Cancelled, Fault, Transient
from runtime.tasks import end_tasks

logger = logging.getLogger(__name__)

_BEAT = 1.0  # seconds at most between two heartbeats: a cancellation is heard within it and ends within two
_GRACE = 0.3  # seconds in which a run that is to stop may end by itself: then what it waits for is cancelled
_AWAY = "PostgreSQL was away or restarted while this was at work."
_PAUSE = 0.25  # seconds between attempts to record a result while the database is away


@dataclass
class LeasedRun:
    """`work.Run` under a lease."""

    worker: str
    run_id: UUID
    token: int = 0
    asked_to_stop: bool = False
    lost: bool = False
    desk: Desk | None = None  # where it may record something before it ends
    over: asyncio.Event = field(default_factory=asyncio.Event)  # set once it is cancelled

    @property
    def cancelled(self) -> bool:
        """As `Run.cancelled`."""
        return self.asked_to_stop or self.lost

    def check(self) -> None:
        """As `Run.check`."""
        if self.cancelled:
            raise Cancelled("the lease was lost" if self.lost else "a person asked")

    async def record(self, append: Append) -> None:
        """As `Run.record`."""
        desk = self._desk
        while True:
            self.check()
            try:
                async with desk.engine.begin() as connection:
                    kept = await leases.extend(connection, self.run_id, self.token, desk.lane.idle_seconds)
                    self.lost = not kept
                    self.check()
                    await record_appends(connection, [append])
            except Exception as error:
                if not (is_outage(error) or is_conflict(error)):
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                desk.committed()
                return

    async def recorded(self, envelope: Envelope) -> list[Envelope]:
        """As `Run.recorded`."""
        try:
            async with self._desk.engine.connect() as connection:
                return await read_stream_in(connection, envelope.stream_id, after=envelope.version)
        except TimeoutError as error:  # of connecting: outside, it would be taken for the end of the work's own time
            raise Transient("database_unavailable", _AWAY) from error

    @property
    def _desk(self) -> Desk:
        if self.desk is None:
            raise RuntimeError("this run records nothing before it ends")
        return self.desk


@dataclass(frozen=True)
class LeasedConsumer:
    """Consumes one entry at a time. `stopping` is set where the process wants to end and the work must be given up."""

    desk: Desk
    handler: LongHandler
    worker: str
    on_start: OnStart | None
    on_fault: OnFault
    on_cancelled: OnCancelled | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def consume(self, entries: Sequence[Entry]) -> None:
        """Handle what one read gave: one entry, as a rule."""
        for entry in entries:
            crash_point(self.desk.lane.topic, "after_claim")
            await self.desk.guard([entry], lambda entry=entry: self._consume(entry))  # type: ignore[misc]  # bound now

    async def _consume(self, entry: Entry) -> None:
        envelope = await self.desk.admit(entry, self._is_held)
        if envelope is None:
            return
        run = LeasedRun(self.worker, leases.run_id_of(envelope, self.desk.lane.consumer), desk=self.desk)
        begun = await self._begin(run, entry, envelope)
        if begun is None:
            await self.desk.lane.ack([entry])
        elif not begun:
            await self.desk.lane.hand_back(entry, after=min(1.0, self.desk.lane.idle_seconds / 3))
            await asyncio.sleep(min(0.5, self.desk.lane.idle_seconds / 6))
        else:
            if self.on_start is not None:
                self.desk.committed()
            await self._work(run, entry, envelope)

    async def _is_held(self, envelope: Envelope) -> bool:
        async with self.desk.engine.connect() as connection:
            return await leases.is_held(connection, leases.run_id_of(envelope, self.desk.lane.consumer))

    async def _begin(self, run: LeasedRun, entry: Entry, envelope: Envelope) -> bool | None:
        """True: the lease is ours, and it is said so. False: somebody else has it. None: there is nothing to do."""
        async with self.desk.transaction(alone=self.on_start is None) as connection:
            begun = await runs.begin(connection, self._holder(run), envelope, self.desk.lane.idle_seconds)
            if not begun.is_open:
                return None
            if begun.token is None:
                return False
            run.token = begun.token
            if begun.is_stopped:
                await self._conclude(connection, run, envelope, await self._of_cancelled(envelope), inbox.CANCELLED)
                return None
            if self.on_start is not None:
                await record(connection, Result(self.on_start(envelope, run)), envelope)
        return True

    async def _work(self, run: LeasedRun, entry: Entry, envelope: Envelope) -> None:
        heartbeat = asyncio.create_task(self._keep(run, entry, envelope), name=f"heartbeat {run.run_id}")
        try:
            crash_point(entry.topic, "before_effect")
            concluded = await self._outcome(run, envelope)
            crash_point(entry.topic, "after_effect")
            done = concluded is not None and await self._record(run, envelope, *concluded)
        finally:
            await end_tasks([heartbeat])
        if done:
            crash_point(entry.topic, "after_append")
            self.desk.committed()
            crash_point(entry.topic, "before_ack")
            await self.desk.lane.ack([entry])
        elif not run.lost:
            await self._give_up(run, entry)

    async def _outcome(self, run: LeasedRun, envelope: Envelope) -> tuple[Result, str] | None:
        """What is to be recorded, and as what; None where nothing is, because the process ends or the lease is lost."""
        work = asyncio.ensure_future(self.handler(envelope, run))
        stop = asyncio.create_task(self.stopping.wait())
        told = asyncio.create_task(_told(run))
        try:
            await asyncio.wait((work, stop, told), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            return await work, inbox.DONE
        except Cancelled as ended:
            return await self._ended(run, envelope, ended)
        except asyncio.CancelledError as error:
            if is_cancelled_here(error) and not self.stopping.is_set():
                raise
            return await self._cut_off(run, envelope, error)
        except Exception as error:  # noqa: BLE001  # whatever a stage may raise is a fact
            if work.cancelling() and not run.over.is_set():
                return None  # by the end of the process: that may be what the cancelling was turned into
            return await self._failed(run, envelope, error)
        finally:
            for task in (stop, told, work):
                task.cancel()

    async def _cut_off(
        self, run: LeasedRun, envelope: Envelope, error: asyncio.CancelledError
    ) -> tuple[Result, str] | None:
        """What is to be recorded of work that was cancelled: by the end of the process or of the run, or by itself."""
        if self.stopping.is_set():
            return None
        return await self._failed(run, envelope, error)

    async def _ended(
        self, run: LeasedRun, envelope: Envelope, ended: Cancelled | None = None
    ) -> tuple[Result, str] | None:
        """What is to be recorded of a run that was cancelled; nothing where the lease was lost."""
        return None if run.lost else (await self._of_cancelled(envelope, ended), inbox.CANCELLED)

    async def _of_cancelled(self, envelope: Envelope, ended: Cancelled | None = None) -> Result:
        return Result(await self.on_cancelled(envelope, ended)) if self.on_cancelled is not None else Result()

    async def _failed(self, run: LeasedRun, envelope: Envelope, error: BaseException) -> tuple[Result, str] | None:
        """A fault, or the end of the run where it was cancelled: that may be what the cancelling was turned into."""
        if run.over.is_set():
            return await self._ended(run, envelope)
        return Result(self.on_fault(envelope, self._why(run, error))), inbox.FAILED

    async def _record(self, run: LeasedRun, envelope: Envelope, result: Result, outcome: str) -> bool:
        """Whether the result is recorded, now or before. Waits for a database that is away, until the lease is lost."""
        crash_point(self.desk.lane.topic, "before_append")
        while not run.lost:
            try:
                async with self.desk.transaction(alone=_is_one_statement(result)) as connection:
                    await self._conclude(connection, run, envelope, result, outcome)
            except leases.LeaseLost as error:
                logger.warning("%s: a result comes too late: %s", self.desk.lane.consumer, error)
                run.lost = True
            except Exception as error:
                if is_outage(error) and self.stopping.is_set():
                    return False
                if not (is_outage(error) or is_conflict(error)):
                    if outcome == inbox.FAILED:
                        raise
                    result, outcome = Result(self.on_fault(envelope, self._why(run, error))), inbox.FAILED
                await asyncio.sleep(_PAUSE)
            else:
                return True
        return False

    def _why(self, run: LeasedRun, error: BaseException) -> Fault:
        """The fault that an error of the work, or of writing its result, is told as."""
        return told_as(error, f"{self.desk.lane.consumer}: run {run.run_id}")

    async def _conclude(
        self, connection: AsyncConnection, run: LeasedRun, envelope: Envelope, result: Result, outcome: str
    ) -> None:
        append = runs.only_append(result)
        # All at once and before the stream is held, or two runs of one stream could wait for each other.
        envelopes = [envelope, *(each.envelope for each in result.also)]
        taken = await runs.conclude(connection, self._holder(run), run.token, envelopes, outcome, append)
        if envelope.seq in taken and append is None:
            await record(connection, result, envelope)
        also = [each.append for each in result.also if each.envelope.seq in taken]
        await record_appends(connection, joined(also))

    def _holder(self, run: LeasedRun) -> runs.Holder:
        return runs.Holder(run.run_id, run.worker, self.desk.lane.consumer, self.desk.lane.topic)

    async def _keep(self, run: LeasedRun, entry: Entry, envelope: Envelope) -> None:
        """Extend the lease, keep the entry, listen for a cancellation, until the run ends or is lost."""
        lane = self.desk.lane
        while not run.lost:
            await asyncio.sleep(min(_BEAT, lane.idle_seconds / 3))  # the lease has just begun
            try:
                async with self.desk.engine.begin() as connection:
                    run.lost = not await leases.extend(connection, run.run_id, run.token, lane.idle_seconds)
                    run.asked_to_stop = run.asked_to_stop or await runs.is_stopped(connection, envelope)
                if run.cancelled:
                    run.over.set()
                if not run.lost:
                    await lane.keep(entry)
            except Exception as error:  # noqa: BLE001  # an outage ends; until then the token decides, not the heartbeat
                logger.warning("%s: heartbeat of run %s failed: %s", lane.consumer, run.run_id, error)

    async def _give_up(self, run: LeasedRun, entry: Entry) -> None:
        """Let another worker go on at once."""
        with suppress(leases.LeaseLost):
            async with self.desk.engine.begin() as connection:
                await leases.release(connection, run.run_id, run.token)
        await self.desk.lane.hand_back(entry)


async def _told(run: LeasedRun) -> None:
    """Return once a run is cancelled and did not end by itself: it may wait for a server that does not answer."""
    await run.over.wait()
    await asyncio.sleep(_GRACE)


def _is_one_statement(result: Result) -> bool:
    return result == Result() or runs.only_append(result) is not None


def told_as(error: BaseException, whose: str) -> Fault:
    """The fault that whatever `whose` work raised is told as. What is none goes to the log."""
    if isinstance(error, Fault):
        return error
    if is_database_away(error):
        logger.warning("%s lost the database: %s", whose, error)
        return Transient("database_unavailable", _AWAY)
    logger.error("%s failed in an unforeseen way", whose, exc_info=error)
    return Transient("internal_error", "Something unforeseen went wrong in this step; the log of the service has more.")
