"""Put the orchestrator together: the only file that reads its settings."""

import asyncio
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.catalog import WORKFLOW
from events.delivery.pump import Pump
from events.delivery.subscriber import EventSubscriber
from events.delivery.unfinished import Unfinished
from events.log.feed import feed_head
from events.log.postgres import PostgresJournal
from events.log.wake import SEQUENCED, Wake
from orchestrator.adapters import audit as audit_table
from orchestrator.adapters import contents, deletion, departure, intake, journals, letters, looks, readmodels, sources
from orchestrator.adapters.asking import Asking
from orchestrator.adapters.clone_logins import CloneLogins
from orchestrator.adapters.deletion_of_parts import ConversationDeletion
from orchestrator.adapters.erasure import Erasure
from orchestrator.adapters.export import Export
from orchestrator.adapters.idempotency import Answers
from orchestrator.adapters.idempotency import sweep as sweep_answers
from orchestrator.adapters.inspection import Inspection
from orchestrator.adapters.leases import Leases
from orchestrator.adapters.rebuilds import Rebuilds
from orchestrator.adapters.repository_credentials import RepositoryCredentials
from orchestrator.adapters.usage import Usage
from orchestrator.adapters.webhook_delivery import WebhookDelivery
from orchestrator.adapters.webhooks import WebhookTable
from orchestrator.api import problems
from orchestrator.api.dependencies import Services
from orchestrator.api.description import create_api
from orchestrator.api.intake import Rules
from orchestrator.api.layers import layered
from orchestrator.api.routes import ROUTES
from orchestrator.audit.keeping import keep_for
from orchestrator.audit.trail import Trail
from orchestrator.auth.accounts import Accounts
from orchestrator.auth.credentials import Credentials
from orchestrator.auth.directory import Directory
from orchestrator.auth.lapses import lapsed
from orchestrator.auth.local_mode import LocalProvider
from orchestrator.parts import (
    create_audit_engine,
    create_bundles,
    create_gate,
    create_github,
    create_internal,
    create_lookups,
    create_push_hooks,
    create_requests_engine,
    create_retention,
    create_sealer,
    create_searching,
    create_uploads,
    create_uploads_ending,
    create_workflow,
    now,
    sweep_credentials,
)
from orchestrator.progress.channels import Channels
from orchestrator.progress.holders import Holders
from orchestrator.progress.hub import Hub
from orchestrator.progress.tails import flush_ticks, tail_feed, tail_ticks
from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview
from orchestrator.projections.runner import Projection, Runner
from orchestrator.projections.webhooks import Webhooks
from orchestrator.settings import (
    AuditSettings,
    IntakeSettings,
    OfferSettings,
    PeopleSettings,
    QuotaSettings,
    ServiceSettings,
    WebhookSettings,
)
from orchestrator.sign_in import account_parts, create_accounts, create_sign_in, create_teams, signs_in_locally
from orchestrator.subscribers import CONSUMER, ERASER, subscribe_to_erasure
from runtime.broker import create_broker, create_quick_redis, create_redis
from runtime.database import create_engine
from runtime.drain import on_stop_signal
from runtime.health import health_routes
from runtime.logging import configure_logging
from runtime.objects import Objects, open_objects
from runtime.settings import BrokerSettings, DatabaseSettings, HomeSettings, LogSettings, ObjectStoreSettings
from runtime.tasks import end_tasks, keep_running
from runtime.tenancy import DatabaseRole, TenantDatabase

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
        self.wake = Wake(redis)
        self.journal = PostgresJournal(engine, self.wake)
        self.rebuilds = Rebuilds(engine, self.journal, (Overview(), Contents(objects, engine)))
        self.projections: tuple[Projection, ...] = (*self.rebuilds.projections, Webhooks())
        self.sources, self.uploads_ending = sources.Sources(objects), create_uploads_ending(engine, objects)
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
            "unfinished": Unfinished(self.engine, ERASER, self.erasure, f"orchestrator-{os.getpid()}-later").run,
            "rebuilds": self.rebuilds.run,
            "forget": lambda: deletion.forget_deleted(self.engine, self.sources.forget),
        }
        for projection in self.projections:
            parts[projection.name] = Runner(self.engine, self.journal, projection, self._waiter()).run
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
        await tail_feed(self.journal, self.hub, after=head, wait=self._feed_grew)

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


def create_app() -> FastAPI:  # one list of what is put together
    """The service. Exits with a sentence where it would be open to others without a sign-in."""
    logs, service, database_settings = LogSettings(), ServiceSettings(), DatabaseSettings()
    configure_logging(service="orchestrator", level=logs.level, format=logs.format)
    local, broker = signs_in_locally(service), BrokerSettings()
    objects = open_objects(ObjectStoreSettings().url, HomeSettings().home)
    process = Process(
        create_engine(database_settings, application="orchestrator", role=DatabaseRole.BACKGROUND),
        create_requests_engine(database_settings, service.queries_seconds),
        create_audit_engine(database_settings),
        create_redis(broker),
        create_quick_redis(broker),
        objects,
    )
    accounts = create_accounts(process.requests, process.quick_redis, local=local)
    subscriber = EventSubscriber(
        create_broker(broker), process.engine, process.redis, worker=f"orchestrator-{os.getpid()}"
    )
    subscriber.newest(WORKFLOW, CONSUMER, create_workflow())
    subscribe_to_erasure(subscriber, process.erasure)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await process.pump.start()
        await subscriber.start()
        process.start(app.state.services)
        with on_stop_signal(process.hub.close):
            yield
        await process.stop()
        await app.state.services.lookups.close()
        await app.state.services.searching.close()
        await subscriber.stop()
        await process.pump.stop()
        await process.close()

    app = create_api(ROUTES, lifespan)
    app.state.services = _services(process, accounts, local=local)
    app.include_router(create_internal(app.state.services))
    app.router.routes.extend(health_routes(process.checks))
    problems.register(app)
    app.middleware_stack = layered(app, app.state.services, process.trail, service, PeopleSettings().public_url)
    return app


def _services(process: Process, accounts: Accounts, *, local: bool) -> Services:
    intake_settings = IntakeSettings()
    rows = TenantDatabase(process.requests)
    used, credentials = Usage(rows, QuotaSettings().amounts), RepositoryCredentials(rows, process.sealer)
    sign_in = create_sign_in(accounts, process.wake, now)
    own_tokens = sign_in.tokens if sign_in is not None else None
    return Services(
        journals=(logs := journals.Journals(rows, process.wake)),
        inspection=Inspection(logs),
        intake=intake.Intake(rows, process.wake, used),
        answers=Answers(rows, process.sealer),
        asking=Asking(rows, process.wake, used),
        read=readmodels.ReadModels(rows),
        deletion=deletion.Deletion(rows, process.wake),
        conversation_deletion=ConversationDeletion(rows, process.wake),
        departure=departure.Departure(process.requests, process.wake, accounts.tokens.revocations.tell),
        export=Export(process.requests, process.engine),
        looks=looks.Looks(rows, now),
        contents=contents.Contents(rows),
        searching=create_searching(),
        sources=process.sources,
        hub=process.hub,
        holders=process.holders,
        channels=process.channels,
        provider=Credentials(accounts, local=LocalProvider() if local else None),
        accounts=accounts,
        directory=Directory(accounts.engine, accounts.tokens.revocations.tell),
        sign_in=sign_in,
        teams=create_teams(accounts, process.wake, now),
        credentials=credentials,
        logins=CloneLogins(process.journal, credentials, process.github, own_tokens, now),
        lookups=create_lookups(),
        audit=process.audit,
        letters=letters.Letters(process.engine, process.wake, now),
        rebuilds=process.rebuilds,
        bundles=create_bundles(process.engine, rows, process.uploads_ending.objects, used, process.wake),
        gate=create_gate(process.quick_redis, process.leases),
        usage=used,
        uploads=create_uploads(process.engine, rows, process.uploads_ending, now),
        webhooks=WebhookTable(rows, process.sealer),
        webhooks_loopback=WebhookSettings().loopback,
        push_hooks=create_push_hooks(rows, process.sealer),
        rules=Rules(intake_settings.host_names, intake_settings.loopback, intake_settings.history_commits),
        models=OfferSettings().names,
        modes=OfferSettings().modes,
        clock=now,
    )
