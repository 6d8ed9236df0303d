"""Single parts of the process, made from the settings that each of them has: the smaller half of `app.py`."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from fastapi import APIRouter
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from events.delivery.work import ShortHandler
from events.log.journal import Journal
from events.log.ownership import ArtifactOwners
from events.log.wake import Wake
from events.replay.bundle import Limits
from orchestrator import workflow
from orchestrator.adapters import database, snapshots, streams
from orchestrator.adapters.bundles import Bundles
from orchestrator.adapters.commits import watch_commits
from orchestrator.adapters.github_app import GithubApp
from orchestrator.adapters.installation import Installation
from orchestrator.adapters.leases import Leases
from orchestrator.adapters.lookups import Lookups
from orchestrator.adapters.pace import read_pace
from orchestrator.adapters.policy import Policy
from orchestrator.adapters.promoting_shadows import Promoting
from orchestrator.adapters.push_hooks import PushHooks
from orchestrator.adapters.rates import Rates
from orchestrator.adapters.repository_credentials import sweep
from orchestrator.adapters.retention import Retention
from orchestrator.adapters.searching import Searching
from orchestrator.adapters.shadows import Shadows
from orchestrator.adapters.uploads import Uploads
from orchestrator.adapters.uploads_ending import UploadsEnding
from orchestrator.adapters.usage import Usage
from orchestrator.api import internal
from orchestrator.api.dependencies import Services
from orchestrator.api.limiting import Gate
from orchestrator.audit.trail import Trail
from orchestrator.auth.address import read_networks
from orchestrator.settings import (
    BundleSettings,
    GithubAppSettings,
    LimitSettings,
    PreflightSettings,
    PushHookSettings,
    RetentionSettings,
    ShadowSettings,
    UploadSettings,
)
from orchestrator.subscribers import workflow_handler
from runtime.database import create_engine
from runtime.objects import Objects
from runtime.sealing import Sealer
from runtime.secret_files import Secret
from runtime.service_tokens import ServiceSigner, ServiceVerifier
from runtime.settings import DatabaseSettings, InternalSettings, SecretSettings, ServiceKeySettings
from runtime.tenancy import DatabaseRole, TenantDatabase

_AUDIT_READERS = 3
_SWEEP = 60.0  # seconds
_AUDIT_SECONDS = 10.0  # of one statement, which looks at the whole trail


def create_sealer() -> Sealer | None:
    """What seals stored secrets; None where no key is set."""
    key = SecretSettings().key.get_secret_value()
    return Sealer(key) if key else None


def create_github() -> GithubApp | None:
    """The GitHub App that reads private repositories, where one is configured."""
    app = GithubAppSettings()
    if not app.id:
        return None
    return GithubApp(app_id=app.id, key=Secret(GithubAppSettings, "private_key"), api_url=app.api_url)


def create_uploads_ending(engine: AsyncEngine, objects: Objects) -> UploadsEnding:
    """What lets uploads go."""
    return UploadsEnding(engine, objects, timedelta(hours=UploadSettings().keep_hours))


def create_uploads(
    engine: AsyncEngine, rows: TenantDatabase, ending: UploadsEnding, clock: Callable[[], datetime]
) -> Uploads:
    """What takes uploads. `engine` is the background's, which keeps the books of parts."""
    return Uploads(rows, ending.objects.claimed_in(ArtifactOwners(engine)), ending, clock, limit=UploadSettings().bytes)


def create_requests_engine(settings: DatabaseSettings, seconds: float) -> AsyncEngine:
    """The engine of requests, whose statements may take `seconds`."""
    own = settings.model_copy(update={"url": settings.requests_url}) if settings.requests_url else settings
    engine = create_engine(own, application="orchestrator-api", role=DatabaseRole.REQUESTS)
    return watch_commits(database.limit_statements(engine, seconds))


def create_audit_engine(settings: DatabaseSettings) -> AsyncEngine:
    """The engine of those who look at the audit trail: few connections, whose statements end in time for an answer."""
    few = settings.model_copy(update={"pool_size": _AUDIT_READERS, "max_overflow": 0})
    engine = create_engine(few, application="orchestrator-audit", role=DatabaseRole.BACKGROUND)
    return database.limit_statements(engine, _AUDIT_SECONDS)


def create_gate(quick_redis: Redis, leases: Leases) -> Gate:
    """What limits requests. Exits with a sentence where a limit or a proxy cannot be read."""
    limits = LimitSettings()
    try:
        callers = ServiceVerifier(internal.NAME, ServiceKeySettings().public_keys)
        return Gate(limits.rules, Rates(quick_redis), leases, read_networks(limits.trusted_proxies), callers)
    except ValueError as error:
        raise SystemExit(str(error)) from error


async def sweep_credentials(engine: AsyncEngine) -> None:
    """Look once for tokens that were given for one analysis and are not needed any more; then rest."""
    await sweep(engine, now())
    await asyncio.sleep(_SWEEP)


def create_bundles(engine: AsyncEngine, rows: TenantDatabase, objects: Objects, used: Usage, wake: Wake) -> Bundles:
    """What exports and imports analyses. `engine` is the background's, which keeps the books of artifacts."""
    limits = BundleSettings()
    unpacked = Limits(bytes=limits.unpacked)
    return Bundles(
        rows, objects.claimed_in(ArtifactOwners(engine)), used, wake, now, limit=limits.bytes, unpacked=unpacked
    )


def create_shadows(
    engine: AsyncEngine, rows: TenantDatabase, journal: Journal, objects: Objects, wake: Wake, searching: Searching
) -> Shadows:
    """What runs the present code beside what serves. `engine` is the background's, which keeps the books."""
    booked = objects.claimed_in(ArtifactOwners(engine))
    promoting = Promoting(rows, journal, booked, wake, searching.promote)
    return Shadows(rows, promoting, kept=ShadowSettings().kept)


def create_lookups() -> Lookups:
    """The way to ask hosts, by the processor; where this service has no key to be known by, it asks nothing."""
    key = ServiceKeySettings().key.get_secret_value()
    signer = ServiceSigner(internal.NAME, key) if key else None
    headers = partial(signer.headers, "processor") if signer is not None else None
    return Lookups(InternalSettings().processor_url, headers)


def create_searching() -> Searching:
    """The way to search, by rag_manager; where this service has no key to be known by, it searches nothing."""
    key = ServiceKeySettings().key.get_secret_value()
    signer = ServiceSigner(internal.NAME, key) if key else None
    headers = partial(signer.headers, "rag_manager") if signer is not None else None
    return Searching(InternalSettings().rag_manager_url, headers)


def create_installation(engine: AsyncEngine, quick_redis: Redis, usage: Usage) -> Installation:
    """What administrators see of the whole; it asks the services at the addresses by which they reach each other."""
    return Installation(engine, quick_redis, usage, InternalSettings().urls)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def create_push_hooks(rows: TenantDatabase, sealer: Sealer | None) -> PushHooks:
    """What hosts of repositories call."""
    return PushHooks(rows, sealer, limit=PushHookSettings().bytes)


def create_internal(services: Services) -> APIRouter:
    """The routes for the other services of the installation."""
    callers = ServiceVerifier(internal.NAME, ServiceKeySettings().public_keys)
    return internal.internal_routes(services.logins, services.contents, callers)


def create_retention(engine: AsyncEngine, wake: Wake, trail: Trail) -> Retention:
    """What deletes by policy."""
    days = RetentionSettings()
    policy = Policy(
        repository_days=days.repository_days,
        ended_days=days.ended_days,
        analyses_kept=days.analyses,
        analysis_days=days.analysis_days,
        conversation_days=days.conversation_days,
    )
    return Retention(engine, wake, trail.record, policy)


def create_workflow() -> ShortHandler:
    """What decides on analyses, by the limits over which one waits for a person."""
    policy = workflow.Policy(thresholds=PreflightSettings().thresholds)
    return workflow_handler(streams.read_to_decide, policy, read_pace, snapshots.decided_on)
