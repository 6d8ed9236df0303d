"""`/auth` for people: away to a provider, back with a session, and out again. A browser's pages, so they redirect."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from orchestrator.api.dependencies import Parts, Services
from orchestrator.api.problems import ApiProblem, correlation_of
from orchestrator.audit.note import note_of
from orchestrator.auth import flow, sessions
from orchestrator.auth.identity import Identity, Proof
from orchestrator.auth.people import Browser
from orchestrator.auth.providers import EXPIRED, Refusal
from orchestrator.auth.sessions import Session
from orchestrator.auth.sign_in import SignIn

router = APIRouter(prefix="/auth", tags=["sign_in"])
_SEE_OTHER = 303
_ANSWERS = ("state", "code", "error")


class ProviderView(BaseModel):
    """A way to sign in: `name` for `/auth/login?provider=`, `label` for the button."""

    name: str
    label: str


@router.get("/providers")
async def providers(parts: Parts) -> list[ProviderView]:
    """The ways to sign in; none where whoever is at this machine is the one user."""
    ways = parts.sign_in.providers if parts.sign_in is not None else ()
    return [ProviderView(name=provider.name, label=provider.label) for provider in ways]


@router.get("/login", response_class=RedirectResponse, status_code=302, include_in_schema=False)
async def login(
    request: Request,
    parts: Parts,
    provider: Annotated[str, Query(max_length=40)] = "",
    then: Annotated[str, Query(max_length=2_000)] = "/",
) -> Response:
    """Go to the provider to sign in, and to the page `then` of this site afterwards."""
    sign_in = _required(parts.sign_in)
    await parts.gate.sign_in(request)
    try:
        url, cookie = await sign_in.leave(provider, flow.page_of_ours(then))
    except LookupError:
        raise ApiProblem("not_found", "Nobody can sign in that way: see /auth/providers.") from None
    except Refusal as refusal:
        return RedirectResponse(flow.page_after(refusal.code), _SEE_OTHER)
    reply = RedirectResponse(url, 302)
    _keep(reply, flow.COOKIE, cookie, flow.LIFE)
    return reply


@router.get("/callback", response_class=RedirectResponse, status_code=303, include_in_schema=False)
async def callback(
    request: Request, parts: Parts, kept: Annotated[str | None, Cookie(alias=flow.COOKIE)] = None
) -> Response:
    """Come back from the provider. Whoever is not let in is told why on the start page, by a code of ours alone."""
    sign_in = _required(parts.sign_in)
    note = note_of(request)
    note.sensitive = True
    await parts.gate.sign_in(request)
    answer = {name: request.query_params.get(name, "") for name in _ANSWERS}
    try:
        under_way = sign_in.recall(kept)
        secret = await sign_in.come_back(under_way, answer, _browser(request, parts))
    except Refusal as refusal:
        note.code = refusal.code
        refused = RedirectResponse(flow.page_after(refusal.code), _SEE_OTHER)
        if refusal.code != EXPIRED:  # a forged callback must not end a sign-in that is under way
            _drop(refused, flow.COOKIE)
        return refused
    before = await sign_in.sessions.find(request.cookies.get(sessions.COOKIE, ""))
    if before is not None:
        await sign_in.end(before, UUID(correlation_of(request)))
    _put_on_record(request, await sign_in.sessions.find(secret))
    reply = RedirectResponse(under_way.then, _SEE_OTHER)
    _drop(reply, flow.COOKIE)
    _keep(reply, sessions.COOKIE, secret, int(sign_in.sessions.life.total_seconds()))
    return reply


@router.post("/logout", response_class=RedirectResponse, status_code=303, include_in_schema=False)
async def logout(request: Request, parts: Parts) -> Response:
    """End this browser's session, and go to the start page."""
    sign_in = _required(parts.sign_in)
    await parts.gate.sign_out(request)
    session = await sign_in.sessions.find(request.cookies.get(sessions.COOKIE, ""))
    note_of(request).idle = session is None
    if session is not None:
        _put_on_record(request, session)
        await sign_in.end(session, UUID(correlation_of(request)))
    reply = RedirectResponse("/", _SEE_OTHER)
    _drop(reply, sessions.COOKIE)
    return reply


def _put_on_record(request: Request, session: Session | None) -> None:
    """Say whose session the request is about: the audit trail cannot know it otherwise."""
    if session is not None:
        nothing: frozenset[str] = frozenset()
        who = Identity(
            session.user_id, session.tenant_id, "", nothing, proof=Proof.SESSION, proof_id=session.session_id
        )
        note_of(request).identity = who


def _required(sign_in: SignIn | None) -> SignIn:
    if sign_in is None:
        raise ApiProblem("not_found", "This installation is for the one person at this machine: there is no sign-in.")
    return sign_in


def _browser(request: Request, parts: Services) -> Browser:
    return Browser(parts.gate.address_of(request), request.headers.get("user-agent", ""), UUID(correlation_of(request)))


def _keep(reply: Response, name: str, value: str, seconds: int) -> None:
    reply.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def _drop(reply: Response, name: str) -> None:
    reply.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
