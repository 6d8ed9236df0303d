"""Sign-ins are limited by address, and leave none of their secrets anywhere."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orchestrator.auth.sessions import COOKIE
from tests.support.accounts import bearer
from tests.support.canaries import Canary, found_in, hiding_places
from tests.support.github import CLIENT_SECRET, GitHubStandIn
from tests.support.service_keys import signer
from tests.support.signing_in import STATE, Installation, Visitor, an_installation


@dataclass
class Begin:
    """Starts the orchestrator with some settings."""

    monkeypatch: pytest.MonkeyPatch
    github: GitHubStandIn
    urls: dict[str, str]
    home: Path

    @asynccontextmanager
    async def __call__(self, **settings: str) -> AsyncIterator[Installation]:
        named = {f"REPOSTREAM_{name}": value for name, value in settings.items()}
        async with an_installation(self.monkeypatch, self.github, **self.urls, home=self.home, **named) as running:
            yield running


@pytest.fixture
def begin(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> Begin:
    return Begin(monkeypatch, github, {"database_url": database_url, "redis_url": redis_url}, home)


async def post(site: Installation, path: str, body: object, visitor: Visitor) -> httpx.Response:
    headers = {"cookie": f"{COOKIE}={visitor.cookies[COOKIE]}", "origin": site.url, "idempotency-key": "once"}
    return await site.client.post(path, json=body, headers=headers)


async def test_one_address_can_begin_so_many_sign_ins_and_another_is_not_held_up_by_it(begin: Begin) -> None:
    async with begin(LIMITS_SIGN_INS="address:3/minute", LIMITS_TRUSTED_PROXIES="127.0.0.1") as site:

        async def leave(address: str) -> httpx.Response:
            return await site.visitor().ask("GET", "/auth/login?provider=github", x_forwarded_for=address)

        many = await asyncio.gather(*(leave("198.51.100.7") for _ in range(8)))
        assert sorted(reply.status_code for reply in many) == [302] * 3 + [429] * 5
        refused = next(reply for reply in many if reply.status_code == 429)
        assert refused.json()["code"] == "rate_limited"
        assert 0 < int(refused.headers["retry-after"]) <= 61
        assert "set-cookie" not in refused.headers
        forged = await leave("203.0.113.1, 198.51.100.7")  # what it says before the proxy's own word counts for nothing
        assert forged.status_code == 429
        assert (await leave("198.51.100.8")).status_code == 302
        neighbours = [await leave(f"2001:db8::{number}") for number in range(4)]  # one subscriber has all of them
        assert [reply.status_code for reply in neighbours] == [302] * 3 + [429]


async def test_no_secret_of_signing_in_of_keys_or_of_webhooks_is_left_anywhere(
    begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    async with begin(LOG_LEVEL="DEBUG", WEBHOOKS_LOOPBACK="true") as site:
        visitor = site.visitor()
        away = await visitor.leave()
        asked = parse_qs(urlsplit(away).query)
        back = await visitor.back(away)
        code = parse_qs(urlsplit(back).query)["code"][0]
        kept = visitor.cookies[STATE]
        await visitor.ask("GET", back)
        await visitor.ask("GET", back)  # replayed: refused, and logged
        session = visitor.cookies[COOKIE]
        made = await post(
            site, "/api/v1/me/keys", {"name": "k", "scopes": ["read:repositories"], "expires_in_days": 1}, visitor
        )
        granted = await post(site, "/api/v1/me/grants", {"scopes": ["read:repositories"]}, visitor)
        hook = await post(site, "/api/v1/webhooks", {"url": "http://127.0.0.1:9/hook"}, visitor)
        assert [reply.status_code for reply in (made, granted, hook)] == [201, 201, 201]
        again = await post(
            site, "/api/v1/me/keys", {"name": "k", "scopes": ["read:repositories"], "expires_in_days": 1}, visitor
        )
        assert again.json()["secret"] == made.json()["secret"]  # the answer was kept, sealed
        traded = await site.client.post(
            "/auth/token", json={"session": session}, headers=signer("web_ui").headers("orchestrator")
        )
        refreshed = await site.client.post("/auth/refresh", json={"refresh_token": granted.json()["refresh_token"]})
        secrets = {
            "state": asked["state"][0],
            "code": code,
            "cookie of the way": kept,
            "session": session,
            "provider's token": next(iter(site.github.tokens)),
            "client secret": CLIENT_SECRET,
            "API key": made.json()["secret"],
            "refresh token": granted.json()["refresh_token"],
            "next refresh token": refreshed.json()["refresh_token"],
            "session token": traded.json()["access_token"],
            "webhook secret": hook.json()["secret"],
        }
        for secret in secrets.values():  # and where people put them by mistake
            await site.client.get("/api/v1/me", headers=bearer(secret))
            await site.client.get(f"/api/v1/analyses/{secret[:60]}")
        await site.client.get("/api/v1/audit", headers=bearer(traded.json()["access_token"]))

        names, marked = list(secrets), [Canary(secret) for secret in secrets.values()]
        assert all(len(secret) >= 18 for secret in secrets.values())
        urls = begin.urls
        found = await hiding_places(marked, urls["database_url"], urls["redis_url"], begin.home)
    logged = capsys.readouterr()
    found += list(found_in(marked, "log", (logged.err + logged.out).encode()))
    assert [re.sub(r"canary (\d+)", lambda match: names[int(match[1])], line) for line in found] == []
