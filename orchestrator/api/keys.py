"""Credentials for a person's programs: API keys and refresh tokens. A person makes them, no program does."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from orchestrator.api.credential_models import (
    ApiKeyMade,
    ApiKeyPage,
    ApiKeyRequest,
    ApiKeyView,
    GrantPage,
    GrantRequest,
    GrantView,
    TokenPair,
)
from orchestrator.api.dependencies import Parts, Reader
from orchestrator.api.paging import GRANTS, KEYS, Paging
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.api_keys import ApiKey
from orchestrator.auth.identity import Identity, Proof
from orchestrator.limits.rules import Resource

router = APIRouter(prefix="/me", tags=["credentials"])


async def in_person(who: Reader, parts: Parts) -> Identity:
    """Somebody who signed in: a key or token that was taken must not be able to make others that outlive it."""
    by_session = who.proof in {Proof.LOCAL, Proof.SESSION}
    if not by_session and not (who.proof is Proof.TOKEN and await parts.accounts.is_session(who.proof_id)):
        raise ApiProblem("forbidden", "Only somebody who is signed in may do that: a key may not.")
    return who


Person = Annotated[Identity, Depends(in_person)]


@router.post("/keys", status_code=201)
async def create_key(body: ApiKeyRequest, who: Person, parts: Parts, request: Request) -> ApiKeyMade:
    """Make an API key. Its secret is in this answer, and nowhere else afterwards."""
    await parts.gate.take(request, who, Resource.GRANTS)
    expires_at = parts.clock() + timedelta(days=body.expires_in_days)
    key, secret = await parts.accounts.keys.create(who, body.name, frozenset(body.scopes), expires_at)
    return ApiKeyMade(**_view(key).model_dump(), secret=secret)


@router.get("/keys")
async def list_keys(who: Person, parts: Parts, page: Paging) -> ApiKeyPage:
    """Your API keys in this tenant, the newest first."""
    found = await parts.accounts.keys.of(who, after=KEYS.read(page.cursor), limit=page.limit + 1)
    shown, following = KEYS.cut(found, page.limit, lambda key: (key.created_at, key.key_id))
    return ApiKeyPage(items=[_view(key) for key in shown], next=following)


@router.delete("/keys/{key_id}", status_code=204, response_class=Response)
async def revoke_key(key_id: UUID, who: Person, parts: Parts) -> None:
    """Revoke an API key: within five seconds nobody takes it any more."""
    if not await parts.accounts.keys.revoke(who, key_id):
        raise ApiProblem("not_found", "Check the id: no key of yours has it.")


@router.post("/grants", status_code=201)
async def begin_grant(body: GrantRequest, who: Person, parts: Parts, request: Request) -> TokenPair:
    """Let a program act for you: a session token, and a refresh token that is good once for the next pair."""
    await parts.gate.take(request, who, Resource.GRANTS)
    scopes = frozenset(body.scopes)
    if not scopes <= who.scopes:
        raise ApiProblem("forbidden", "A program can have scopes that you have yourself.")
    secret, family_id = await parts.accounts.refresh.begin(who.user_id, who.tenant_id, scopes)
    issued = await parts.accounts.tokens.issue(who.user_id, who.tenant_id, family_id, asked=scopes)
    if issued is None:
        raise ApiProblem("not_signed_in", "Sign in again.")
    return TokenPair(access_token=issued.access_token, expires_in=issued.expires_in, refresh_token=secret)


@router.get("/grants")
async def list_grants(who: Person, parts: Parts, page: Paging) -> GrantPage:
    """The programs that act for you in this tenant, the newest first."""
    after = GRANTS.read(page.cursor)
    found = await parts.accounts.refresh.of(who.user_id, who.tenant_id, after=after, limit=page.limit + 1)
    families, following = GRANTS.cut(found, page.limit, lambda family: (family.began_at, family.family_id))
    items = [
        GrantView(
            grant_id=family.family_id,
            scopes=list(family.scopes),
            began_at=family.began_at,
            used_at=family.used_at,
            expires_at=family.expires_at,
        )
        for family in families
    ]
    return GrantPage(items=items, next=following)


@router.delete("/grants/{grant_id}", status_code=204, response_class=Response)
async def end_grant(grant_id: UUID, who: Person, parts: Parts) -> None:
    """Let a program act for you no longer: within five seconds its tokens are refused."""
    if not await parts.accounts.refresh.end(grant_id, who.user_id):
        raise ApiProblem("not_found", "Check the id: nothing of yours has it.")
    await parts.accounts.tokens.revocations.revoke(grant_id)


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        key_id=key.key_id,
        name=key.name,
        prefix=key.prefix,
        scopes=list(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        revoked_at=key.revoked_at,
    )
