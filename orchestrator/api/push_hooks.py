"""Push hooks: a repository's host says that something was pushed, and what is newest is analysed.

Who calls shows no credential of ours: the call is signed with the secret of the repository's hook. Whoever has none
hears the same whether there is such a repository or not.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from events.base import LOCAL_TENANT
from orchestrator.adapters.push_hooks import Found, PushHook, Repeated, refused, take_in
from orchestrator.api.dependencies import Parts, Reader, Services, Writer, services_of
from orchestrator.api.guard import HOOKS
from orchestrator.api.intake import Wanted, is_commit, read_request
from orchestrator.api.models import AnalysisRequest, AnalysisSummary
from orchestrator.api.preflight import finished_at
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.audit.note import note_of
from orchestrator.auth.identity import NOBODY, READ, WRITE, Identity, Proof, Role
from orchestrator.limits.rules import Resource
from orchestrator.webhooks.push import NEEDED, Call, Outcome, Push, Unreadable, delivery_of, is_signed, read_call
from runtime.upload_url import SCHEME

router = APIRouter(prefix="/repositories", tags=["push_hooks"])
receiver = APIRouter(tags=["push_hooks"])
_SECONDS = 15.0  # for all of a call


class PushHookView(BaseModel):
    """A repository's push hook. `url` is what its host is to call; without a public address only its path is known.

    `branch` is the one whose pushes it takes, empty for the default branch; null, of an old hook, for the newest
    analysis's. `works` is false where whoever made it may not begin analyses any more: make it anew. `outcome` is what
    the newest signed call, at `received_at`, came to; empty before there was one.
    """

    hook_id: UUID
    repository_id: UUID
    url: str
    created_at: datetime
    created_by: UUID
    works: bool
    received_at: datetime | None
    outcome: str
    branch: str | None = None


class PushHookSecretView(PushHookView):
    """A new push hook with its secret (`whsec_…`), which is never shown again."""

    secret: str


class ReceivedView(BaseModel):
    """What a signed call came to."""

    outcome: Outcome
    analysis_id: UUID | None = None


@router.post("/{repository_id}/push-hook", status_code=201)
async def make(
    repository_id: UUID, who: Writer, parts: Parts, request: Request, response: Response
) -> PushHookSecretView:
    """Make the push hook of a repository, or give it a new secret: what was signed with the old one is refused then.

    On a push to what is now the branch of the newest analysis (the default branch, where that is of a commit), and
    stays the hook's, it begins another one, in your name: with your tokens, within
    your limits and your team's quotas. Put `url` and `secret` into the settings of the repository at its host.
    """
    latest = await _latest(parts, who.tenant_id, repository_id)
    if latest is None:
        raise ApiProblem("not_found", "Check the id: no repository of yours that was analysed has it.")
    if latest.url.startswith(SCHEME):
        raise ApiProblem("nothing_is_pushed", "An upload has no branch: upload the next version.")
    await parts.gate.take(request, who, Resource.GRANTS)
    hook, secret = await parts.push_hooks.make(who, repository_id, _branch(latest), parts.clock())
    response.headers["Location"] = f"/api/v1/repositories/{repository_id}/push-hook"
    return PushHookSecretView(**_view(parts, hook).model_dump(), secret=secret)


@router.get("/{repository_id}/push-hook")
async def one(repository_id: UUID, who: Reader, parts: Parts) -> PushHookView:
    """The push hook of a repository, and what its newest call came to."""
    return _view(parts, await parts.push_hooks.one(who.tenant_id, repository_id))


@router.delete("/{repository_id}/push-hook", status_code=204)
async def remove(repository_id: UUID, who: Writer, parts: Parts) -> None:
    """End the push hook of a repository."""
    await parts.push_hooks.remove(who.tenant_id, repository_id)


async def _call(request: Request) -> Call:
    """The call, with no more of its body than is taken. Raises ApiProblem: `body_too_large`, `timed_out`."""
    parts = services_of(request)
    await parts.gate.pushed(request)
    limit = parts.push_hooks.limit
    too_large = ApiProblem("body_too_large", f"Send at most {limit:,} bytes.")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large
    found = {name: request.headers.getlist(name) for name in NEEDED if name in request.headers}
    if any(len(values) > 1 for values in found.values()):
        raise refused()
    return Call({name: values[0] for name, values in found.items()}, bytes(body))


async def _let_in(request: Request) -> tuple[Call, Found]:
    """Whoever has the secret of the hook in the path. Raises ApiProblem `push_hook_refused`."""
    parts = services_of(request)
    call = await _call(request)
    try:
        repository_id = UUID(request.path_params["repository_id"])
    except ValueError:
        repository_id = NOBODY
    hook = await parts.push_hooks.find(repository_id, NOBODY)
    secret = hook.secret if hook is not None else parts.push_hooks.nobodys
    is_held = is_signed(call, secret, int(parts.clock().timestamp()))
    if hook is None or not is_held or (hook.tenant_id == LOCAL_TENANT and parts.sign_in is not None):
        raise refused()
    note = note_of(request)
    note.identity, note.target = _identity(parts, hook), f"repositories/{repository_id}"
    return call, hook


@receiver.post(HOOKS + "{repository_id}", include_in_schema=False)
async def receive(request: Request) -> Response:
    """A call of a repository's host, signed with the secret of its push hook."""
    parts = services_of(request)
    try:
        async with asyncio.timeout(_SECONDS), parts.push_hooks.turns:
            call, hook = await _let_in(request)
            received = await _received(parts, request, call, hook)
    except TimeoutError:
        raise ApiProblem("timed_out", "It took too long: send it again.") from None
    note_of(request).idle = received.outcome is not Outcome.BEGUN
    status = 202 if received.outcome is Outcome.BEGUN else 200
    return Response(received.model_dump_json(), status, media_type="application/json")


async def _received(parts: Services, request: Request, call: Call, hook: Found) -> ReceivedView:
    at, who = parts.clock(), _identity(parts, hook)
    repository_id = UUID(request.path_params["repository_id"])
    try:
        push = read_call(call)
    except Unreadable:
        raise ApiProblem("invalid_request", "It is signed, and cannot be read: send pushes as JSON.") from None
    latest = await _latest(parts, hook.tenant_id, repository_id)
    if (
        latest is not None
        and (branch := (await parts.push_hooks.one(hook.tenant_id, repository_id)).branch) is not None
    ):
        latest = latest.model_copy(update={"ref": branch or None})
    wanted = push if isinstance(push, Outcome) else _wanted(parts, latest, push)
    if isinstance(wanted, Wanted):
        if await finished_at(parts, who, wanted, wanted.commit) is None:
            return await _begin(parts, request, who, (wanted, latest), (call, hook))
        wanted = Outcome.CURRENT
    await parts.push_hooks.note(hook, wanted.value, at)
    return ReceivedView(outcome=wanted)


def _wanted(parts: Services, latest: AnalysisSummary | None, push: Push) -> Wanted | Outcome:
    """What a push means: an analysis as the newest one, of the commit and its branch. Raises Permanent."""
    if latest is None:
        return Outcome.NOT_ANALYSED
    branch = latest.ref
    if branch is None:
        branch = (latest.head.default_branch if latest.head is not None else None) or push.default_branch
    if branch is None or is_commit(branch) or branch.removeprefix("refs/heads/") != push.branch:
        return Outcome.OTHER_BRANCH
    if push.commit is None:
        return Outcome.BRANCH_DELETED
    asked = AnalysisRequest(
        url=latest.url,
        ref=latest.ref,
        folder=latest.folder or None,
        include=latest.include,
        history=min(latest.history_depth, parts.rules.history),
    )
    return replace(read_request(asked, parts.rules), commit=push.commit)


async def _begin(
    parts: Services,
    request: Request,
    who: Identity,
    asked: tuple[Wanted, AnalysisSummary | None],
    signed: tuple[Call, Found],
) -> ReceivedView:
    """Begin the analysis and take the delivery, in one transaction: neither is ever without the other."""
    (wanted, latest), (call, hook) = asked, signed
    await parts.gate.take(request, who, Resource.ANALYSES)
    at, delivery = parts.clock(), delivery_of(call)
    try:
        accepted = await parts.intake.accept(
            who,
            wanted,
            credential=None,
            correlation_id=UUID(correlation_of(request)),
            at=at,
            after=latest.analysis_id if latest is not None else None,
            before=lambda connection: take_in(connection, hook, delivery, Outcome.BEGUN.value, at),
        )
    except Repeated:
        return ReceivedView(outcome=Outcome.REPEATED)
    outcome = Outcome.JOINED if accepted.joined else Outcome.BEGUN
    return ReceivedView(outcome=outcome, analysis_id=accepted.view.analysis_id)


def _identity(parts: Services, hook: Found) -> Identity:
    """Whoever made the hook, as far as it acts for them."""
    proof = Proof.LOCAL if parts.sign_in is None else Proof.PUSH_HOOK
    scopes = frozenset({READ, WRITE})
    return Identity(hook.created_by, hook.tenant_id, "", scopes, Role.MEMBER, proof=proof, proof_id=hook.hook_id)


def _branch(latest: AnalysisSummary) -> str:
    return latest.ref if latest.ref is not None and not is_commit(latest.ref) else ""


async def _latest(parts: Services, tenant_id: UUID, repository_id: UUID) -> AnalysisSummary | None:
    found = await parts.read.repository(tenant_id, repository_id)
    return found.latest if found is not None else None


def _view(parts: Services, hook: PushHook) -> PushHookView:
    return PushHookView(
        hook_id=hook.hook_id,
        repository_id=hook.repository_id,
        url=f"{parts.teams.public_url}{HOOKS}{hook.repository_id}",
        created_at=hook.created_at,
        created_by=hook.created_by,
        works=hook.works,
        received_at=hook.received_at,
        outcome=hook.outcome,
        branch=hook.branch,
    )
