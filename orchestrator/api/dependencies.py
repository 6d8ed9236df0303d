"""What routes are handed: the process's parts, and who is asking."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer, SecurityScopes

from events.artifacts import ArtifactRef
from events.base import Context, Envelope
from events.processing import StageCompleted
from orchestrator.adapters.asking import Asking
from orchestrator.adapters.audit import AuditTable
from orchestrator.adapters.bundles import Bundles
from orchestrator.adapters.clone_logins import CloneLogins
from orchestrator.adapters.contents import Contents
from orchestrator.adapters.conversations import Conversations
from orchestrator.adapters.deletion import Deletion
from orchestrator.adapters.deletion_of_parts import ConversationDeletion
from orchestrator.adapters.departure import Departure
from orchestrator.adapters.edits import Edits
from orchestrator.adapters.export import Export
from orchestrator.adapters.idempotency import Answers
from orchestrator.adapters.inspection import Inspection
from orchestrator.adapters.installation import Installation
from orchestrator.adapters.intake import Intake
from orchestrator.adapters.journals import Journals
from orchestrator.adapters.letters import Letters
from orchestrator.adapters.looks import Looks
from orchestrator.adapters.lookups import Lookups
from orchestrator.adapters.push_hooks import PushHooks
from orchestrator.adapters.readmodels import ReadModels
from orchestrator.adapters.rebuilds import Rebuilds
from orchestrator.adapters.repository_credentials import RepositoryCredentials
from orchestrator.adapters.searching import Searching
from orchestrator.adapters.shadows import Shadows
from orchestrator.adapters.sources import Sources
from orchestrator.adapters.uploads import Uploads
from orchestrator.adapters.usage import Usage
from orchestrator.adapters.webhooks import WebhookTable
from orchestrator.api import idempotency
from orchestrator.api.answer_models import Mode
from orchestrator.api.intake import Rules
from orchestrator.api.limiting import Gate
from orchestrator.api.problems import ApiProblem, correlation_of, status_of
from orchestrator.api.shared_access import check_shared
from orchestrator.api.strict import only_known_parameters
from orchestrator.audit.note import note_of
from orchestrator.auth.accounts import Accounts
from orchestrator.auth.directory import Directory
from orchestrator.auth.identity import ADMIN, ASK, EVENTS, READ, WRITE, Identity, IdentityProvider
from orchestrator.auth.sign_in import SignIn
from orchestrator.auth.teams import Teams
from orchestrator.progress.channels import Channels
from orchestrator.progress.holders import Holders
from orchestrator.progress.hub import Hub
from orchestrator.progress.stream import answered_stream
from orchestrator.progress.works import Works
from orchestrator.projections.analyses import OVER, AnalysisRecord, fold
from runtime.faults import Permanent


@dataclass(frozen=True)
class Services:
    """The parts of one process that requests use."""

    journals: Journals
    inspection: Inspection
    intake: Intake
    asking: Asking
    answers: Answers
    read: ReadModels
    conversations: Conversations
    deletion: Deletion
    conversation_deletion: ConversationDeletion
    departure: Departure
    export: Export
    looks: Looks
    contents: Contents
    searching: Searching
    sources: Sources
    edits: Edits
    hub: Hub
    holders: Holders
    channels: Channels
    provider: IdentityProvider
    credentials: RepositoryCredentials
    logins: CloneLogins
    lookups: Lookups
    audit: AuditTable
    letters: Letters
    rebuilds: Rebuilds
    works: Works
    shadows: Shadows
    bundles: Bundles
    gate: Gate
    accounts: Accounts
    directory: Directory
    usage: Usage
    installation: Installation
    uploads: Uploads
    sign_in: SignIn | None  # None in local mode
    teams: Teams
    webhooks: WebhookTable
    webhooks_loopback: bool
    push_hooks: PushHooks
    rules: Rules
    models: tuple[str, ...]
    modes: tuple[Mode, ...]
    clock: Callable[[], datetime]


def services_of(request: Request) -> Services:
    """The services of the application that the request came to."""
    services: Services = request.app.state.services
    return services


async def _parts(request: Request) -> Services:  # as every dependency: a plain function would be called in a thread
    return services_of(request)


Parts = Annotated[Services, Depends(_parts)]


_BEARER = HTTPBearer(
    scheme_name="bearer", description="A session token (JWT) or an API key (`rsk_…`).", auto_error=False
)
_COOKIE = APIKeyCookie(
    name="__Host-sid", scheme_name="session", description="The session of a browser.", auto_error=False
)


async def identify(
    scopes: SecurityScopes,
    request: Request,
    _bearer: Annotated[object, Security(_BEARER)] = None,  # these two are declared for the API's description alone:
    _cookie: Annotated[object, Security(_COOKIE)] = None,  # the provider looks at the request itself
) -> Identity:
    """Who is asking. Raises ApiProblem `forbidden` where a scope that the route declares is missing.

    Whoever has a sharing link is told `not_found` of everything but what it shows. Raises RequestValidationError where
    the address has a parameter that the route does not take.
    """
    note = note_of(request)
    note.scopes = tuple(scopes.scopes)
    parts = services_of(request)
    parts.gate.check_address(request)
    try:
        note.identity = identity = await parts.provider.identify(request)
    except (Permanent, ApiProblem) as error:
        if status_of(error.code) == 401:
            await parts.gate.failed(request)
        raise
    await parts.gate.admit(request, identity)
    if identity.shared is not None:
        await check_shared(request, identity, parts.read)
    if not identity.scopes.issuperset(scopes.scopes):
        raise ApiProblem("forbidden", f"It takes the scope {' '.join(scopes.scopes)}.")
    only_known_parameters(request)  # once it is known who asks: strangers are told that alone, and it is on record
    await idempotency.begin(request, identity, parts.answers)
    return identity


async def held_stream(request: Request) -> AsyncIterator[None]:
    """Counts the stream that a route answers with until it ends, and ends it with the right of whoever opened it.

    Stands after who asks in the route's arguments.
    """
    parts, note = services_of(request), note_of(request)
    async with parts.gate.held_stream(request):
        yield
        stream = answered_stream(request.scope)
        if stream is not None and note.identity is not None:
            parts.holders.hold(note.identity, stream)


HeldStream = Annotated[None, Depends(held_stream)]
# A route says by one of these what it takes; a test walks all routes.
Reader = Annotated[Identity, Security(identify, scopes=[READ])]
Writer = Annotated[Identity, Security(identify, scopes=[WRITE])]
Asker = Annotated[Identity, Security(identify, scopes=[ASK])]
EventReader = Annotated[Identity, Security(identify, scopes=[EVENTS])]
Admin = Annotated[Identity, Security(identify, scopes=[ADMIN])]


def context_of(request: Request, who: Identity, repository_id: UUID | None = None) -> Context:
    """The context of events that a request causes."""
    return Context(
        tenant_id=who.tenant_id,
        correlation_id=UUID(correlation_of(request)),
        repository_id=repository_id,
        user_id=who.user_id,
    )


async def history_of(parts: Services, who: Identity, stream_id: str, *, after: int = 0) -> list[Envelope]:
    """The events of one of the tenant's streams after a version, at least one of them.

    Raises ApiProblem `not_found`: another tenant's is not there.
    """
    history = await parts.journals.of(who.tenant_id).read_stream(stream_id, after=after)
    if not history or history[0].tenant_id != who.tenant_id:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    return await seen(parts, who, history)


async def seen(parts: Services, who: Identity, history: list[Envelope]) -> list[Envelope]:
    """Events of a stream, at least one, whose repository somebody looks at by that."""
    if history[0].repository_id is not None:
        await parts.looks.note(who.tenant_id, history[0].repository_id)
    return history


async def record_of(parts: Services, who: Identity, analysis_id: UUID) -> AnalysisRecord:
    """The analysis as its stream has it at this moment. Raises ApiProblem `not_found`.

    Begins with the read model's record, whose last event is read once more: of what was deleted there is none.
    """
    stored = await parts.read.record(who.tenant_id, analysis_id)
    after = stored.view.version - 1 if stored is not None else 0
    record = fold(await history_of(parts, who, f"analysis/{analysis_id}", after=after), stored)
    if record is None:
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    return record


def cloned_artifacts(history: list[Envelope]) -> tuple[ArtifactRef, ...]:
    """What the clone stage wrote. Raises ApiProblem `not_cloned` before it did."""
    for envelope in history:
        if envelope.event_type == StageCompleted.event_type and envelope.data.get("stage") == "clone":
            return StageCompleted.model_validate(envelope.data).artifacts
    raise not_cloned(history)


def not_cloned(history: list[Envelope]) -> ApiProblem:
    """That the clone of an analysis wrote nothing: it is still to come, or it is over."""
    record = fold(history)
    is_over = record is not None and record.view.state in OVER
    return ApiProblem(
        "not_cloned",
        "It ended before the repository was cloned: have it analysed again."
        if is_over
        else "Wait until the repository is cloned.",
    )
