"""Who is in the team that you work in. Everybody in it sees that; owners change it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from orchestrator.api.dependencies import Parts, context_of
from orchestrator.api.roles import Here, Owner, PersonHere
from orchestrator.api.tenant_models import MemberPage, MemberView, RoleChange
from orchestrator.auth.identity import Role

router = APIRouter(prefix="/tenants/{tenant_id}", tags=["members"])


@router.get("/members")
async def listed(who: Here, parts: Parts) -> MemberPage:
    """Owners, members and viewers."""
    found = await parts.teams.members.of(who.tenant_id)
    items = [
        MemberView(
            user_id=each.user_id,
            login=each.login,
            name=each.name,
            role=each.role,
            since=each.since,
            you=each.user_id == who.user_id,
        )
        for each in found
    ]
    return MemberPage(items=items)


@router.patch("/members/{user_id}", status_code=204, response_class=Response)
async def change(user_id: UUID, body: RoleChange, who: Owner, parts: Parts, request: Request) -> None:
    """Make a member something else: within five seconds they may do that and no more."""
    await parts.teams.members.change_role(user_id, Role(body.role), context_of(request, who))


@router.delete("/members/{user_id}", status_code=204, response_class=Response)
async def remove(user_id: UUID, who: Owner, parts: Parts, request: Request) -> None:
    """Remove a member: within five seconds nothing of theirs leads into the team. Their analyses stay the team's."""
    await parts.teams.members.remove(user_id, context_of(request, who))


@router.post("/leave", status_code=204, response_class=Response)
async def leave(who: PersonHere, parts: Parts, request: Request) -> None:
    """Leave the team that you work in."""
    await parts.teams.members.remove(who.user_id, context_of(request, who))
