"""What lives as long as the process: its connections, and the work that goes on beside the requests."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.delivery.pump import Pump
from events.delivery.unfinished import Unfinished
from events.log.feed import feed_head
from events.log.postgres import PostgresJournal
from events.log.recent import FollowedJournal, UnhurriedJournal
from events.log.wake import SEQUENCED, WORKED, Wake
from orchestrator.adapters import audit as audit_table
from orchestrator.adapters import deletion, sources
from orchestrator.adapters.edits import Edits
from orchestrator.adapters.erasure import Erasure
from orchestrator.adapters.idempotency import sweep as sweep_answers
from orchestrator.adapters.leases import Leases
from orchestrator.adapters.rebuilds import Rebuilds
from orchestrator.adapters.shadow_reports import ShadowReports
from orchestrator.adapters.snapshots import Snapshots
from orchestrator.adapters.webhook_delivery import WebhookDelivery
from orchestrator.api.dependencies import Services
from orchestrator.audit.keeping import keep_for
from orchestrator.audit.trail import Trail
from orchestrator.auth.lapses import lapsed
from orchestrator.parts import (
    create_github,
    create_retention,
    create_sealer,
    create_uploads_ending,
    sweep_credentials,
)
from orchestrator.progress.channels import Channels
from orchestrator.progress.holders import Holders
from orchestrator.progress.hub import Hub
from orchestrator.progress.tails import flush_ticks, tail_feed, tail_ticks
from orchestrator.progress.works import Works
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import Projection, Runner
from orchestrator.projections.webhooks import Webhooks
from orchestrator.settings import (
    AuditSettings,
    WebhookSettings,
)
from orchestrator.sign_in import account_parts
from orchestrator.subscribers import ERASER
from runtime.objects import Objects
from runtime.tasks import end_tasks, keep_running
from runtime.worker_names import worker_name

_POLL = 0.15  # seconds: a wake-up may get lost, and pages are to be live within half a second
_NEEDED = ("sequencer", "relay", "timers")  # without these, an analysis stands still
_STUCK = 15.0  # seconds without a success of one of them


class Process:
    """The parts of the orchestrator that live as long as the process."""

    def __init__(
        self,
        engine: AsyncEngine,
        requests: AsyncEngine,
        reading: AsyncEngine,
        redis: Redis,
        quick_redis: Redis,
        objects: Objects,
    ) -> None:
        """`engine` is the background's; `requests`, `quick_redis` give up early; `reading` is for the audit trail."""
        self.engine = engine
        self.requests = requests
        self.reading = reading
        self.redis = redis
        self.sealer, self.github = create_sealer(), create_github()
        self.quick_redis = quick_redis
        self.leases = Leases(quick_redis)
        self.hub = Hub()
        self.channels = Channels(redis)
        self.holders = Holders(partial(lapsed, engine))
        self.pump = Pump(engine, redis)
        self.works = Works(self.pump.wakeups.signal(WORKED))
        self.wake = Wake(redis)
        self.journal = PostgresJournal(engine, self.wake)
        self._followed = FollowedJournal(self.journal)
        self.rebuilds = Rebuilds(engine, self.journal, (Overview(), Contents(objects, engine)), self.wake)
        self.projections: tuple[Projection, ...] = (*self.rebuilds.projections, Webhooks())
        self.objects = objects
        self.sources, self.uploads_ending = sources.Sources(objects), create_uploads_ending(engine, objects)
        self.edits = Edits(objects)
        self.erasure = Erasure(engine, redis, objects)
        self.audit = audit_table.AuditTable(engine, reading)
        self.trail = Trail(self.audit.append)
        self._feed_grew = self._waiter()  # one for all times that the feed is followed anew: nobody forgets a waiter
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, services: Services) -> None:
        """Begin to project and to listen, and to look after accounts."""
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "feed": self._follow_feed,
            "ticks": lambda: tail_ticks(self.redis, self.hub),
            "answers while written": self.channels.run,
            "flush": lambda: flush_ticks(self.hub),
            "credentials": partial(sweep_credentials, self.engine),
            "webhook delivery": WebhookDelivery(self.engine, self.sealer, loopback=WebhookSettings().loopback).run,
            "audit": self.trail.run,
            "audit expiry": lambda: keep_for(self.audit.expire, AuditSettings().keep_days),
            "retention": create_retention(self.engine, self.wake, self.trail).run,
            "leases": self.leases.keep,
            "streams": self.holders.watch,
            "uploads": self.uploads_ending.run,
            "answers": lambda: sweep_answers(self.engine),
            "unfinished": Unfinished(self.engine, ERASER, self.erasure, f"{worker_name('orchestrator')}-later").run,
            "rebuilds": self.rebuilds.run,
            "snapshots": Snapshots(self.engine).run,
            "works": self.works.run,
            "shadows": ShadowReports(self.engine, self.journal, self.objects, self.wake).run,
            "forget": lambda: deletion.forget_deleted(self.engine, [self.sources.forget, self.edits.forget]),
        }
        for projection in self.projections:
            parts[projection.name] = Runner(
                self.engine, UnhurriedJournal(self._followed), projection, self._waiter()
            ).run
        parts |= account_parts(self.engine, services.accounts, services.sign_in)
        self._tasks = [asyncio.create_task(keep_running(name, part), name=name) for name, part in parts.items()]

    async def stop(self) -> None:
        """End it all; what was at work is rolled back."""
        self.hub.close()
        await end_tasks(self._tasks)
        if self.github is not None:
            await self.github.close()
        await self.trail.flush()
        await self.quick_redis.aclose()

    async def close(self) -> None:
        """Give the connections back."""
        await self.redis.aclose()
        await self.reading.dispose()
        await self.requests.dispose()
        await self.engine.dispose()

    def _waiter(self) -> Callable[[], Awaitable[object]]:
        signal = self.pump.wakeups.signal(SEQUENCED)
        return lambda: signal.wait(_POLL)

    async def _follow_feed(self) -> None:
        head = await feed_head(self.engine)
        self.hub.recall()
        await tail_feed(self._followed, self.hub, self.channels, after=head, wait=self._feed_grew)

    @property
    def checks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What `/readyz` looks at."""
        return {"database": self.database_answers, "broker": self.broker_answers, "feed": self.feed_moves}

    async def database_answers(self) -> None:
        """Raise where PostgreSQL does not answer, or has no tables."""
        await feed_head(self.requests)

    async def broker_answers(self) -> None:
        """Raise where Redis does not answer."""
        if not await self.redis.ping():
            raise RedisError("no answer to PING")

    async def feed_moves(self) -> None:
        """Raise where events get no place in the feed any more, are not carried on, or timers do not fire."""
        ages = self.pump.ages()
        stuck = [part for part in _NEEDED if ages.get(part, math.inf) > _STUCK]
        if stuck:
            raise TimeoutError(f"the pump's {', '.join(stuck)} got nowhere lately")
