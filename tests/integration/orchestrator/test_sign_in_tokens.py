"""What GitHub said of a person at sign-in decides what the App reads for them, and is nowhere to be found."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from orchestrator.adapters.repository_credentials import sweep
from tests.support.canaries import Canary, found_in, hiding_places
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer, Manner
from tests.support.github import GitHubStandIn, html, told
from tests.support.github_app import GithubAppStandIn, Hosted, new_key
from tests.support.orchestrator import eventually
from tests.support.service_keys import KEYS, signer
from tests.support.signing_in import Installation, Visitor, an_installation

TOKENS = "SELECT token_id, user_id, renew_at > now() AS fresh FROM auth.sign_in_tokens"


class Readers:
    """Who may read a repository: whoever has a token of the sign-in, as long as `allowed`."""

    def __init__(self, github: GitHubStandIn) -> None:
        self.github = github
        self.allowed = True

    def __contains__(self, token: object) -> bool:
        return self.allowed and token in self.github.tokens


@pytest.fixture(scope="module")
def key() -> str:
    return new_key()


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served" / "acme"
    folder.mkdir(parents=True)
    for name in ("secret", "theirs", "open"):
        build_repository(folder / f"{name}.git", [{"app.py": f"def {name}():\n    return 1\n"}])
    with GitServer(tmp_path / "served", passwords={"acme/secret": set(), "acme/theirs": set()}) as running:
        running.behave("acme/missing", Manner.ASK_PASSWORD)
        yield running


@pytest.fixture
def github(git: GitServer) -> Iterator[GitHubStandIn]:
    """Tokens have no known shape: what takes them out of a log is not that they look like one."""
    with GitHubStandIn(life=28_800, word="canary.Nightjar.", git=git.url("").rstrip("/")) as stand_in:
        yield stand_in


@pytest.fixture
def app(key: str, git: GitServer, github: GitHubStandIn) -> Iterator[GithubAppStandIn]:
    with GithubAppStandIn("12345", key, git) as running:
        mine = Readers(github)
        running.hosted = {
            "acme/secret": Hosted(7, seen_by=mine, installation=99),
            "acme/theirs": Hosted(8, seen_by=set(), installation=99),
            "acme/open": Hosted(9, private=False, seen_by=mine),
        }
        yield running


@pytest.fixture
async def site(  # noqa: PLR0917  # each part is a server of its own
    monkeypatch: pytest.MonkeyPatch,
    github: GitHubStandIn,
    app: GithubAppStandIn,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],  # before the services, which log to where it looks
) -> AsyncIterator[Installation]:
    """The orchestrator where people sign in, with the App."""
    settings = {
        "REPOSTREAM_GITHUB_APP_ID": app.app_id,
        "REPOSTREAM_GITHUB_APP_PRIVATE_KEY": app.key,
        "REPOSTREAM_GITHUB_APP_API_URL": app.url,
        "REPOSTREAM_SERVICE_KEY": KEYS["processor"],
        "REPOSTREAM_LOG_LEVEL": "DEBUG",
    }
    urls = {"database_url": database_url, "redis_url": redis_url, "home": tmp_path / "home"}
    async with an_installation(monkeypatch, github, **urls, **settings) as running:  # type: ignore[arg-type]  # by name
        yield running


@pytest.fixture
async def processor(monkeypatch: pytest.MonkeyPatch, site: Installation) -> AsyncIterator[None]:
    """The real one, which clones."""
    from processor.app import create_app

    monkeypatch.setenv("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL", site.url)
    service = create_app()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service.router.lifespan_context(service))
        yield


async def signed_in(site: Installation) -> Visitor:
    visitor = site.visitor()
    await visitor.sign_in()
    assert visitor.signed_in
    return visitor


async def begin(site: Installation, visitor: Visitor, name: str) -> UUID:
    jar = "; ".join(f"{key}={value}" for key, value in visitor.cookies.items())
    reply = await site.client.post(
        "/api/v1/analyses", json={"url": f"{site.github.url}/{name}"}, headers={"cookie": jar, "origin": site.url}
    )
    assert reply.status_code in {200, 202}, reply.text
    return UUID(reply.json()["analysis_id"])


async def cloned(visitor: Visitor, analysis: UUID) -> tuple[str, str | None, str | None]:
    """How the clone ended: state, code and message."""

    async def stage() -> dict[str, Any]:
        view = (await visitor.api(f"/analyses/{analysis}")).json()
        return next((stage for stage in view["stages"] if stage["stage"] == "clone"), {})

    found = await eventually(stage, lambda stage: stage.get("state") in {"completed", "failed"}, 60)
    return found["state"], found["code"], found["message"]


async def anew(site: Installation, visitor: Visitor, name: str) -> UUID:
    """Another analysis of a repository whose last one still runs: there is no index here to end it."""
    last = await begin(site, visitor, name)  # joins it
    await visitor.api(f"/analyses/{last}/cancel", "POST", origin=site.url)

    async def state() -> object:
        return (await visitor.api(f"/analyses/{last}")).json()["state"]

    await eventually(state, lambda found: found == "cancelled")
    return await begin(site, visitor, name)


async def login(site: Installation, analysis: UUID) -> httpx.Response:
    return await site.client.post(
        "/internal/clone-login",
        json={"analysis_id": str(analysis)},
        headers=signer("processor").headers("orchestrator"),
    )


@pytest.mark.usefixtures("processor")
async def test_a_person_analyses_what_they_may_read_and_what_they_may_not_looks_missing(
    site: Installation,
    app: GithubAppStandIn,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    visitor = await signed_in(site)
    first = set(site.github.tokens) | set(site.github.refreshes)

    assert await cloned(visitor, await begin(site, visitor, "acme/secret")) == ("completed", None, None)
    assert await cloned(visitor, await begin(site, visitor, "acme/open")) == ("completed", None, None)
    assert [body["repository_ids"] for body in app.bodies] == [[7]]
    theirs = await cloned(visitor, await begin(site, visitor, "acme/theirs"))
    missing = await cloned(visitor, await begin(site, visitor, "acme/missing"))
    assert theirs[:2] == missing[:2] == ("failed", "repository_not_found")
    assert (theirs[2] or "").replace("theirs", "missing") == missing[2]
    assert len(app.bodies) == 1

    await site.rows("UPDATE auth.sign_in_tokens SET renew_at = now()")
    assert (await cloned(visitor, await anew(site, visitor, "acme/open")))[0] == "completed"
    [row] = await site.rows(TOKENS)
    assert row["fresh"]
    assert len(site.github.tokens) == 1
    assert not first & set(site.github.tokens)  # it was renewed

    readers = app.hosted["acme/secret"].seen_by
    assert isinstance(readers, Readers)
    readers.allowed = False  # it is taken away from them
    app.git.passwords["acme/secret"].clear()
    assert (await cloned(visitor, await anew(site, visitor, "acme/secret")))[:2] == ("failed", "repository_not_found")
    assert len(app.bodies) == 1

    marked = [Canary(token) for token in first | set(site.github.tokens) | set(site.github.refreshes)]
    assert len(marked) == 4
    answers = [await visitor.api(path) for path in ("/me", "/me/credentials", "/me/sessions", "/events?limit=500")]
    assert list(found_in(marked, "answer", b"".join(reply.content for reply in answers))) == []
    assert await hiding_places(marked, database_url, redis_url, tmp_path / "home") == []
    logged = capsys.readouterr()
    assert '"service": "processor"' in logged.err
    assert list(found_in(marked, "log", (logged.err + logged.out).encode())) == []


async def test_it_is_thrown_away_with_the_last_session_with_suspension_and_with_the_account(site: Installation) -> None:
    one, other = await signed_in(site), await signed_in(site)
    analysis = await begin(site, one, "acme/secret")
    assert (await login(site, analysis)).status_code == 200

    await one.ask("POST", "/auth/logout", origin=site.url)
    assert len(await site.rows(TOKENS)) == 1
    await other.ask("POST", "/auth/logout", origin=site.url)
    assert await site.rows(TOKENS) == []
    assert (await login(site, analysis)).status_code == 204  # none: what is public is cloned all the same

    for statement in (
        "UPDATE auth.users SET suspended_at = now()",
        "UPDATE auth.users SET deleted_at = now()",
        "UPDATE auth.sessions SET expires_at = now()",
        "UPDATE auth.sign_in_tokens SET expires_at = now()",
    ):
        await site.rows("UPDATE auth.users SET suspended_at = NULL, deleted_at = NULL")
        await signed_in(site)
        assert (await login(site, analysis)).status_code == 200  # the same analysis: its id is the person's
        await site.rows(statement)
        assert (await login(site, analysis)).status_code == 204
        await sweep(site.engine, site.app.state.services.clock())
        assert await site.rows(TOKENS) == []


async def test_a_renewal_that_is_refused_ends_it_and_one_that_fails_does_not(site: Installation) -> None:
    visitor = await signed_in(site)
    analysis = await begin(site, visitor, "acme/secret")
    await site.rows("UPDATE auth.sign_in_tokens SET renew_at = now()")
    path = "/login/oauth/access_token"

    for fault in (html(200), html(502), told(500, {})):
        site.github.faults[path] = fault
        reply = await login(site, analysis)
        assert (reply.status_code, reply.json()["code"]) == (503, "github_unavailable")
        assert len(await site.rows(TOKENS)) == 1
    del site.github.faults[path]
    before = site.github.served.count(path)
    both = await asyncio.gather(login(site, analysis), login(site, analysis))
    assert [reply.status_code for reply in both] == [200, 200]
    assert site.github.served.count(path) == before + 1  # a refresh token is good once

    await site.rows("UPDATE auth.sign_in_tokens SET renew_at = now()")
    site.github.refreshes.clear()  # the person took the App's rights away
    refused = await login(site, analysis)
    assert (refused.status_code, refused.json()["code"]) == (409, "credential_gone")
    assert await site.rows(TOKENS) == []


async def test_another_person_another_tenant_and_a_moved_row_open_nothing(site: Installation) -> None:
    visitor = await signed_in(site)
    me = (await visitor.api("/me")).json()
    [row] = await site.rows(TOKENS)
    tokens = site.app.state.services.sign_in.tokens
    host = site.github.url.removeprefix("http://")
    mine = {"tenant_id": UUID(me["tenant_id"]), "user_id": UUID(me["user_id"]), "host": host}
    assert await tokens.use(row["token_id"], **mine) in site.github.tokens

    site.github.user = {"id": 2, "login": "other", "name": None, "email": None}
    other = (await (await signed_in(site)).api("/me")).json()
    for wrong in (
        {"user_id": UUID(other["user_id"])},
        {"tenant_id": UUID(other["tenant_id"])},
        {"host": "evil.example"},
    ):
        assert await tokens.use(row["token_id"], **{**mine, **wrong}) is None
    await site.rows(
        "UPDATE auth.sign_in_tokens SET sealed = (SELECT sealed FROM auth.sign_in_tokens WHERE user_id = :me)"
        " WHERE user_id = :other",
        me=mine["user_id"],
        other=UUID(other["user_id"]),
    )
    theirs = {"tenant_id": UUID(other["tenant_id"]), "user_id": UUID(other["user_id"]), "host": host}
    [moved] = await site.rows(f"{TOKENS} WHERE user_id = :id", id=theirs["user_id"])
    with pytest.raises(Exception, match="credential_gone"):
        await tokens.use(moved["token_id"], **theirs)


@pytest.mark.parametrize(("app_id", "life"), [("", 28_800), ("12345", 0)])
async def test_nothing_is_kept_without_an_app_nor_a_token_that_never_ends(  # noqa: PLR0917  # the same
    app_id: str,
    life: int,
    monkeypatch: pytest.MonkeyPatch,
    github: GitHubStandIn,
    key: str,
    database_url: str,
    redis_url: str,
    home: Path,
) -> None:
    settings = {"REPOSTREAM_GITHUB_APP_ID": app_id, "REPOSTREAM_GITHUB_APP_PRIVATE_KEY": key}
    github.life = life
    urls = {"database_url": database_url, "redis_url": redis_url, "home": home}
    async with an_installation(monkeypatch, github, **urls, **settings) as site:  # type: ignore[arg-type]  # by name
        await signed_in(site)

        assert await site.rows(TOKENS) == []
        async with site.engine.begin() as connection:
            sealed = await connection.scalar(text("SELECT count(*) FROM auth.repository_credentials"))
        assert sealed == 0
