"""A real Chromium: an owner makes a team, invites somebody, shares a link with a stranger, and takes both back."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr

from events.log.ownership import ArtifactOwners
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.settings import DatabaseSettings
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import Workers, configure
from tests.support.site import serving_site, shoot, sign_in

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn(shows_page=True) as stand_in:
        yield stand_in


@pytest.fixture
def site(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> Iterator[str]:
    """The pages' address; what is asked for is analysed by stand-ins in a thread."""
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    over = threading.Event()

    async def work() -> None:
        engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
        task = asyncio.create_task(Workers(engine, open_objects("", home).claimed_in(ArtifactOwners(engine))).work())
        await asyncio.to_thread(over.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await engine.dispose()

    key = {"REPOSTREAM_SECRET_KEY": os.environ["REPOSTREAM_SECRET_KEY"]}  # what events keep sealed is read here too
    with serving_site(github, key) as served:
        worker = threading.Thread(target=asyncio.run, args=(work(),))
        worker.start()
        yield served.url
        over.set()
        worker.join()


def _browser(chromium: Browser, site: str) -> tuple[BrowserContext, Page]:
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800}, color_scheme="light")
    return context, context.new_page()


def _is(github: GitHubStandIn, number: int, login: str) -> None:
    github.user = {"id": number, "login": login, "name": None, "email": None}


def _link(page: Page) -> str:
    return page.locator("[data-testid=stCode]").inner_text().strip()


def _gone_within_five_seconds(page: Page, text: str) -> None:
    """Load the page again until it does not say `text`."""
    began = time.monotonic()
    while True:
        page.reload()
        expect(page.get_by_text("Repostream").first).to_be_visible()
        expect(page.get_by_text("Recent").or_(page.get_by_role("alert")).first).to_be_visible()
        if page.get_by_text(text).count() == 0:
            return
        assert time.monotonic() - began < 5 + 3  # a page takes its time to be drawn


def test_an_owner_invites_and_shares_and_takes_both_back(chromium: Browser, github: GitHubStandIn, site: str) -> None:
    _is(github, 1, "ann")
    _, ann = _browser(chromium, site)
    ann.goto("/team")
    sign_in(ann)
    ann.get_by_label("Name of the team").fill("Crew & Co")
    ann.get_by_role("button", name="Make it").click()
    expect(ann.get_by_role("button", name="ann in Crew & Co")).to_be_visible()
    ann.get_by_label("Repository URL").fill("https://github.com/pallets/flask")
    ann.get_by_role("button", name="Analyse", exact=True).click()
    expect(ann.get_by_text("complete", exact=True).first).to_be_visible()
    expect(ann.get_by_role("button", name="Share")).to_have_count(1)  # while it is drawn anew there are two
    ann.get_by_role("button", name="Share").click()
    ann.get_by_role("button", name="Make a link").click()
    expect(ann.get_by_text("Copy it now")).to_be_visible()
    shared = _link(ann)
    assert shared.startswith(f"{site}/shared#rsl_")
    shoot(ann, "share")

    _, guest = _browser(chromium, site)
    guest.goto(shared)
    expect(guest.get_by_text("pallets/flask")).to_be_visible()
    guest.get_by_role("combobox", name="File").click()
    guest.get_by_role("option", name="app/main.py").click()
    expect(guest.get_by_text("def main")).to_be_visible()
    expect(guest.get_by_role("link", name="Sign in with GitHub")).to_have_count(0)
    shoot(guest, "shared")
    guest.set_viewport_size(PHONE)
    shoot(guest, "shared-phone")
    ann.keyboard.press("Escape")
    ann.get_by_role("button", name="Ask about it").click()
    ann.get_by_placeholder("Ask about this repository").fill("Where does it begin?")
    ann.keyboard.press("Enter")
    ann.wait_for_url("**conversation=**")
    ann.get_by_role("button", name="Share").click()
    ann.get_by_role("button", name="Make a link").click()
    expect(ann.get_by_text("Copy it now")).to_be_visible()
    conversation = _link(ann)
    shoot(ann, "share-conversation")
    guest.goto(conversation)
    expect(guest.get_by_text("A conversation about pallets/flask")).to_be_visible()
    expect(guest.get_by_text("Where does it begin?")).to_be_visible()
    shoot(guest, "shared-conversation")
    guest.goto("/")
    expect(guest.get_by_role("link", name="Sign in with GitHub")).to_be_visible()

    ann.goto("/team")
    ann.get_by_label("Only for this login").fill("bob")
    ann.get_by_label("As").click()
    ann.get_by_role("option", name="viewer: looks").click()
    ann.get_by_role("button", name="Make an invitation").click()
    expect(ann.get_by_text("Copy it now")).to_be_visible()
    invitation = _link(ann)
    shoot(ann, "team")

    _is(github, 2, "Bob")
    _, bob = _browser(chromium, site)
    bob.goto(invitation)
    expect(bob.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    sign_in(bob)
    expect(bob.get_by_role("heading", name="Join Crew & Co")).to_be_visible()
    assert bob.url == f"{site}/invitation"
    shoot(bob, "invitation")
    bob.get_by_role("button", name="Join the team").click()
    expect(bob.get_by_text("You are a viewer here.")).to_be_visible()
    expect(bob.get_by_text("pallets/flask")).to_be_visible()
    expect(bob.get_by_label("Repository URL")).to_have_count(0)
    shoot(bob, "viewer")

    ann.reload()
    expect(ann.get_by_text("Bob").first).to_be_visible()
    shoot(ann, "team-of-two")
    ann.set_viewport_size(PHONE)
    shoot(ann, "team-phone")
    ann.get_by_role("button", name="Remove").click()
    ann.get_by_role("button", name="Yes, remove").click()
    expect(ann.get_by_role("button", name="Remove")).to_have_count(0)
    _gone_within_five_seconds(bob, "pallets/flask")
    expect(bob.get_by_label("Repository URL")).to_be_visible()

    for left in (1, 0):
        ann.get_by_role("button", name="End", exact=True).first.click()
        expect(ann.get_by_role("button", name="End", exact=True)).to_have_count(left)
    guest.wait_for_timeout(4_000)
    guest.goto(shared)
    expect(guest.get_by_text("The link shows nothing any more")).to_be_visible()
    shoot(guest, "link-over")
