"""A real Chromium signs in with the stand-in GitHub at the real pages and the real orchestrator, and out again."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.support.github import GitHubStandIn
from tests.support.orchestrator import configure
from tests.support.signing_in import COOKIE
from tests.support.site import serving_site, shoot, sign_in


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn(shows_page=True) as stand_in:
        stand_in.user |= {"name": "Mona Lisa Octocat"}
        yield stand_in


@pytest.fixture
def site(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> Iterator[str]:
    """The pages' address."""
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    with serving_site(github) as served:
        yield served.url


@pytest.fixture
def visitor(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800}, color_scheme="light")
    yield context
    context.close()


def test_a_person_signs_in_sees_their_sessions_ends_one_and_signs_out(
    chromium: Browser, visitor: BrowserContext, github: GitHubStandIn, site: str
) -> None:
    page = visitor.new_page()
    page.goto("/account")
    expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    expect(page.get_by_label("Repository URL")).to_have_count(0)
    shoot(page, "signed-out")

    sign_in(page)
    expect(page.get_by_role("heading", name="Mona Lisa Octocat")).to_be_visible()
    assert page.url == f"{site}/account"
    (cookie,) = [each for each in visitor.cookies() if each["name"] == COOKIE]
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert cookie["sameSite"] == "Lax"
    assert [each["name"] for each in visitor.cookies() if each["name"].startswith("__Host-sign-in")] == []
    assert page.evaluate("document.cookie").find(COOKIE) == -1
    expect(page.get_by_text("this browser")).to_be_visible()

    other = chromium.new_context(base_url=site)
    elsewhere = other.new_page()
    elsewhere.goto("/")
    sign_in(elsewhere)
    expect(elsewhere.get_by_label("Repository URL")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="End", exact=True)).to_be_visible()
    shoot(page, "account")
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)
    elsewhere.reload()
    expect(elsewhere.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    other.close()

    page.goto("/")
    expect(page.get_by_label("Repository URL")).to_be_visible()
    page.get_by_role("button", name="Mona Lisa Octocat").click()
    shoot(page, "menu")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    assert [each["name"] for each in visitor.cookies() if each["name"] == COOKIE] == []
    assert httpx.get(f"{site}/api/v1/me", headers={"cookie": f"{COOKIE}={cookie['value']}"}).status_code == 401

    github.denies = True
    sign_in(page)
    expect(page.get_by_text("The sign-in was cancelled there.")).to_be_visible()
    assert "alert(1)" not in page.content()
    shoot(page, "denied")
