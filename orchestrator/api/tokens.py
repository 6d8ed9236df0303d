"""Session tokens: the page server trades a session for one, programs refresh theirs, readers get the public keys."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response

from orchestrator.api.credential_models import (
    RefreshRequest,
    RevokeRequest,
    RotationView,
    SessionTrade,
    TokenPair,
    TokenView,
)
from orchestrator.api.dependencies import Admin, Parts
from orchestrator.api.problems import ApiProblem
from orchestrator.audit.note import note_of
from orchestrator.auth.accounts import Accounts
from orchestrator.auth.issuing import Issued
from orchestrator.auth.refresh import Exchange, Verdict

router = APIRouter(tags=["tokens"])
signing_keys = APIRouter(prefix="/signing-keys", tags=["tokens"])
_PAGE_SERVER = frozenset({"web_ui"})


async def page_server(request: Request, parts: Parts) -> None:
    """Let in the page server alone. Raises Permanent `unauthorized`."""
    parts.accounts.callers.caller(request.headers.get("authorization", ""), _PAGE_SERVER)


@router.post("/auth/token", dependencies=[Depends(page_server)])
async def trade(body: SessionTrade, parts: Parts) -> TokenView:
    """Trade a browser's session for a token of ten minutes, or less where the session ends sooner."""
    accounts = parts.accounts
    session = await accounts.sessions.find(body.session) if accounts.sessions is not None else None
    if session is not None:
        issued = await accounts.tokens.issue(
            session.user_id, session.tenant_id, session.session_id, until=session.expires_at.timestamp()
        )
        if issued is not None:
            return TokenView(access_token=issued.access_token, expires_in=issued.expires_in)
    raise ApiProblem("not_signed_in", "The session is over: sign in again.")


@router.post("/auth/refresh")
async def refresh(request: Request, body: RefreshRequest, parts: Parts) -> TokenPair:
    """Use a refresh token up: the next one, and a session token. One that was used before ends all that came of it.

    Whoever lost the answer may ask again within 30 seconds, as long as the next one is unused.
    """
    parts.gate.check_address(request)
    accounts = parts.accounts
    known = await accounts.refresh.look(body.refresh_token)
    if known.user_id is not None:
        await parts.gate.refresh(request, known.user_id)
    issued = await _issued(accounts, known)  # it may fail: nothing is used up
    if known.user_id is not None and issued is None:
        await parts.gate.failed(request)
        raise ApiProblem("not_signed_in", "It is for somebody who may do nothing here any more.")
    found = await accounts.refresh.exchange(body.refresh_token)
    if found.verdict is Verdict.REUSED and found.family_id is not None:
        await accounts.tokens.revocations.revoke(found.family_id)
        await parts.gate.failed(request)
        raise ApiProblem(
            "refresh_token_reused", "It was used before, so somebody else may have it: all of it has ended. Begin anew."
        )
    if found.verdict is not Verdict.GOOD or issued is None:
        await parts.gate.failed(request)
        raise ApiProblem("not_signed_in", "The refresh token is over, or none of this installation: begin anew.")
    return TokenPair(access_token=issued.access_token, expires_in=issued.expires_in, refresh_token=found.secret)


async def _issued(accounts: Accounts, found: Exchange) -> Issued | None:
    """The session token for a refresh token that is good; None where its person may do nothing here."""
    if found.user_id is None or found.tenant_id is None or found.family_id is None:
        return None
    return await accounts.tokens.issue(found.user_id, found.tenant_id, found.family_id, asked=found.scopes)


@router.post("/auth/revoke", status_code=204, response_class=Response)
async def revoke(request: Request, body: RevokeRequest, parts: Parts) -> None:
    """End a refresh token and all that came of it. Done, too, where there is none: nobody learns which exist."""
    parts.gate.check_address(request)
    accounts = parts.accounts
    family_id = await accounts.refresh.end_by(body.refresh_token)
    note_of(request).idle = family_id is None
    if family_id is None:
        await parts.gate.failed(request)
    else:
        await accounts.tokens.revocations.revoke(family_id)


@router.get("/.well-known/jwks.json")
async def key_set(parts: Parts, response: Response) -> dict[str, list[dict[str, str]]]:
    """The public keys that session tokens are signed with (RFC 7517)."""
    keys = parts.accounts.tokens.keys
    response.headers["Cache-Control"] = f"public, max-age={int(keys.times.cache)}"
    return {"keys": keys.published()}


@signing_keys.post("/rotation", status_code=202)
async def rotate(_who: Admin, parts: Parts) -> RotationView:
    """Publish the next signing key. It signs once every copy of the key set has it; nobody is signed out by it."""
    keys = parts.accounts.tokens.keys
    kid = await keys.rotate()
    return RotationView(kid=kid, signs_from=datetime.fromtimestamp(keys.signs_from(kid), UTC))
