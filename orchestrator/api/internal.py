"""What only services of this installation may ask: the login that a clone shows its host."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel

from orchestrator.adapters.clone_logins import CloneLogins
from runtime.service_tokens import ServiceVerifier

NAME = "orchestrator"
_CALLERS = frozenset({"processor"})


class LoginRequest(BaseModel):
    """Which analysis is cloned."""

    analysis_id: UUID


class LoginReply(BaseModel):
    """User and password of HTTP Basic authentication, good for an hour at least where they came from an App."""

    username: str
    password: str


def internal_routes(logins: CloneLogins, callers: ServiceVerifier) -> APIRouter:
    """The routes, for the service that clones alone."""

    async def check(authorization: Annotated[str, Header()] = "") -> None:
        callers.caller(authorization, _CALLERS)

    router = APIRouter(prefix="/internal", dependencies=[Depends(check)], include_in_schema=False)

    @router.post("/clone-login", response_model=None)
    async def clone_login(request: LoginRequest) -> LoginReply | Response:
        """The login (200), or that none is needed (204)."""
        login = await logins.login_for(request.analysis_id)
        return LoginReply(username=login.username, password=login.password) if login else Response(status_code=204)

    return router
