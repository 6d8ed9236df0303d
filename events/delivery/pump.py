"""Everything that must run somewhere for events to flow: sequencer, relay, timers, floors, trimming, reconciliation.

Any number of processes may run a pump at once: each part is safe by what it does in PostgreSQL or Redis, not by being
the only one. A part that fails is logged and begins again after a pause; an outage of either server is waited out.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from events.catalog import CONSUMERS
from events.delivery import janitor, reconciler, timers
from events.log import floors
from events.log.feed import PostgresFeed
from events.log.relay import Relay
from events.log.sequencer import BATCH, sequence
from events.log.streams import RedisStreams
from events.log.trim import trim
from events.log.wake import APPENDED, SEQUENCED, Wake, Wakeups
from runtime.tasks import end_tasks

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds after a failure
_RESTS, _LONGEST_REST = 4.0, 0.03  # times as long as a pass took, from its beginning; seconds


@dataclass(frozen=True)
class Pace:
    """Seconds between two looks of each part. A wake-up ends a wait of sequencer and relay early."""

    sequencer: float = 0.1
    relay: float = 0.1
    tips: float = 1.0
    timers: float = 0.25
    floors: float = 1.0
    trim: float = 60.0
    reconcile: float = 30.0
    tidy: float = 600.0
    forgotten_after: float = 60.0  # the age at which an event that nobody holds counts as forgotten


class Pump:
    """`start` it with the application, `stop` it before the engine is disposed of."""

    def __init__(
        self,
        engine: AsyncEngine,
        redis: Redis,
        *,
        consumers: Mapping[str, Sequence[str]] = CONSUMERS,
        pace: Pace | None = None,
    ) -> None:
        self._engine = engine
        self._redis = redis
        self._consumers = consumers
        self._pace = pace or Pace()
        name = secrets.token_hex(4).encode()
        self._wake = Wake(redis, name)
        self._tasks: list[asyncio.Task[None]] = []
        self._succeeded: dict[str, float] = {}
        self.wakeups = Wakeups(redis, own=name)
        self._appended = self.wakeups.signal(APPENDED)
        self._sequenced = self.wakeups.signal(SEQUENCED)

    async def start(self) -> None:
        """Begin. Does not wait for either server."""
        relay = Relay(PostgresFeed(self._engine), RedisStreams(self._redis), self._consumers)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "wakeups": self.wakeups.run,
            "sequencer": self._sequence,
            "relay": lambda: self._relay(relay),
            "timers": lambda: self._every(self._pace.timers, "timers", self._fire),
            "floors": lambda: self._every(self._pace.floors, "floors", self._keep_floors),
            "trim": lambda: self._every(self._pace.trim, "trim", self._trim),
            "reconciler": lambda: self._every(self._pace.reconcile, "reconciler", self._reconcile),
            "janitor": lambda: self._every(self._pace.tidy, "janitor", self._tidy),
        }
        for name, part in parts.items():
            self._tasks.append(asyncio.create_task(_for_ever(name, part), name=f"pump {name}"))

    async def stop(self) -> None:
        """End every part. What one of them was at is rolled back or done."""
        await end_tasks(self._tasks)
        self._tasks.clear()

    def ages(self) -> dict[str, float]:
        """Seconds since each part last succeeded, for readiness probes; a part that never did is missing."""
        now = time.monotonic()
        return {name: now - at for name, at in self._succeeded.items()}

    async def _sequence(self) -> None:
        while True:
            began = time.monotonic()
            moved = await sequence(self._engine)
            self._succeeded["sequencer"] = time.monotonic()
            if moved:
                self.wakeups.ring(SEQUENCED)
                self._wake.sequenced()
            if moved < BATCH:  # there was no more; what came since has rung
                rest = rest_after(time.monotonic() - began) if moved else 0.0
                if await self._appended.wait(self._pace.sequencer):
                    await asyncio.sleep(began + rest - time.monotonic())

    async def _relay(self, relay: Relay) -> None:
        async with self._engine.begin() as connection:
            await floors.ensure(connection, self._consumers)
        looked_at, is_woken = -self._pace.tips, False
        while True:
            if time.monotonic() - looked_at >= self._pace.tips:
                await relay.check()
                looked_at = time.monotonic()
            await relay.step(is_woken=is_woken)
            is_woken = False
            self._succeeded["relay"] = time.monotonic()
            if relay.is_settled:
                is_woken = await self._sequenced.wait(self._pace.relay)

    async def _every(self, seconds: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await work()
            self._succeeded[name] = time.monotonic()
            await asyncio.sleep(seconds)

    async def _fire(self) -> None:
        while await timers.fire_due(self._engine):
            self.wakeups.ring(APPENDED)
            self._wake.appended()

    async def _keep_floors(self) -> None:
        async with self._engine.begin() as connection:
            risen = await floors.advance(connection)
        if risen:
            async with self._engine.begin() as connection:
                await floors.compact(connection)

    async def _trim(self) -> None:
        await trim(self._engine, self._redis, self._consumers)

    async def _reconcile(self) -> None:
        older_than = self._pace.forgotten_after
        await reconciler.reconcile(self._engine, self._redis, self._consumers, older_than=older_than)

    async def _tidy(self) -> None:
        await janitor.tidy(self._engine, self._redis, self._consumers)


def rest_after(took: float) -> float:
    """Seconds from the beginning of a pass that moved something and `took` so long until the next one may begin. Pure.

    Where many append, passes take longer, and more is moved by each: relay, read models and live pages follow each of
    them. An event that comes alone, or a moment later, does not wait.
    """
    return min(_LONGEST_REST, _RESTS * took)


async def _for_ever(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run `part`, and again where it fails, after a pause that grows while it fails at once."""
    pause, said = _FIRST_PAUSE, ""
    while True:
        began = time.monotonic()
        try:
            await part()
        except Exception as error:  # noqa: BLE001  # a part of the pump must come back whatever happened to it
            pause = _FIRST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else min(_LONGEST_PAUSE, pause * 2)
            if str(error) != said:
                logger.warning("%s stopped, beginning again: %s: %s", name, type(error).__name__, error)
            said = str(error)
        await asyncio.sleep(pause)
