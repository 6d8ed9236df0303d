"""Delete for good: a repository, a conversation, a team, an account."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from orchestrator.api.dependencies import Asker, Parts, Reader, Services, Writer, context_of, history_of
from orchestrator.api.keys import in_person
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.api.strict import Body
from orchestrator.auth import sessions
from orchestrator.auth.identity import ADMIN, Identity, Proof, Role

router = APIRouter(tags=["deleting"])


async def leaving(who: Reader, parts: Parts) -> Identity:
    """Somebody who signed in, or an administrator by a key that has `admin`; other keys delete nobody."""
    return who if who.proof is Proof.API_KEY and ADMIN in who.scopes else await in_person(who, parts)


Leaver = Annotated[Identity, Depends(leaving)]


class DeletionView(BaseModel):
    """What was deleted, and when: nobody sees it any more, and within a minute it is gone for good."""

    repository_id: UUID
    deleted_at: datetime


class ConversationDeletionView(BaseModel):
    """Which conversation was deleted, and when: nobody sees it any more; within a minute it is gone for good."""

    conversation_id: UUID
    deleted_at: datetime


class DepartureRequest(Body):
    """What is to be deleted by its name, letter by letter: your login, or the name of the team."""

    confirm: str = Field(max_length=300)


class DepartureView(BaseModel):
    """The tenants that were deleted, and when: nobody sees them any more, within a minute they are gone for good."""

    tenants: list[UUID]
    deleted_at: datetime


@router.delete("/repositories/{repository_id}", status_code=202)
async def delete(repository_id: UUID, who: Writer, parts: Parts, request: Request) -> DeletionView:
    """Delete a repository and all that was made of it. It is hidden at once; within a minute it is gone for good.

    What runs is cancelled. The log keeps that something was analysed and deleted, and nothing of what.
    """
    at = parts.clock()
    if not await parts.deletion.repository(context_of(request, who, repository_id), at):
        raise ApiProblem("not_found", "Check the id: no repository of yours has it.")
    return DeletionView(repository_id=repository_id, deleted_at=at)


@router.delete("/conversations/{conversation_id}", status_code=202)
async def delete_conversation(
    conversation_id: UUID, who: Asker, parts: Parts, request: Request
) -> ConversationDeletionView:
    """Delete a conversation that you began, or any of a team that you own. It is hidden at once, links to it end.

    Within a minute its questions and answers are gone for good. The log keeps that something was asked.
    """
    [started, *_] = await history_of(parts, who, f"conversation/{conversation_id}")
    if started.user_id != who.user_id and who.role != Role.OWNER:
        raise ApiProblem("forbidden", "Whoever began it deletes a conversation, or an owner of the team.")
    at = parts.clock()
    if not await parts.conversation_deletion.conversation(
        context_of(request, who, started.repository_id), at, conversation_id
    ):
        raise ApiProblem("not_found", "Check the id: no conversation of yours has it.")
    return ConversationDeletionView(conversation_id=conversation_id, deleted_at=at)


@router.delete("/me", status_code=202)
async def delete_account(
    body: DepartureRequest, who: Leaver, parts: Parts, request: Request, response: Response
) -> DepartureView:
    """Delete your account, your own tenant, and every team that has no other member. You are signed out everywhere.

    It takes a session, or a key with `admin`.
    A team of which you are the last owner is `last_owner` while it has other members. What you asked goes too; what a
    team had analysed stays the team's.
    """
    at = parts.clock()
    gone = await parts.departure.account(who, body.confirm, UUID(correlation_of(request)), at)
    _forget(parts)
    response.delete_cookie(sessions.COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return DepartureView(tenants=list(gone.tenants), deleted_at=at)


@router.delete("/tenants/{tenant_id}", status_code=202)
async def delete_tenant(
    tenant_id: UUID, body: DepartureRequest, who: Leaver, parts: Parts, request: Request
) -> DepartureView:
    """Delete a team that you own, with all that it has. Whoever worked in it is back in their own tenant.

    It takes a session, or a key with `admin`.
    """
    at = parts.clock()
    gone = await parts.departure.tenant(who, tenant_id, body.confirm, UUID(correlation_of(request)), at)
    _forget(parts)
    return DepartureView(tenants=list(gone.tenants), deleted_at=at)


def _forget(parts: Services) -> None:
    parts.accounts.standings.forget()
    parts.accounts.keys.forget()
