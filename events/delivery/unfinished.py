"""Take up again what was set aside, for consumers whose work must be done some day: what people had deleted.

A message that ended its workers too often is parked, so that it ends no more of them. Here it is tried again, later and
later, under the same lease as ever. The lease itself is the pause: who dies at the work leaves it behind, as long as
the next attempt has to wait.
"""

import asyncio
import logging

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Envelope
from events.delivery import leases
from events.delivery.long import LeasedRun
from events.delivery.persist import SIDE_BY_SIDE
from events.delivery.work import LongHandler
from events.log.postgres import envelopes_of
from runtime.faults import Cancelled
from runtime.tasks import end_tasks

logger = logging.getLogger(__name__)

LOOK, FIRST, LONGEST = 10.0, 15.0, 3_600.0  # seconds between looks; of the first pause; of the longest
# Those that were tried least often first.
_SET_ASIDE = text("""
SELECT e.event_id, e.type, e.schema_version, e.stream_id, e.version, d.seq, e.repository_id, e.user_id, e.tenant_id,
  e.stage, e.correlation_id, e.causation_id, e.traceparent, e.occurred_at, e.data::text AS data, d.attempts
FROM es.dead_letters d JOIN es.feed f ON f.seq = d.seq AND f.topic = d.topic JOIN es.events e USING (position)
WHERE d.consumer = :consumer AND d.resolved_at IS NULL
ORDER BY d.attempts, d.seq
""")
_TRIED = text("""
UPDATE es.dead_letters SET attempts = attempts + 1
WHERE consumer = :consumer AND seq = :seq AND resolved_at IS NULL RETURNING attempts
""")
_DONE = text("""
UPDATE es.dead_letters SET resolved_at = clock_timestamp(), resolution = 'done later'
WHERE consumer = :consumer AND seq = :seq AND resolved_at IS NULL
""")


class Unfinished:
    """Looks for what one consumer set aside, and does it. Any number of processes may do so."""

    def __init__(
        self,
        engine: AsyncEngine,
        consumer: str,
        handler: LongHandler,
        worker: str,
        *,
        look: float = LOOK,
        first: float = FIRST,
    ) -> None:
        self._engine = engine
        self._consumer = consumer
        self._handler = handler
        self._worker = worker
        self._look = look
        self._first = first

    async def run(self) -> None:
        """Look for ever."""
        at_work: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                at_work = {seq: task for seq, task in at_work.items() if not task.done()}
                await self._take_up(at_work)
                await asyncio.sleep(self._look)
        finally:
            await end_tasks(at_work.values())

    async def _take_up(self, at_work: dict[int, asyncio.Task[None]]) -> None:
        """Begin what was set aside, as much as may go on side by side: one that is slow holds up no other."""
        async with self._engine.connect() as connection:
            rows = list(await connection.execute(_SET_ASIDE, {"consumer": self._consumer}))
            envelopes = await envelopes_of(connection, rows)
        for row, envelope in zip(rows, envelopes, strict=True):
            if row.seq in at_work or len(at_work) >= SIDE_BY_SIDE:
                continue
            pause = self.pause_after(row.attempts)
            run = await self._begin(envelope, pause)
            if run is not None:
                logger.warning("%s: %s was set aside and is taken up again", self._consumer, envelope.stream_id)
                at_work[row.seq] = asyncio.create_task(self._do(envelope, run, pause), name=f"later {run.run_id}")

    async def _begin(self, envelope: Envelope, pause: float) -> LeasedRun | None:
        """The run under its lease; None where somebody else is at it, or came to its end meanwhile."""
        run_id = leases.run_id_of(envelope, self._consumer)
        async with self._engine.begin() as connection:
            token = await leases.acquire(connection, run_id, self._worker, pause)
            if token is None:
                return None
            if (await connection.execute(_TRIED, {"consumer": self._consumer, "seq": envelope.seq})).first() is None:
                await leases.release(connection, run_id, token)
                return None
        return LeasedRun(self._worker, run_id, token)

    def pause_after(self, attempts: int) -> float:
        """Seconds until somebody else may try, where the process that does the work dies."""
        return min(LONGEST, self._first * 2.0 ** min(attempts - 4, 10))

    async def _do(self, envelope: Envelope, run: LeasedRun, seconds: float) -> None:
        heartbeat = asyncio.create_task(self._keep(run, seconds), name=f"heartbeat {run.run_id}")
        try:
            await self._handler(envelope, run)
            async with self._engine.begin() as connection:
                await leases.release(connection, run.run_id, run.token)
                await connection.execute(_DONE, {"consumer": self._consumer, "seq": envelope.seq})
        except (Cancelled, leases.LeaseLost):
            logger.warning("%s: somebody else is at %s", self._consumer, envelope.stream_id)
        except Exception as error:  # noqa: BLE001  # the lease runs out, and then it is taken up once more
            logger.warning("%s: %s was not concluded: %s", self._consumer, envelope.stream_id, repr(error)[:500])
        finally:
            await end_tasks([heartbeat])

    async def _keep(self, run: LeasedRun, seconds: float) -> None:
        while not run.lost:
            await asyncio.sleep(seconds / 3)
            try:
                async with self._engine.begin() as connection:
                    run.lost = not await leases.extend(connection, run.run_id, run.token, seconds)
            except Exception as error:  # noqa: BLE001  # an outage ends; until then the token decides
                logger.warning("%s: heartbeat of run %s failed: %s", self._consumer, run.run_id, error)
