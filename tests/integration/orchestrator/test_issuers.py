"""An account is of one issuer: an equal number at another provider is somebody else, whatever the settings say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import migrations
from events.log.wake import Wake
from orchestrator.auth.github import GitHub, issuer_of
from orchestrator.auth.issuers import Issuers
from orchestrator.auth.openid import OpenId
from orchestrator.auth.people import Browser, People
from orchestrator.auth.providers import Invited, Profile, Provider
from orchestrator.auth.sessions import Sessions
from tests.conftest import Servers
from tests.support.accounts import execute
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import async_url, eventually
from tests.support.signing_in import Installation, an_installation

PUBLIC = GitHub("https://github.com", "id", "secret", Invited())
OWN = GitHub("https://git.acme.example", "id", "secret", Invited())
KEYCLOAK = OpenId("https://login.acme.example/realms/a", "id", "secret", "SSO", Invited())
OTHER_REALM = OpenId("https://login.acme.example/realms/b", "id", "secret", "SSO", Invited())


@dataclass
class Place:
    """The tables of an installation, whose settings change from start to start."""

    engine: AsyncEngine
    redis: Redis

    async def start(self, *providers: Provider) -> None:
        """What the first moments of a process do."""
        await Issuers(self.engine, providers).settle()

    async def sign_in(self, provider: Provider, subject: str = "583231") -> UUID:
        """Whose session it is that somebody gets who comes back from `provider` as `subject`."""
        await Issuers(self.engine, [provider]).settle()
        sessions = Sessions(self.engine)
        people = People(self.engine, sessions, Wake(self.redis), (), lambda: datetime.now(UTC))
        profile = Profile(provider.name, provider.issuer, subject, "octocat", "Octo Cat")
        found = await sessions.find(await people.let_in(profile, Browser("", "", uuid4())))
        assert found is not None
        return found.user_id

    async def forget_issuers(self) -> None:
        """As the revision leaves the accounts of before."""
        await execute(self.engine, "UPDATE auth.users SET issuer = NULL WHERE provider <> 'local'")

    async def issuers(self) -> dict[UUID, str | None]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(text("SELECT user_id, issuer FROM auth.users WHERE provider <> 'local'"))
            return {row.user_id: row.issuer for row in rows}


@pytest.fixture
async def place(database_url: str, redis_url: str) -> AsyncIterator[Place]:
    engine, redis = create_async_engine(async_url(database_url)), Redis.from_url(redis_url)
    yield Place(engine, redis)
    await redis.aclose()
    await engine.dispose()


@pytest.mark.parametrize(("before", "after"), [(PUBLIC, OWN), (KEYCLOAK, OTHER_REALM), (PUBLIC, KEYCLOAK)])
async def test_an_equal_id_at_another_issuer_is_somebody_else_and_back_again_the_first(
    place: Place, before: Provider, after: Provider
) -> None:
    first = await place.sign_in(before)
    other = await place.sign_in(after)

    assert other != first
    assert await place.sign_in(before) == first
    assert await place.sign_in(after) == other
    assert await place.issuers() == {first: before.issuer, other: after.issuer}


async def test_accounts_of_before_stay_their_owners_from_the_first_start_on(place: Place) -> None:
    github, openid = await place.sign_in(PUBLIC), await place.sign_in(KEYCLOAK)
    await place.forget_issuers()
    await place.start(PUBLIC, KEYCLOAK)

    assert await place.sign_in(PUBLIC) == github
    assert await place.sign_in(KEYCLOAK) == openid
    assert await place.sign_in(OWN) not in {github, openid}
    assert await place.sign_in(OTHER_REALM) not in {github, openid}


async def test_an_account_whose_provider_is_gone_at_the_first_start_is_handed_to_nobody(place: Place) -> None:
    openid = await place.sign_in(KEYCLOAK)
    await place.forget_issuers()
    await place.start(PUBLIC)

    assert await place.issuers() == {openid: ""}
    assert await place.sign_in(OTHER_REALM) != openid
    assert await place.sign_in(KEYCLOAK) != openid


async def test_processes_that_start_at_once_settle_it_once(place: Place) -> None:
    mine = await place.sign_in(PUBLIC)
    await place.forget_issuers()

    await asyncio.gather(*(place.start(PUBLIC) for _ in range(8)))

    assert await place.issuers() == {mine: PUBLIC.issuer}


@pytest.mark.parametrize(
    "written", ["https://git.acme.example", "https://git.acme.example/", "HTTPS://Git.Acme.Example"]
)
def test_an_address_is_the_same_issuer_however_it_is_written(written: str) -> None:
    assert issuer_of(written) == OWN.issuer == "https://git.acme.example"


@asynccontextmanager
async def a_start(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, urls: dict[str, Any]
) -> AsyncIterator[Installation]:
    async with an_installation(monkeypatch, github, **urls) as running:
        yield running


async def me(here: Installation) -> dict[str, Any]:
    visitor = here.visitor()
    await visitor.sign_in()
    assert visitor.signed_in
    found: dict[str, Any] = (await visitor.api("/me")).json()
    return found


async def test_an_installation_that_moves_to_another_github_hands_no_account_over(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    urls = {"database_url": database_url, "redis_url": redis_url, "home": home}
    with GitHubStandIn() as before, GitHubStandIn() as after:
        assert before.user["id"] == after.user["id"]
        async with a_start(monkeypatch, before, urls) as here:
            owner = await me(here)
            await here.rows("UPDATE auth.users SET issuer = NULL WHERE provider = 'github'")  # by an older release

        async with a_start(monkeypatch, before, urls) as here:
            await eventually(
                lambda: here.rows("SELECT issuer FROM auth.users WHERE provider = 'github'"),
                lambda rows: [row["issuer"] for row in rows] == [before.url],  # at its start, before anybody signs in
            )
        async with a_start(monkeypatch, after, urls) as here:
            stranger = await me(here)
        async with a_start(monkeypatch, before, urls) as here:
            again = await me(here)

    assert {stranger["user_id"], stranger["tenant_id"]}.isdisjoint({owner["user_id"], owner["tenant_id"]})
    assert (again["user_id"], again["tenant_id"]) == (owner["user_id"], owner["tenant_id"])


async def test_the_upgrade_keeps_every_account(servers: Servers) -> None:
    name, url = "issuers_of_before", servers.postgres.url
    admin = await asyncpg.connect(url)
    await admin.execute(f"CREATE DATABASE {name}")
    url = f"{url.rsplit('/', 1)[0]}/{name}"
    try:
        await asyncio.to_thread(migrations.upgrade, url, to="0028")
        connection = await asyncpg.connect(url)
        for provider in ("github", "oidc", "deleted"):
            await connection.execute(
                "INSERT INTO auth.users (user_id, provider, subject, login, name) VALUES ($1, $2, '1', 'ann', '')",
                uuid4(), provider,
            )  # fmt: skip
        await asyncio.to_thread(migrations.upgrade, url)
        rows = await connection.fetch("SELECT provider, issuer FROM auth.users ORDER BY provider")
        await connection.close()
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()

    assert [tuple(row) for row in rows] == [("deleted", ""), ("github", None), ("local", ""), ("oidc", None)]
