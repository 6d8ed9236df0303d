"""A real Chromium: administrators read the audit trail and suspend people, others find neither."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import configure
from tests.support.signing_in import COOKIE
from tests.support.site import serving_site, shoot, sign_in

ADMINISTRATOR = {"id": 583231, "login": "octocat", "name": "Mona Lisa Octocat", "email": None}
SOMEBODY = {"id": 42, "login": "hubot", "name": None, "email": None}


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn(shows_page=True, user=dict(ADMINISTRATOR)) as stand_in:
        yield stand_in


@pytest.fixture
def site(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> Iterator[str]:
    """The pages' address."""
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    with serving_site(github, {"REPOSTREAM_ADMINISTRATORS": "github:583231"}) as served:
        yield served.url


@pytest.fixture
def visitor(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800}, color_scheme="light")
    yield context
    context.close()


def _menu(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_administrators_read_and_export_the_audit_trail_and_suspend_people_others_find_neither(
    chromium: Browser, visitor: BrowserContext, github: GitHubStandIn, site: str
) -> None:
    other = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800})
    github.user = dict(SOMEBODY)
    theirs = other.new_page()
    theirs.goto("/audit")
    sign_in(theirs)
    expect(theirs.get_by_text("There is no such page for you.")).to_be_visible()
    _menu(theirs, "hubot")
    expect(theirs.get_by_role("link", name="Your sessions")).to_be_visible()
    expect(theirs.get_by_role("link", name="Audit trail")).to_have_count(0)
    (cookie,) = [each["value"] for each in other.cookies() if each["name"] == COOKIE]
    refused = httpx.get(f"{site}/api/v1/audit/verification", headers={"cookie": f"{COOKIE}={cookie}"}, trust_env=False)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

    github.user = dict(ADMINISTRATOR)
    page = visitor.new_page()
    page.goto("/")
    sign_in(page)
    _menu(page, "Mona Lisa Octocat")
    page.get_by_role("link", name="Audit trail").click()
    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
    expect(page.locator(".rs-audit details").first).to_be_visible()
    page.get_by_label("Who").fill("HUBOT")
    page.get_by_label("Did").fill("audit.")
    page.get_by_role("button", name="Search").click()
    entry = page.locator(".rs-audit details")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("audit.verification")
    expect(entry).to_contain_text("refused")
    assert "user=HUBOT" in page.url
    entry.locator("summary").click()
    expect(entry.get_by_text("HTTP status")).to_be_visible()
    expect(entry.locator("dd", has_text="python-httpx")).to_be_visible()
    page.get_by_role("button", name="Check the trail").click()
    expect(page.get_by_role("status")).to_contain_text("The trail is whole")
    shoot(page, "audit")
    assert_accessible(page)

    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON lines").click()
    lines = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert [(line["login"], line["action"], line["outcome"]) for line in lines] == [
        ("hubot", "audit.verification", "refused")
    ]

    page.goto("/people?cursor=of-another-search")
    expect(page.get_by_role("alert")).to_contain_text("bad_cursor")
    page.get_by_label("Login or name").fill("HUB")
    page.get_by_role("button", name="Search").click()
    card = page.locator("[class*=st-key-card-]")
    expect(card).to_have_count(1)
    page.wait_for_url(re.compile(r"/people\?search=HUB$"))
    field = page.get_by_label("Login or name")
    expect(field).to_have_count(1)  # the one of before goes
    field.fill("nobody")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nobody fits.")).to_be_visible()
    expect(field).to_have_count(1)
    field.fill("hub")
    page.get_by_role("button", name="Search").click()
    expect(card).to_have_count(1)
    shoot(page, "people")
    assert_accessible(page)
    card.get_by_role("button", name="Suspend").click()
    page.get_by_role("button", name="Yes, suspend").click()
    expect(card.get_by_text("suspended", exact=True)).to_be_visible()
    theirs.reload()
    github.user = dict(SOMEBODY)
    sign_in(theirs)
    expect(theirs.get_by_text("Your account is suspended")).to_be_visible()
    other.close()
    card.get_by_role("button", name="Let in again").click()
    page.get_by_role("button", name="Yes, let in again").click()
    expect(card.get_by_role("button", name="Suspend")).to_be_visible()

    page.goto("/audit?outcome=refused&since=2020-01-01T00:00:00%2B00:00")
    expect(page.locator(".rs-audit details").first).to_contain_text("refused")
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    shoot(page, "audit-narrow")
