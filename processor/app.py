"""Put the processor together: the only file that reads its settings."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from events.delivery.subscriber import EventSubscriber
from events.log.earlier import EarlierRuns
from events.log.ownership import ArtifactOwners
from events.log.wake import Wake
from events.replay.sandbox import ShadowWorker
from processor.adapters.archive import UploadedArchives
from processor.adapters.egress import EgressProxy, EgressRules
from processor.adapters.forges import Forges, read_forges
from processor.adapters.git import GitRepositories
from processor.adapters.git_ground import GitPolicy
from processor.adapters.git_history import GitPasts
from processor.adapters.git_process import GitLimits
from processor.adapters.logins import HttpLogins
from processor.adapters.parser_pool import ParserPool
from processor.adapters.upstream import read_upstream
from processor.adapters.workspace import Workspace, open_workspace
from processor.api import NAME, internal_routes
from processor.archives.limits import ArchiveLimits
from processor.jobs.base import Backends
from processor.jobs.clone import Clone
from processor.jobs.history import History
from processor.ports import Logins
from processor.settings import IntakeSettings, ProcessorSettings
from processor.stages.take_sources import SourceLimits
from processor.subscribers import Slots, handlers, shadow_handlers, subscribe
from runtime.broker import create_broker, create_redis
from runtime.database import create_engine
from runtime.health import Check, health_routes
from runtime.logging import configure_logging
from runtime.metrics import MeasureRequests
from runtime.objects import open_objects
from runtime.service_tokens import ServiceSigner, ServiceVerifier
from runtime.settings import (
    BrokerSettings,
    DatabaseSettings,
    HomeSettings,
    InternalSettings,
    LogSettings,
    ObjectStoreSettings,
    ServiceKeySettings,
)
from runtime.tasks import end_tasks, keep_running
from runtime.tenancy import DatabaseRole
from runtime.worker_names import worker_name


def create_app() -> Starlette:  # noqa: PLR0915  # one list of what is put together
    """The service: consumes five stages; serves health, metrics and look-ups of refs."""
    logs, home, broker_settings = LogSettings(), HomeSettings().home, BrokerSettings()
    intake, settings = IntakeSettings(), ProcessorSettings()
    configure_logging(service="processor", level=logs.level, format=logs.format)
    engine, redis = (
        create_engine(DatabaseSettings(), application="processor", role=DatabaseRole.PROCESSOR),
        create_redis(broker_settings),
    )
    workspace = open_workspace(settings.work or home / "work")
    objects = open_objects(ObjectStoreSettings().url, home).claimed_in(ArtifactOwners(engine))
    backends = Backends(objects, redis, EarlierRuns(engine))
    clones, cores = settings.clones, settings.parsers or _cores()
    pool = ParserPool(cores)
    subscriber = EventSubscriber(create_broker(broker_settings), engine, redis, worker=worker_name("processor"))
    slots = Slots(clone=clones, history=clones, describe=settings.readers, parse=cores)
    logins = _logins()
    forges = _forges(intake)
    egress = _egress(intake, forges.api_hosts())
    forges = replace(forges, proxy=lambda: egress.port)
    repositories = GitRepositories(_policy(intake, egress.url), workspace)
    archives = UploadedArchives(workspace, ArchiveLimits(intake.archive_bytes, intake.archive_entries))
    clone = replace(_clone(intake, backends, repositories, logins), archives=archives)
    history = History(backends, _pasts(intake, egress.url, workspace), intake.history_commits, logins)
    subscribe(subscriber, handlers(backends, clone, history, pool, slots))
    shadows = ShadowWorker(engine, objects, shadow_handlers(pool), worker_name("processor"), Wake(redis).worked)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        egress.start()
        await subscriber.start()
        shadowing = asyncio.create_task(keep_running("shadows", shadows.run))
        yield
        await end_tasks([shadowing])
        await subscriber.stop()
        egress.close()
        await pool.close()
        if logins is not None:
            await logins.close()
        workspace.close()
        await redis.aclose()
        await engine.dispose()

    callers = ServiceVerifier(NAME, ServiceKeySettings().public_keys)
    routes = [
        *health_routes(_checks(engine, redis, workspace)),
        *internal_routes(repositories, callers, forges.size_of, forges.ahead),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.add_middleware(MeasureRequests)
    return app


def _checks(engine: AsyncEngine, redis: Redis, workspace: Workspace) -> dict[str, Check]:
    async def database() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def broker() -> None:
        if not await redis.ping():
            raise RedisError("no answer to PING")

    async def disk() -> None:
        writable(workspace.folder)

    return {"database": database, "broker": broker, "disk": disk}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def writable(folder: Path) -> None:
    """Raise OSError where no file can be written in `folder`."""
    probe = folder / ".probe"
    probe.write_bytes(b"")
    probe.unlink(missing_ok=True)


def _logins() -> HttpLogins | None:
    """The way to logins for private repositories; none where this service has no key to be known by."""
    if not ServiceKeySettings().key.get_secret_value():
        return None
    signer = ServiceSigner("processor", ServiceKeySettings().key.get_secret_value())
    return HttpLogins(InternalSettings().orchestrator_url, lambda: signer.headers("orchestrator"))


def _forges(intake: IntakeSettings) -> Forges:
    """The hosts that are asked for sizes: those that repositories are read from. Exits where the setting is wrong."""
    try:
        kinds = read_forges(intake.forges)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    read = {host: kind for host, kind in kinds.items() if intake.loopback or host in intake.host_names}
    return Forges(read, lambda: 0, intake.ca_file)


def _egress(intake: IntakeSettings, api_hosts: frozenset[str]) -> EgressProxy:
    """The way out. Exits with a sentence where the setting of an operator's proxy cannot be read."""
    try:
        upstream = read_upstream(intake.proxy)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    return EgressProxy(EgressRules(intake.host_names | api_hosts, loopback=intake.loopback, upstream=upstream))


def _clone(intake: IntakeSettings, backends: Backends, repositories: GitRepositories, logins: Logins | None) -> Clone:
    limits = SourceLimits(
        files=intake.files,
        text_bytes=intake.text_bytes,
        wanted_bytes=intake.wanted_bytes,
        manifest_bytes=intake.manifest_bytes,
    )
    return Clone(backends, repositories, limits, intake.tree_entries, logins)


def _pasts(intake: IntakeSettings, proxy: str, workspace: Workspace) -> GitPasts:
    size = intake.history_bytes
    limits = GitLimits(seconds=intake.history_seconds, folder_bytes=size, file_bytes=size)
    return GitPasts(_policy(intake, proxy), workspace, limits)


def _policy(intake: IntakeSettings, proxy: str) -> GitPolicy:
    limits = GitLimits(seconds=intake.clone_seconds, folder_bytes=intake.clone_bytes, file_bytes=intake.clone_bytes)
    return GitPolicy(intake.host_names, proxy, loopback=intake.loopback, ca_file=intake.ca_file, limits=limits)
