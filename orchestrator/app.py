"""Put the orchestrator together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from events.catalog import WORKFLOW
from events.delivery.subscriber import EventSubscriber
from orchestrator.adapters import contents, deletion, departure, intake, journals, letters, looks, readmodels
from orchestrator.adapters.asking import Asking
from orchestrator.adapters.clone_logins import CloneLogins
from orchestrator.adapters.conversations import Conversations
from orchestrator.adapters.deletion_of_parts import ConversationDeletion
from orchestrator.adapters.export import Export
from orchestrator.adapters.idempotency import Answers
from orchestrator.adapters.inspection import Inspection
from orchestrator.adapters.repository_credentials import RepositoryCredentials
from orchestrator.adapters.repository_pasts import RepositoryPasts
from orchestrator.adapters.snapshots import KeptPasts
from orchestrator.adapters.usage import Usage
from orchestrator.adapters.webhooks import WebhookTable
from orchestrator.api import problems
from orchestrator.api.dependencies import Services
from orchestrator.api.description import create_api
from orchestrator.api.intake import Rules
from orchestrator.api.layers import layered
from orchestrator.api.routes import ROUTES
from orchestrator.auth.accounts import Accounts
from orchestrator.auth.credentials import Credentials
from orchestrator.auth.directory import Directory
from orchestrator.auth.local_mode import LocalProvider
from orchestrator.parts import (
    create_audit_engine,
    create_bundles,
    create_gate,
    create_installation,
    create_internal,
    create_lookups,
    create_push_hooks,
    create_requests_engine,
    create_searching,
    create_shadows,
    create_uploads,
    create_workflow,
    now,
)
from orchestrator.process import Process
from orchestrator.settings import (
    IntakeSettings,
    OfferSettings,
    QuotaSettings,
    ServiceSettings,
    WebhookSettings,
)
from orchestrator.sign_in import create_accounts, create_sign_in, create_teams, signs_in_locally
from orchestrator.sign_in_settings import PeopleSettings
from orchestrator.subscribers import CONSUMER, subscribe_to_erasure
from runtime.broker import create_broker, create_quick_redis, create_redis
from runtime.database import create_engine
from runtime.drain import on_stop_signal
from runtime.health import health_routes
from runtime.logging import configure_logging
from runtime.objects import open_objects
from runtime.settings import BrokerSettings, DatabaseSettings, HomeSettings, LogSettings, ObjectStoreSettings
from runtime.tenancy import DatabaseRole, TenantDatabase
from runtime.worker_names import worker_name


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
        create_broker(broker), process.engine, process.redis, worker=worker_name("orchestrator")
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
    read = readmodels.ReadModels(rows)
    used, credentials = Usage(rows, QuotaSettings().amounts), RepositoryCredentials(rows, process.sealer)
    sign_in = create_sign_in(accounts, process.wake, now)
    own_tokens = sign_in.tokens if sign_in is not None else None
    searching, limits = create_searching(), OfferSettings().limits
    return Services(
        journals=(logs := journals.Journals(rows, process.wake)),
        inspection=Inspection(logs, RepositoryPasts(read.streams_of), KeptPasts(rows)),
        intake=intake.Intake(rows, process.wake, used),
        answers=Answers(rows, process.sealer),
        asking=Asking(rows, process.wake, used, limits),
        read=read,
        conversations=Conversations(rows),
        deletion=deletion.Deletion(rows, process.wake),
        conversation_deletion=ConversationDeletion(rows, process.wake),
        departure=departure.Departure(process.requests, process.wake, accounts.tokens.revocations.tell),
        export=Export(process.requests, process.engine),
        looks=looks.Looks(rows, now),
        contents=contents.Contents(rows),
        searching=searching,
        sources=process.sources,
        edits=process.edits,
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
        letters=letters.Letters(process.engine, process.wake, now, limits),
        rebuilds=process.rebuilds,
        works=process.works,
        shadows=create_shadows(process.engine, rows, process.journal, process.objects, process.wake, searching),
        bundles=create_bundles(process.engine, rows, process.objects, used, process.wake),
        gate=create_gate(process.quick_redis, process.leases),
        usage=used,
        installation=create_installation(process.engine, process.quick_redis, used),
        uploads=create_uploads(process.engine, rows, process.uploads_ending, now),
        webhooks=WebhookTable(rows, process.sealer),
        webhooks_loopback=WebhookSettings().loopback,
        push_hooks=create_push_hooks(rows, process.sealer),
        rules=Rules(intake_settings.host_names, intake_settings.loopback, intake_settings.history_commits),
        models=OfferSettings().names,
        modes=OfferSettings().modes,
        clock=now,
    )
