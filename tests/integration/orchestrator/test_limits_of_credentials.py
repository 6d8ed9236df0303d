"""What one person may do so often and no more: switch, make credentials, refresh them, sign out, send again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.github import GitHubStandIn
from tests.support.orchestrator import eventually
from tests.support.signing_in import Installation, an_installation
from tests.support.teams import Somebody, signs_in

LIMITS = {
    "SWITCHES": "user:3/hour",
    "GRANTS": "user:4/hour",
    "REFRESHES": "user:2/hour",
    "SIGN_OUTS": "address:2/hour",
    "REDELIVERIES": "user:2/hour",
    "FAILURES": "address:3/hour",
}
KEY = {"name": "k", "scopes": ["read:repositories"]}
GRANT = {"scopes": ["read:repositories"]}


@pytest.fixture
async def site(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[Installation]:
    limits = {f"REPOSTREAM_LIMITS_{name}": rules for name, rules in LIMITS.items()}
    async with an_installation(
        monkeypatch, github, database_url=database_url, redis_url=redis_url, home=home, **limits
    ) as running:
        yield running


def refused(reply: httpx.Response, words: str) -> None:
    assert (reply.status_code, reply.json()["code"]) == (429, "rate_limited"), reply.text
    assert words in reply.json()["detail"]
    assert 0 < int(reply.headers["retry-after"]) <= 7_200


async def test_switching_is_limited_for_each_person_and_writes_no_more_revocations_than_that(
    site: Installation,
) -> None:
    busy, other = await signs_in(site, 1, "busy"), await signs_in(site, 2, "other")
    own = (await busy.me())["tenant_id"]
    team = await busy.team()  # the first switch

    to = [own, team, own]
    replies = [await busy.ask("POST", f"/tenants/{each}/switch") for each in to]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    refused(replies[2], "3 switches of the tenant by one user each hour")
    assert (await busy.me())["tenant_id"] == team  # where the last one led
    assert (await busy.ask("POST", f"/tenants/{team}/switch")).status_code == 200  # no switch: it is there already
    assert len(await site.rows("SELECT id FROM auth.revocations")) == 3
    assert await other.team()


Make = Callable[[Somebody, str], Awaitable[httpx.Response]]
MAKES: dict[str, Make] = {
    "a key": lambda who, _team: who.ask("POST", "/me/keys", KEY),
    "a program": lambda who, _team: who.ask("POST", "/me/grants", GRANT),
    "an invitation": lambda who, team: who.ask("POST", f"/tenants/{team}/invitations", {"role": "member"}),
    "a sharing link": lambda who, _team: who.ask("POST", f"/repositories/{uuid4()}/shares", {}),
}


async def test_keys_programs_invitations_and_links_are_made_so_often_in_all(site: Installation) -> None:
    busy, other = await signs_in(site, 1, "busy"), await signs_in(site, 2, "other")
    team = await busy.team()
    made = [await make(busy, team) for make in MAKES.values()]
    assert [reply.status_code for reply in made] == [201, 201, 201, 404]

    for make in MAKES.values():
        refused(await make(busy, team), "4 new keys, programs and links by one user each hour")
    assert (await other.ask("POST", "/me/keys", KEY)).status_code == 201
    kept = await site.rows("SELECT 1 FROM auth.api_keys UNION ALL SELECT 1 FROM auth.refresh_tokens")
    assert len(kept) == 3


async def test_a_program_refreshes_so_often_and_what_is_refused_is_not_used_up(site: Installation) -> None:
    somebody = await signs_in(site, 1, "somebody")
    secret = (await somebody.done("POST", "/me/grants", GRANT))["refresh_token"]
    for _ in range(2):
        reply = await site.client.post("/auth/refresh", json={"refresh_token": secret})
        assert reply.status_code == 200
        secret = reply.json()["refresh_token"]

    stopped = await site.client.post("/auth/refresh", json={"refresh_token": secret})

    refused(stopped, "2 refreshes of tokens by one user each hour")
    assert len(await site.rows("SELECT 1 FROM auth.refresh_tokens WHERE used_at IS NULL")) == 1


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE auth.users SET suspended_at = now()",
        "DELETE FROM auth.members",
        "UPDATE auth.members SET role = 'viewer'",
    ],
    ids=["suspended", "removed", "scopes gone"],
)
async def test_a_refresh_for_somebody_who_may_do_nothing_is_a_failure(site: Installation, ended: str) -> None:
    somebody = await signs_in(site, 1, "somebody")
    scopes = {"scopes": ["ask:questions"]}
    secret = (await somebody.done("POST", "/me/grants", scopes))["refresh_token"]
    await site.rows(ended)
    site.app.state.services.accounts.standings.forget()

    async def refresh() -> httpx.Response:
        return await site.client.post("/auth/refresh", json={"refresh_token": secret})

    codes = [(reply.status_code, reply.json()["code"]) for reply in [await refresh() for _ in range(2)]]
    stopped = await eventually(refresh, lambda reply: reply.status_code == 429)

    assert codes == [(401, "not_signed_in")] * 2
    refused(stopped, "")
    assert len(await site.rows("SELECT 1 FROM auth.refresh_tokens WHERE used_at IS NULL")) == 1


async def test_signing_out_is_limited_by_address(site: Installation) -> None:
    visitor = site.visitor()
    replies = [await visitor.ask("POST", "/auth/logout") for _ in range(3)]

    assert [reply.status_code for reply in replies] == [303, 303, 429]
    refused(replies[2], "2 sign-outs from one address each hour")


async def test_sending_webhooks_again_is_limited(site: Installation) -> None:
    owner = await signs_in(site, 1, "owner")
    path = f"/webhooks/{uuid4()}/deliveries/{uuid4()}/redeliver"
    replies = [await owner.ask("POST", path) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [404, 404, 429]
    refused(replies[2], "2 webhook deliveries sent again by one user each hour")
