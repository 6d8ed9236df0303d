"""`/me/sessions`: where somebody is signed in, and the way to end it."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from orchestrator.api.dependencies import Parts
from orchestrator.api.keys import Person
from orchestrator.api.paging import SESSIONS, Paging
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.auth.identity import Identity
from orchestrator.auth.sessions import Session

router = APIRouter(prefix="/me", tags=["sessions"])


class SessionView(BaseModel):
    """A browser in which you are signed in. `seen_at` is kept to the minute, `current` is the one that asks."""

    session_id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str
    current: bool


class SessionPage(BaseModel):
    """A page of sessions."""

    items: list[SessionView]
    next: str | None = None


@router.get("/sessions")
async def mine(who: Person, parts: Parts, page: Paging) -> SessionPage:
    """Your sessions, the newest first; none where nobody signs in."""
    after = SESSIONS.read(page.cursor)
    if parts.sign_in is None:
        return SessionPage(items=[])
    found = await parts.sign_in.sessions.of(who.user_id, after=after, limit=page.limit + 1)
    shown, following = SESSIONS.cut(found, page.limit, lambda session: (session.created_at, session.session_id))
    return SessionPage(items=[_view(session, who) for session in shown], next=following)


@router.delete("/sessions/{session_id}", status_code=204, response_class=Response)
async def end(session_id: UUID, request: Request, who: Person, parts: Parts) -> None:
    """End one of your sessions: within five seconds nobody is let in by it any more."""
    session = await parts.sign_in.sessions.by_id(session_id) if parts.sign_in is not None else None
    if parts.sign_in is None or session is None or session.user_id != who.user_id:
        raise ApiProblem("not_found", "Check the id: no session of yours has it.")
    await parts.sign_in.end(session, UUID(correlation_of(request)))


def _view(session: Session, who: Identity) -> SessionView:
    return SessionView(
        session_id=session.session_id,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        address=session.address,
        agent=session.agent,
        current=session.session_id == who.proof_id,
    )
