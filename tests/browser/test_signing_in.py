"""A real Chromium signs in with the stand-in GitHub at the real pages and the real orchestrator, and out again."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from runtime.sealing import fresh_key
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import configure
from tests.support.service_keys import KEYS, PUBLIC_KEYS
from tests.support.signing_in import COOKIE, settings_for

ORCHESTRATOR = "import sys, uvicorn; from orchestrator.app import create_app; \
uvicorn.run(create_app(), host='127.0.0.1', port=int(sys.argv[1]), log_config=None)"
PAGES = "import sys; from web_ui.app import serve; serve('127.0.0.1', int(sys.argv[1]))"
SCREENSHOTS = os.environ.get("REPOSTREAM_TEST_SCREENSHOTS")  # a folder to look at them


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _process(program: str, port: int, environment: dict[str, str]) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-c", program, str(port)], env=environment) as process:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                        break
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()
            process.wait(20)


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
    api, pages = _free_port(), _free_port()
    environment = os.environ | settings_for(github, f"http://127.0.0.1:{pages}")
    environment |= {
        "REPOSTREAM_SECRET_KEY": fresh_key(),
        "REPOSTREAM_SERVICE_PUBLIC_KEYS": PUBLIC_KEYS,
        "REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": f"http://127.0.0.1:{api}",
    }
    with (
        _process(ORCHESTRATOR, api, environment | {"REPOSTREAM_SERVICE_KEY": KEYS["orchestrator"]}),
        _process(PAGES, pages, environment | {"REPOSTREAM_SERVICE_KEY": KEYS["web_ui"]}) as url,
    ):
        yield url


@pytest.fixture
def visitor(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800}, color_scheme="light")
    yield context
    context.close()


def _shoot(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"))


def _sign_in(page: Page) -> None:
    page.get_by_role("link", name="Sign in with GitHub").click()
    page.locator("#authorize").click()


def test_a_person_signs_in_sees_their_sessions_ends_one_and_signs_out(
    chromium: Browser, visitor: BrowserContext, github: GitHubStandIn, site: str
) -> None:
    page = visitor.new_page()
    page.goto("/account")
    expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    expect(page.get_by_label("Repository URL")).to_have_count(0)
    _shoot(page, "signed-out")

    _sign_in(page)
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
    _sign_in(elsewhere)
    expect(elsewhere.get_by_label("Repository URL")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="End", exact=True)).to_be_visible()
    _shoot(page, "account")
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)
    elsewhere.reload()
    expect(elsewhere.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    other.close()

    page.goto("/")
    expect(page.get_by_label("Repository URL")).to_be_visible()
    page.get_by_role("button", name="Mona Lisa Octocat").click()
    _shoot(page, "menu")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    assert [each["name"] for each in visitor.cookies() if each["name"] == COOKIE] == []
    assert httpx.get(f"{site}/api/v1/me", headers={"cookie": f"{COOKIE}={cookie['value']}"}).status_code == 401

    github.denies = True
    _sign_in(page)
    expect(page.get_by_text("The sign-in was cancelled there.")).to_be_visible()
    assert "alert(1)" not in page.content()
    _shoot(page, "denied")
