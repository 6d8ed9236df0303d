"""The App reads a private repository for who may read it anyway, and for nobody else; its token is for that one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.github_app import GithubApp
from runtime.faults import Fault
from tests.support.git_server import GitServer
from tests.support.github_app import GithubAppStandIn, Hosted, new_key

MINE, THEIRS = "ghu_mine-0123456789", "ghu_theirs-0123456789"


@pytest.fixture(scope="module")
def key() -> str:
    return new_key()


@pytest.fixture
def github(key: str, tmp_path: Path) -> Iterator[GithubAppStandIn]:
    with GitServer(tmp_path) as git, GithubAppStandIn("12345", key, git) as running:
        running.hosted = {
            "acme/secret": Hosted(7, seen_by={MINE}, installation=99),
            "acme/other": Hosted(8, seen_by={THEIRS}, installation=99),
            "acme/open": Hosted(9, private=False, seen_by={MINE, THEIRS}),
            "acme/without": Hosted(10, seen_by={MINE}),
        }
        yield running


@pytest.fixture
async def app(github: GithubAppStandIn) -> AsyncIterator[GithubApp]:
    made = GithubApp(app_id="12345", key=lambda: github.key, api_url=github.url)
    yield made
    await made.close()


async def code_of(app: GithubApp, token: str, name: str) -> str:
    with pytest.raises(Fault) as caught:
        await app.token_for(token, name)
    return caught.value.code


async def test_who_may_read_it_gets_a_token_for_this_repository_that_only_reads(
    app: GithubApp, github: GithubAppStandIn
) -> None:
    token = await app.token_for(MINE, "acme/secret")

    assert token == github.made[0]
    assert len(token) > 200  # nothing may assume the length of the old ones
    assert github.bodies == [{"repository_ids": [7], "permissions": {"contents": "read", "metadata": "read"}}]


@pytest.mark.parametrize(
    ("token", "name"),
    [(THEIRS, "acme/secret"), (MINE, "acme/other"), (MINE, "acme/missing"), ("ghu_expired-000000", "acme/secret")],
)
async def test_the_app_is_not_even_asked_for_who_may_not_read_it(
    token: str, name: str, app: GithubApp, github: GithubAppStandIn
) -> None:
    assert await app.token_for(token, name) is None
    assert github.requests == [f"GET /repos/{name}"]
    assert github.made == []


async def test_a_public_repository_takes_no_token(app: GithubApp, github: GithubAppStandIn) -> None:
    assert await app.token_for(MINE, "acme/open") is None
    assert github.made == []


async def test_a_repository_without_the_app_says_so_to_who_may_read_it(app: GithubApp) -> None:
    assert await code_of(app, MINE, "acme/without") == "app_not_installed"


async def test_a_repository_that_took_the_name_in_between_is_not_opened(
    app: GithubApp, github: GithubAppStandIn
) -> None:
    github.hosted["acme/secret"].installation = 50  # the name now leads to an installation that lacks the number 7
    github.answers = {}
    seen = Hosted(7, seen_by={MINE}, installation=51)
    github.hosted["acme/secret"] = Hosted(70, seen_by={MINE}, installation=50)
    answer = github._repository
    github._repository = lambda name, token: (answer(name, token)[0], {"id": seen.id, "private": True})  # type: ignore[method-assign]  # the first look

    assert await code_of(app, MINE, "acme/secret") == "app_not_installed"
    assert github.made == []


@pytest.mark.parametrize(
    ("status", "headers"),
    [(500, {}), (502, {}), (429, {}), (403, {"x-ratelimit-remaining": "0"}), (403, {"retry-after": "60"}), (200, {})],
)
@pytest.mark.parametrize("path", ["/repos/acme/secret", "/repos/acme/secret/installation"])
async def test_a_github_that_is_down_or_limits_us_is_asked_again_later(
    status: int, headers: dict[str, str], path: str, app: GithubApp, github: GithubAppStandIn
) -> None:
    github.answers[path] = (status, headers)

    assert await code_of(app, MINE, "acme/secret") == "github_unavailable"
    assert f"GET {path}" in github.requests


async def test_a_github_that_is_not_there_is_asked_again_later(key: str) -> None:
    app = GithubApp(app_id="1", key=lambda: key, api_url="http://127.0.0.1:9")

    assert await code_of(app, MINE, "acme/secret") == "github_unavailable"
    await app.close()


async def test_more_rights_than_were_asked_for_are_refused(app: GithubApp, github: GithubAppStandIn) -> None:
    github.too_much = True

    assert await code_of(app, MINE, "acme/secret") == "github_app_refused"


@pytest.mark.parametrize("kind", ["another key", "no key", "nonsense"])
async def test_an_app_that_github_does_not_know_is_the_administrators_matter(
    kind: str, github: GithubAppStandIn
) -> None:
    given = {"another key": new_key(), "no key": "", "nonsense": "-----BEGIN nonsense"}[kind]
    app = GithubApp(app_id="12345", key=lambda: given, api_url=github.url)

    assert await code_of(app, MINE, "acme/secret") == "github_app_refused"
    await app.close()


async def test_a_key_that_was_replaced_is_used_at_once(github: GithubAppStandIn) -> None:
    keys = [github.key]
    app = GithubApp(app_id="12345", key=lambda: keys[-1], api_url=github.url)
    assert await app.token_for(MINE, "acme/secret")

    github.key = new_key()
    assert await code_of(app, MINE, "acme/secret") == "github_app_refused"
    keys.append(github.key)
    assert await app.token_for(MINE, "acme/secret")
    await app.close()
