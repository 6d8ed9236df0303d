"""A real Chromium: an owner makes a team, invites somebody, shares a link with a stranger, and takes both back."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pydantic import SecretStr

from events.base import caused_by
from events.log.ownership import ArtifactOwners
from events.question import Citation, Passage, QuestionAnswered, QuestionAsked
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.settings import DatabaseSettings
from tests.browser.test_content_security import WATCH
from tests.support.accessibility import assert_accessible
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import FILES, Workers, configure
from tests.support.signing_in import COOKIE
from tests.support.site import Site, serving_site, shoot, sign_in

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn(shows_page=True) as stand_in:
        yield stand_in


@pytest.fixture
def served(
    monkeypatch: pytest.MonkeyPatch, github: GitHubStandIn, database_url: str, redis_url: str, home: Path
) -> Iterator[Site]:
    """The pages and the API; what is asked for is analysed and answered by stand-ins in a thread."""
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    over = threading.Event()

    async def work() -> None:
        engine = create_engine(DatabaseSettings(url=SecretStr(database_url)), application="test")
        workers = Workers(engine, open_objects("", home).claimed_in(ArtifactOwners(engine)))
        tasks = [asyncio.create_task(each) for each in (workers.work(), _answer(workers))]
        await asyncio.to_thread(over.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await engine.dispose()

    key = {"REPOSTREAM_SECRET_KEY": os.environ["REPOSTREAM_SECRET_KEY"]}  # what events keep sealed is read here too
    with serving_site(github, key) as running:
        worker = threading.Thread(target=asyncio.run, args=(work(),))
        worker.start()
        yield running
        over.set()
        worker.join()


@pytest.fixture
def site(served: Site) -> str:
    """The pages' address."""
    return served.url


async def _answer(workers: Workers) -> None:
    """Answer whatever is asked, with one passage and a citation of two of its lines."""
    place = {"path": "app/main.py", "chunk_id": "c"}
    passage = Passage(**place, first_line=1, last_line=5, text=FILES["app/main.py"].rstrip(), language="python")
    after = 0
    while True:
        for asked in await workers.journal.read_feed(after=after, limit=200):
            after = asked.seq or after
            if asked.event_type != QuestionAsked.event_type:
                continue
            event = QuestionAnswered(
                question_id=UUID(str(asked.data["question_id"])), query=str(asked.data["query"]),
                answer="It begins in [app/main.py:4-5].", mode="extractive", response_time=0.1, rag_hits=1,
                confidence=0.5, citations=(Citation(**place, first_line=4, last_line=5),), removed_citations=0,
                passages=(passage,), analysis_id=uuid4(), commit="c0ffee" * 6, generation_kind="quick",
                provider="none", model="none", prompt="p",
            )  # fmt: skip
            draft = caused_by(asked, asked.stream_id, event, ordinal=0, at=datetime.now(UTC))
            await workers.journal.append(asked.stream_id, [draft])
        await asyncio.sleep(0.05)


def _browser(chromium: Browser, site: str) -> tuple[BrowserContext, Page]:
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800}, color_scheme="light")
    context.add_init_script(WATCH)
    return context, context.new_page()


def _shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody wants one; the page has kept to its content security policy."""
    assert page.evaluate("window.violations") == [], name
    shoot(page, name)


def _is(github: GitHubStandIn, number: int, login: str) -> None:
    github.user = {"id": number, "login": login, "name": None, "email": None}


def _link(where: Page | Locator) -> str:
    return where.locator("[data-testid=stCode]").inner_text().strip()


def _popover(page: Page) -> Locator:
    return page.locator("[data-testid=stPopoverBody]")


def _gone_soon(page: Page, text: str) -> None:
    """Load the page again until it does not say `text`."""
    began = time.monotonic()
    while True:
        page.reload()
        expect(page.get_by_text("Repostream").first).to_be_visible()
        expect(page.get_by_text("Recent").or_(page.get_by_role("alert")).first).to_be_visible()
        if page.get_by_text(text).count() == 0:
            return
        assert time.monotonic() - began < 60  # a page takes its time to be drawn; other tests show that it is soon


def _make_link(page: Page) -> None:
    """Once the page is drawn: what is pressed while it is drawn anew may be gone with what it was drawn over."""
    expect(page.locator("[data-test-script-state=notRunning]")).to_have_count(1)
    page.get_by_role("button", name="Make a link").click()


def _make(served: Site, owner: BrowserContext, login: str, role: str) -> None:
    """Give somebody in the owner's team another role."""
    (cookie,) = [each["value"] for each in owner.cookies() if each["name"] == COOKIE]
    headers = {"cookie": f"{COOKIE}={cookie}", "origin": served.api}
    with httpx.Client(base_url=f"{served.api}/api/v1", headers=headers, trust_env=False) as api:
        team = api.get("/me").json()["tenant_id"]
        members = api.get(f"/tenants/{team}/members").json()["items"]
        (user,) = [each["user_id"] for each in members if each["login"] == login]
        assert api.patch(f"/tenants/{team}/members/{user}", json={"role": role}).is_success


def test_an_owner_invites_and_shares_takes_both_back_and_deletes_the_team(
    chromium: Browser, github: GitHubStandIn, served: Site, site: str
) -> None:
    _is(github, 1, "ann")
    owner, ann = _browser(chromium, site)
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
    _make_link(ann)
    expect(ann.get_by_text("Copy it now")).to_be_visible()
    shared = _link(_popover(ann))
    assert shared.startswith(f"{site}/shared#rsl_")
    _shoot(ann, "share")
    assert_accessible(ann)

    _, guest = _browser(chromium, site)
    guest.goto(shared)
    expect(guest.get_by_text("pallets/flask")).to_be_visible()
    guest.get_by_role("combobox", name="File").click()
    guest.get_by_role("option", name="app/main.py").click()
    expect(guest.get_by_text("def main")).to_be_visible()
    expect(guest.get_by_role("link", name="Sign in with GitHub")).to_have_count(0)
    _shoot(guest, "shared")
    assert_accessible(guest)
    guest.set_viewport_size(PHONE)
    _shoot(guest, "shared-phone")
    ann.keyboard.press("Escape")
    ann.get_by_role("button", name="Ask about it").click()
    ann.get_by_placeholder("Ask about this repository").fill("Where does it begin?")
    ann.keyboard.press("Enter")
    ann.wait_for_url("**conversation=**")
    expect(ann.locator("article.answer")).to_be_visible()
    expect(ann.get_by_role("button", name="Share")).to_have_count(1)
    ann.get_by_role("button", name="Share").click()
    _make_link(ann)
    expect(ann.get_by_text("Copy it now")).to_be_visible()
    conversation = _link(_popover(ann))
    _shoot(ann, "share-conversation")
    talked = ann.url
    guest.goto(conversation)
    expect(guest.get_by_text("A conversation about pallets/flask")).to_be_visible()
    expect(guest.get_by_text("Where does it begin?")).to_be_visible()
    guest.locator("article.answer .text .chip").first.click()
    expect(guest.locator(".rs-place")).to_have_text("app/main.py:4-5")
    expect(guest.locator(".rs-cited .rs-no")).to_have_text(["4", "5"])
    expect(guest.locator(".rs-cited").first).to_contain_text("def main():")
    _shoot(guest, "shared-conversation")
    assert_accessible(guest)
    guest.goto("/")
    expect(guest.get_by_role("link", name="Sign in with GitHub")).to_be_visible()

    ann.goto("/team")
    ann.get_by_label("Only for this login").fill("bob")
    ann.get_by_label("As").click()
    ann.get_by_role("option", name="viewer: looks").click()
    ann.get_by_role("button", name="Make an invitation").click()
    expect(ann.get_by_text("Copy it now")).to_be_visible()
    invitation = _link(ann)
    _shoot(ann, "team")
    assert_accessible(ann)
    ann.get_by_role("combobox", name="Role").click()
    ann.get_by_role("option", name="viewer: looks").click()
    expect(ann.get_by_role("button", name="Become viewer")).to_be_visible()  # asked first: it is her own
    expect(ann.get_by_role("alert")).to_have_count(0)
    ann.reload()
    expect(ann.get_by_role("heading", name="Invitations")).to_be_visible()

    _is(github, 2, "Bob")
    _, bob = _browser(chromium, site)
    bob.goto(invitation)
    expect(bob.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    sign_in(bob)
    expect(bob.get_by_role("heading", name="Join Crew & Co")).to_be_visible()
    assert bob.url == f"{site}/invitation"
    _shoot(bob, "invitation")
    assert_accessible(bob)
    bob.get_by_role("button", name="Join the team").click()
    expect(bob.get_by_text("You are a viewer here.")).to_be_visible()
    expect(bob.get_by_text("pallets/flask")).to_be_visible()
    expect(bob.get_by_label("Repository URL")).to_have_count(0)
    _shoot(bob, "viewer")
    assert_accessible(bob)

    _make(served, owner, "Bob", "member")
    bob.reload()
    field = bob.get_by_label("Repository URL")
    expect(field).to_be_visible()
    _make(served, owner, "Bob", "viewer")
    field.fill("https://github.com/pallets/click")
    bob.get_by_role("button", name="Analyse").click()
    expect(bob.get_by_role("alert")).to_contain_text("forbidden")
    expect(field).to_have_count(0)  # the page is that of a viewer at once
    _shoot(bob, "demoted")

    ann.reload()
    expect(ann.get_by_text("Bob").first).to_be_visible()
    _shoot(ann, "team-of-two")
    ann.set_viewport_size(PHONE)
    _shoot(ann, "team-phone")
    ann.get_by_role("button", name="Remove").click()
    ann.get_by_role("button", name="Yes, remove").click()
    expect(ann.get_by_role("button", name="Remove")).to_have_count(0)
    _gone_soon(bob, "pallets/flask")
    expect(bob.get_by_label("Repository URL")).to_be_visible()

    for left in (1, 0):
        ann.get_by_role("button", name="End", exact=True).first.click()
        expect(ann.get_by_role("button", name="End", exact=True)).to_have_count(left)
    began = time.monotonic()
    while True:  # what a link shows is remembered for some seconds
        guest.goto("about:blank")
        guest.goto(shared)
        expect(guest.get_by_role("alert").or_(guest.get_by_text("pallets/flask")).first).to_be_visible()
        if guest.get_by_role("alert").count():
            break
        assert time.monotonic() - began < 60
    expect(guest.get_by_text("The link shows nothing any more")).to_be_visible()
    _shoot(guest, "link-over")

    ann.set_viewport_size({"width": 1280, "height": 800})
    ann.goto(talked)
    expect(ann.get_by_text("Where does it begin?").first).to_be_visible()
    ann.get_by_role("button", name="Delete", exact=True).click()
    expect(ann.get_by_role("button", name="Yes, delete")).to_be_visible()
    _shoot(ann, "delete-conversation")
    ann.get_by_role("button", name="Yes, delete").click()
    expect(ann.get_by_text("Ask about this repository.")).to_be_visible()
    expect(ann.get_by_text("Where does it begin?")).to_have_count(0)
    assert "conversation=" not in ann.url

    ann.goto("/team")
    ann.get_by_label("Type the name of the team to confirm").fill("Crew")
    ann.get_by_role("button", name="Delete this team").click()
    expect(ann.get_by_text("Send the team's name, letter by letter")).to_be_visible()
    ann.set_viewport_size(PHONE)
    _shoot(ann, "delete-team-phone")
    ann.set_viewport_size({"width": 1280, "height": 800})
    ann.get_by_label("Type the name of the team to confirm").fill("Crew & Co")
    ann.get_by_role("button", name="Delete this team").click()
    expect(ann.get_by_text("The team Crew & Co is deleted.")).to_be_visible()
    _shoot(ann, "team-deleted")
    expect(ann.get_by_text("You work on your own at the moment")).to_be_visible()
    ann.goto("/")
    expect(ann.get_by_role("button", name="ann", exact=True)).to_be_visible()
    expect(ann.get_by_text("pallets/flask")).to_have_count(0)
