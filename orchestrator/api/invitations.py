"""Invitations: an owner makes a link, one person joins by it. The secret is never part of an address that is sent."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from orchestrator.api.dependencies import Parts, context_of
from orchestrator.api.keys import Person
from orchestrator.api.paging import INVITATIONS, Paging
from orchestrator.api.problems import correlation_of
from orchestrator.api.roles import Owner, signed_in
from orchestrator.api.tenant_models import (
    InvitationMade,
    InvitationPage,
    InvitationRequest,
    InvitationSecret,
    InvitationView,
    OfferView,
    TenantView,
)
from orchestrator.auth.identity import Role
from orchestrator.auth.invitations import Invitation
from orchestrator.limits.rules import Resource

router = APIRouter(tags=["invitations"])


@router.post("/tenants/{tenant_id}/invitations", status_code=201)
async def make(body: InvitationRequest, who: Owner, parts: Parts, request: Request) -> InvitationMade:
    """Make a link by which one person joins. Its secret is in this answer, and nowhere else afterwards."""
    await parts.gate.take(request, who, Resource.GRANTS)
    life = timedelta(days=body.expires_in_days)
    made, secret = await parts.teams.invitations.make(Role(body.role), body.login, life, context_of(request, who))
    url = f"{parts.teams.public_url}/invitation#{secret}"
    return InvitationMade(**_view(made).model_dump(), secret=secret, url=url)


@router.get("/tenants/{tenant_id}/invitations")
async def listed(who: Owner, parts: Parts, page: Paging) -> InvitationPage:
    """The team's invitations, the newest first, with those that are over."""
    after = INVITATIONS.read(page.cursor)
    found = await parts.teams.invitations.of(who.tenant_id, after=after, limit=page.limit + 1)
    shown = found[: page.limit]
    more = len(found) > page.limit
    following = INVITATIONS.write((shown[-1].created_at, shown[-1].invitation_id)) if more else None
    return InvitationPage(items=[_view(each) for each in shown], next=following)


@router.delete("/tenants/{tenant_id}/invitations/{invitation_id}", status_code=204, response_class=Response)
async def revoke(invitation_id: UUID, who: Owner, parts: Parts, request: Request) -> None:
    """Take an open invitation back."""
    await parts.teams.invitations.revoke(invitation_id, context_of(request, who))


@router.post("/invitations/offer")
async def offer(body: InvitationSecret, who: Person, parts: Parts, request: Request) -> OfferView:
    """What an invitation offers you. It is not used by looking."""
    await parts.gate.take(request, signed_in(who), Resource.INVITATIONS)
    found = await parts.teams.invitations.look(body.secret, who.user_id)
    return OfferView(tenant_id=found.tenant_id, team=found.team, role=found.role, inviter=found.inviter)


@router.post("/invitations/accept")
async def accept(body: InvitationSecret, who: Person, parts: Parts, request: Request) -> TenantView:
    """Join the team. Switch to it to work in it."""
    await parts.gate.take(request, signed_in(who), Resource.INVITATIONS)
    joined = await parts.teams.invitations.accept(body.secret, who.user_id, UUID(correlation_of(request)))
    found = await parts.teams.tenants.one(who.user_id, joined)
    return TenantView(
        tenant_id=joined, name=found.name, personal=False, role=found.role, since=found.since, current=False
    )


def _view(found: Invitation) -> InvitationView:
    return InvitationView(
        invitation_id=found.invitation_id,
        role=found.role,
        login=found.login,
        state=found.state,
        created_by=found.created_by,
        created_at=found.created_at,
        expires_at=found.expires_at,
        used_at=found.used_at,
        used_by=found.used_by,
    )
