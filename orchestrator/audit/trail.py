"""The way of entries to the table: many in one transaction, none dropped without a word.

Who must know that an entry is durable waits (`record`); refusals do not (`note`), and are written a moment later.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog
from prometheus_client import Counter, Gauge

from events.log.outage import is_outage
from events.log.wake import Signal
from orchestrator.audit.entry import Entry
from orchestrator.audit.repeats import Repeats, of_nobody, repeats

_log = structlog.get_logger(__name__)
LIMIT = 5_000  # entries that wait; what comes above is counted together
_FULL = 2  # times the limit: nothing is to be done any more that must be on record
BATCH = 500
PATIENCE = 3.0  # seconds that an answer waits for its entry
_GATHER = 0.2  # seconds that refusals gather

Write = Callable[[Sequence[Entry]], Awaitable[None]]

entries_total = Counter("repostream_audit_entries_total", "Audit entries written, by outcome.", ("outcome",))
folded_total = Counter("repostream_audit_folded_total", "Refusals that were only counted.")
waiting = Gauge("repostream_audit_waiting", "Audit entries that are not written yet.")


class NotRecorded(Exception):
    """An entry could not be written in time. It stays in line."""


class Backlog:
    """Entries in line. Beyond `limit`, like ones become one entry that says how many they were, and no more whose."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._line: deque[Entry] = deque()
        self._folded: dict[tuple[str, str, str], Entry] = {}

    def __len__(self) -> int:
        return len(self._line) + len(self._folded)

    def add(self, entry: Entry, *, foldable: bool) -> None:
        """Put an entry in line."""
        if not foldable or len(self._line) < self._limit:
            self._line.append(entry)
            return
        folded_total.inc()
        key = (entry.action, entry.outcome, entry.code)
        before = self._folded.get(key)
        if before is not None:
            self._folded[key] = replace(before, times=before.times + entry.times)
            return
        self._folded[key] = of_nobody(entry)

    def first(self, limit: int = BATCH) -> list[Entry]:
        """The first entries in line; they stay in it until they are `done`."""
        if not self._line:
            self._line.extend(self._folded.values())
            self._folded.clear()
        return [self._line[n] for n in range(min(limit, len(self._line)))]

    def done(self, count: int) -> None:
        """Take the first `count` out of the line."""
        for _ in range(count):
            self._line.popleft()


class Trail:
    """Writes what is in line, in its order, for ever."""

    def __init__(self, write: Write, *, limit: int = LIMIT, patience: float = PATIENCE) -> None:
        self._write = write
        self._backlog = Backlog(limit)
        self._limit = limit
        self._repeats = Repeats()
        self._patience = patience
        self._signal = Signal()
        self._writing = asyncio.Lock()
        self._waiters: dict[object, asyncio.Future[None]] = {}

    @property
    def full(self) -> bool:
        """Whether so much waits that nothing should be begun that must be recorded."""
        return len(self._backlog) >= self._limit * _FULL

    def note(self, entry: Entry) -> None:
        """Record soon; what anybody can repeat, from the second on, with all others like it of the same minute."""
        written = self._repeats.take(entry, time.monotonic()) if repeats(entry) else entry
        if written is None:
            folded_total.inc()
            return
        self._backlog.add(written, foldable=True)
        waiting.set(len(self._backlog))

    async def record(self, entry: Entry) -> None:
        """Record now: durable when it returns. Raises NotRecorded where that takes too long; it is written later."""
        done = asyncio.get_running_loop().create_future()
        self._waiters[entry.entry_id] = done
        self._backlog.add(entry, foldable=False)
        self._signal.set()
        try:
            async with asyncio.timeout(self._patience):
                await done
        except TimeoutError:
            raise NotRecorded from None
        finally:
            self._waiters.pop(entry.entry_id, None)

    async def run(self) -> None:
        """Write until cancelled."""
        pause = 0.1
        while True:
            await self._signal.wait(_GATHER)
            try:
                self._put_repeats(time.monotonic())
                await self._write_all()
                pause = 0.1
            except Exception as error:  # noqa: BLE001  # whatever the database does, the trail must go on after it
                _log.warning("audit_trail_waits", waiting=len(self._backlog), error=repr(error)[:500])
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 2)

    async def flush(self, seconds: float = 5.0) -> None:
        """Write what is left at the end of the process; what cannot be written is put into the log."""
        self._put_repeats(math.inf)
        try:
            async with asyncio.timeout(seconds):
                await self._write_all()
        except Exception as error:  # noqa: BLE001  # the process ends in any case, and must say what it leaves behind
            _log.error("audit_trail_not_flushed", waiting=len(self._backlog), error=repr(error)[:500])
        while left := self._backlog.first():
            for entry in left:
                _log.error("audit_entry_unwritten", entry=entry.as_row())
            self._backlog.done(len(left))

    def _put_repeats(self, now: float) -> None:
        for entry in self._repeats.due(now):
            self._backlog.add(entry, foldable=True)

    async def _write_all(self) -> None:
        async with self._writing:
            while batch := self._backlog.first():
                await self._write_batch(batch)

    async def _write_batch(self, batch: Sequence[Entry]) -> None:
        try:
            await self._write(batch)
        except Exception as error:
            if is_outage(error) or isinstance(error, OSError | TimeoutError):
                raise
            if len(batch) == 1:  # no other entry may wait behind one that no table takes
                _log.error("audit_entry_unwritten", entry=batch[0].as_row(), error=repr(error)[:500])
                self._backlog.done(1)
                return
            await self._write_batch(batch[: len(batch) // 2])
            return
        self._backlog.done(len(batch))
        waiting.set(len(self._backlog))
        for entry in batch:
            entries_total.labels(entry.outcome).inc(entry.times)
            done = self._waiters.get(entry.entry_id)
            if done is not None and not done.done():
                done.set_result(None)
