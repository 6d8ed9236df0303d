"""A real Chromium takes along all that is somebody's, and deletes their account."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.accessibility import assert_accessible
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import configure
from tests.support.site import serving_site, shoot, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn(shows_page=True) as stand_in:
        stand_in.user |= {"name": "Mona Lisa Octocat"}
        yield stand_in


@pytest.fixture
def site(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> Iterator[str]:
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    with serving_site(github) as served:
        yield served.url


def test_a_person_downloads_everything_and_deletes_their_account(chromium: Browser, site: str, tmp_path: Path) -> None:
    context = chromium.new_context(base_url=site, viewport={"width": 390, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.goto("/account")
    sign_in(page)
    expect(page.get_by_role("heading", name="Delete the account")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, "leaving-phone")
    assert_accessible(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    shoot(page, "leaving")

    with page.expect_download() as under_way:
        page.get_by_role("link", name="Download all that is yours").click()
    target = tmp_path / "export.zip"
    under_way.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert b'"login": "octocat"' in archive.read("account.jsonl")

    page.get_by_label("Type your login to confirm").fill("somebody")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Send your login, letter by letter")).to_be_visible()
    page.get_by_label("Type your login to confirm").fill("octocat")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    shoot(page, "left")
    page.goto("/account")
    expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    context.close()
