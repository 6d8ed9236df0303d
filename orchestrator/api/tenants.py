"""Your tenants: your own, and teams. Which of them you work in is your session's; a key is of one for good."""

from uuid import UUID

from fastapi import APIRouter, Request

from orchestrator.api.dependencies import Parts, context_of
from orchestrator.api.keys import Person
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.api.roles import Owner, signed_in
from orchestrator.api.tenant_models import TenantPage, TenantRequest, TenantView
from orchestrator.auth.tenants import Membership
from orchestrator.limits.rules import Resource

router = APIRouter(prefix="/tenants", tags=["tenants"])


@router.get("")
async def mine(who: Person, parts: Parts) -> TenantPage:
    """The tenants that you belong to: your own, then teams by name."""
    found = await parts.teams.tenants.mine(who.user_id)
    return TenantPage(items=[_view(each, who.tenant_id) for each in found])


@router.post("", status_code=201)
async def create(body: TenantRequest, who: Person, parts: Parts, request: Request) -> TenantView:
    """Make a team. You are its owner; switch to it to work in it."""
    signed_in(who)
    made = await parts.teams.tenants.create(who.user_id, body.name, UUID(correlation_of(request)))
    return _view(made, who.tenant_id)


@router.patch("/{tenant_id}")
async def rename(tenant_id: UUID, body: TenantRequest, who: Owner, parts: Parts, request: Request) -> TenantView:
    """Give the team that you work in another name."""
    await parts.teams.tenants.rename(body.name, context_of(request, who))
    return _view(await parts.teams.tenants.one(who.user_id, tenant_id), who.tenant_id)


@router.post("/{tenant_id}/switch")
async def switch(tenant_id: UUID, who: Person, parts: Parts, request: Request) -> TenantView:
    """Work in another tenant of yours from now on, in this session. Its tokens of before are refused."""
    found = await parts.teams.tenants.one(who.user_id, tenant_id)
    if tenant_id != who.tenant_id:
        if who.proof_id is None:
            raise ApiProblem("no_sign_in", "Without a sign-in there is one tenant.")
        await parts.gate.take(request, who, Resource.SWITCHES)
        found = await parts.teams.tenants.switch(who.proof_id, who.user_id, tenant_id, UUID(correlation_of(request)))
    return _view(found, tenant_id)


def _view(found: Membership, current: UUID) -> TenantView:
    return TenantView(
        tenant_id=found.tenant_id,
        name=found.name,
        personal=found.personal,
        role=found.role,
        since=found.since,
        current=found.tenant_id == current,
    )
