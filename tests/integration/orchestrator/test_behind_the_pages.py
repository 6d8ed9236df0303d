"""What comes through the page server counts for who asked it, not for the page server: nobody locks the others out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.github import GitHubStandIn
from tests.support.signing_in import Visitor, an_installation
from tests.support.site import serving_pages

ATTACKER, COLLEAGUE, PERSON = "127.0.0.2", "127.0.0.3", "127.0.0.4"
LIMITS = {"REPOSTREAM_LIMITS_FAILURES": "address:20/hour", "REPOSTREAM_LIMITS_SIGN_INS": "address:10/hour"}


@asynccontextmanager
async def a_browser(pages: str, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose connections come from `address`, one of this machine's own."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(transport=transport, base_url=pages, timeout=20) as client:
        yield client


async def test_who_asks_too_often_through_the_pages_stops_themselves_alone(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> None:
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home, **LIMITS
    ) as here:
        with serving_pages(here.url) as pages:
            async with (
                a_browser(pages, ATTACKER) as attacker,
                a_browser(pages, COLLEAGUE) as other,
                a_browser(pages, PERSON) as browser,
            ):
                person = Visitor(browser)
                await person.sign_in()
                lies = [{}, {"x-forwarded-for": PERSON}, {"x-forwarded-for": "203.0.113.9"}]
                guesses = [
                    (await attacker.get("/api/v1/me", headers=lies[n % len(lies)])).status_code for n in range(100)
                ]
                assert guesses == [401] * 20 + [429] * 80
                assert (await person.api("/me")).status_code == 200
                assert (await other.get("/api/v1/me")).status_code == 401

                forged = [(await attacker.get("/auth/callback?code=x&state=y")).status_code for _ in range(12)]
                assert forged == [303] * 10 + [429] * 2
                again = Visitor(other)
                await again.sign_in()
                assert again.signed_in


async def test_refresh_tokens_cannot_be_guessed_without_end(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> None:
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home, **LIMITS
    ) as here:
        guess = {"refresh_token": "rsr_" + "a" * 43}
        refreshed = [(await here.client.post("/auth/refresh", json=guess)).status_code for _ in range(15)]
        revoked = [(await here.client.post("/auth/revoke", json=guess)).status_code for _ in range(15)]

        assert refreshed == [401] * 15
        assert revoked == [204] * 5 + [429] * 10
        assert (await here.client.post("/auth/refresh", json=guess)).status_code == 429
