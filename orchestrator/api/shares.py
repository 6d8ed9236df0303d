"""Sharing links: a member makes one for a repository or a conversation, and whoever has it sees that and nothing else.

The secret is sent as `Authorization: Bearer rsl_…`, never in an address.
"""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from orchestrator.api.dependencies import Parts, Reader, Services, Writer, context_of, history_of
from orchestrator.api.paging import SHARES, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.api.roles import WriterInPerson, signed_in
from orchestrator.api.tenant_models import SharedView, ShareMade, SharePage, ShareRequest, ShareView
from orchestrator.audit.note import note_of
from orchestrator.auth.identity import Identity, Kind, Shared
from orchestrator.auth.shares import Share
from orchestrator.limits.rules import Resource

router = APIRouter(tags=["shares"])


@router.post("/repositories/{repository_id}/shares", status_code=201)
async def share_repository(
    repository_id: UUID, body: ShareRequest, who: WriterInPerson, parts: Parts, request: Request
) -> ShareMade:
    """Make a link that shows a repository as its newest analysis has it. The secret is in this answer alone."""
    await parts.gate.take(request, signed_in(who), Resource.GRANTS)
    if await parts.read.repository(who.tenant_id, repository_id) is None:
        await history_of(parts, who, f"repository/{repository_id}")  # it may be so new that no list has it
    return await _made(parts, who, Shared(Kind.REPOSITORY, repository_id), body, request)


@router.post("/conversations/{conversation_id}/shares", status_code=201)
async def share_conversation(
    conversation_id: UUID, body: ShareRequest, who: WriterInPerson, parts: Parts, request: Request
) -> ShareMade:
    """Make a link that shows a conversation, with what is asked in it later. The secret is in this answer alone."""
    await parts.gate.take(request, signed_in(who), Resource.GRANTS)
    await history_of(parts, who, f"conversation/{conversation_id}")
    return await _made(parts, who, Shared(Kind.CONVERSATION, conversation_id), body, request)


@router.get("/shares")
async def listed(who: Writer, parts: Parts, page: Paging, resource_id: UUID | None = None) -> SharePage:
    """The tenant's open links, the newest first; those of one repository or conversation where its id is given."""
    after = SHARES.read(page.cursor)
    found = await parts.teams.shares.of(who.tenant_id, resource_id, after=after, limit=page.limit + 1)
    shown = found[: page.limit]
    following = SHARES.write((shown[-1].created_at, shown[-1].share_id)) if len(found) > page.limit else None
    return SharePage(items=[_view(each) for each in shown], next=following)


@router.delete("/shares/{share_id}", status_code=204, response_class=Response)
async def revoke(share_id: UUID, who: Writer, parts: Parts, request: Request) -> None:
    """End a link: within five seconds it shows nothing any more. Whoever made it may do that, and owners."""
    await parts.teams.shares.revoke(share_id, who.role, context_of(request, who))


@router.get("/shared", responses={404: {}})
async def shared(who: Reader, request: Request) -> SharedView:
    """What the sharing link shows that you ask with."""
    note_of(request).sensitive = True  # that a link was opened, and from where, is on record
    if who.shared is None:
        raise ApiProblem("not_found", "Ask with a sharing link.")
    return SharedView(kind=who.shared.kind, resource_id=who.shared.resource_id)


async def _made(parts: Services, who: Identity, what: Shared, body: ShareRequest, request: Request) -> ShareMade:
    life = timedelta(hours=body.expires_in_hours)
    made, secret = await parts.teams.shares.make(what, life, context_of(request, who))
    return ShareMade(**_view(made).model_dump(), secret=secret, url=f"{parts.teams.public_url}/shared#{secret}")


def _view(found: Share) -> ShareView:
    return ShareView(
        share_id=found.share_id,
        kind=found.kind,
        resource_id=found.resource_id,
        created_by=found.created_by,
        created_at=found.created_at,
        expires_at=found.expires_at,
    )
