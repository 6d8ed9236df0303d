"""Sign-in with GitHub or GitHub Enterprise: OAuth 2 without OpenID Connect. A person is their numeric id."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
from authlib.integrations.starlette_client import StarletteOAuth2App

from orchestrator.auth.providers import (
    CLIENT,
    NOT_INVITED,
    UNAVAILABLE,
    Away,
    Invited,
    Profile,
    Refusal,
    UserToken,
    exchange,
    plain,
    send_away,
    understood,
)

PUBLIC = "https://github.com"
_FORBIDDEN, _NOT_FOUND = 403, 404
_REFRESH_LIFE = 15_811_200  # seconds: six months, as GitHub has it where it does not say


def api_of(url: str) -> str:
    """Where the API of the GitHub at `url` is: Enterprise has it on the same host."""
    return "https://api.github.com" if url.rstrip("/") == PUBLIC else f"{url.rstrip('/')}/api/v3"


def issuer_of(url: str) -> str:
    """The GitHub at `url` as accounts name it, however its address is written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".lower().rstrip("/")


class GitHub:
    """See `Provider`."""

    name = "github"
    label = "GitHub"

    def __init__(
        self, url: str, client_id: str, client_secret: str, invited: Invited, *, keeps_tokens: bool = False
    ) -> None:
        """`url` is `https://github.com` or an Enterprise server's. `keeps_tokens` hands tokens on that end."""
        self.issuer = issuer_of(url)
        self._api = api_of(url)
        self._keeps_tokens = keeps_tokens
        self._invited = invited
        scope = "read:user read:org" if invited.organisations else "read:user"
        self._app = StarletteOAuth2App(
            None,
            self.name,
            client_id=client_id,
            client_secret=client_secret,
            authorize_url=f"{url.rstrip('/')}/login/oauth/authorize",
            access_token_url=f"{url.rstrip('/')}/login/oauth/access_token",
            client_kwargs={**CLIENT, "scope": scope},
        )

    async def send_away(self, callback: str) -> Away:
        """As `Provider.send_away`."""
        return await send_away(self._app, callback)

    async def who(self, away: Away, code: str, callback: str) -> Profile:
        """As `Provider.who`. GitHub's token is used here, and handed on only where tokens are kept."""
        async with understood("github"):
            token = await exchange(self._app, away, code, callback)
            user = (await self._get("/user", token)).raise_for_status().json()
            if type(user["id"]) is not int or user["id"] <= 0:
                raise ValueError("no numeric id")
            login = plain(user.get("login"), str(user["id"]))
            profile = Profile(self.name, self.issuer, str(user["id"]), login, plain(user.get("name"), login))
            kept = user_token(token) if self._keeps_tokens else None
            invited = await self._is_invited(profile, token)
        if not invited:
            raise Refusal(NOT_INVITED)
        return replace(profile, token=kept)

    async def renew(self, refresh: str) -> UserToken:
        """The next token, for a refresh token that is used up by it. Raises Refusal."""
        async with understood("github_refresh"):
            told = await self._app.fetch_access_token(grant_type="refresh_token", refresh_token=refresh)
            renewed = user_token(told)
        if renewed is None:
            raise Refusal(UNAVAILABLE)
        return renewed

    async def _is_invited(self, profile: Profile, token: dict[str, Any]) -> bool:
        if self._invited.is_anybody or self._invited.names(profile.subject, profile.login):
            return True
        for organisation in sorted(self._invited.organisations):
            reply = await self._get(f"/user/memberships/orgs/{quote(organisation, safe='')}", token)
            if reply.status_code in {_FORBIDDEN, _NOT_FOUND} and not _is_rate_limited(reply):
                continue
            if reply.raise_for_status().json()["state"] == "active":
                return True
        return False

    async def _get(self, path: str, token: dict[str, Any]) -> httpx2.Response:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        reply: httpx2.Response = await self._app.get(f"{self._api}{path}", token=token, headers=headers)
        if _is_rate_limited(reply):
            raise Refusal(UNAVAILABLE)
        return reply


def user_token(told: dict[str, Any]) -> UserToken | None:
    """What GitHub answered as a token that ends by itself; None for one without an end, which is not to be kept."""
    access, refresh = told.get("access_token"), told.get("refresh_token") or ""
    life, refresh_life = told.get("expires_in"), told.get("refresh_token_expires_in", _REFRESH_LIFE)
    if not isinstance(access, str) or not isinstance(refresh, str) or type(life) is not int or life <= 0:
        return None
    return UserToken(access, life, refresh, refresh_life if type(refresh_life) is int else _REFRESH_LIFE)


def _is_rate_limited(reply: httpx2.Response) -> bool:
    return reply.status_code in {_FORBIDDEN, 429} and (
        "retry-after" in reply.headers or reply.headers.get("x-ratelimit-remaining") == "0"
    )
