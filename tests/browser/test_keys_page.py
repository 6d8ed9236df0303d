"""A real Chromium: a person makes and revokes keys, ends programs and sessions, and looks after webhooks."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.accounts import bearer, cookie
from tests.support.github import GitHubStandIn
from tests.support.orchestrator import configure
from tests.support.signing_in import COOKIE
from tests.support.site import Site, serving_site, shoot, sign_in

DELIVERY = """
INSERT INTO app.webhook_deliveries
SELECT $2, webhook_id, tenant_id, 'analysis.ready', '{"a": 1}', 'pending', 0, 0, now(), now()
FROM app.webhooks WHERE webhook_id = $1
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path) -> Iterator[Site]:
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    with GitHubStandIn(shows_page=True) as github, serving_site(github, {"REPOSTREAM_WEBHOOKS_LOOPBACK": "true"}) as at:
        yield at


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site.url, viewport={"width": 1280, "height": 800}, color_scheme="light")
    yield context
    context.close()


@pytest.fixture
def hook() -> Iterator[str]:
    """A service that answers every message with 418 and a word."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(418)
            self.send_header("content-length", "6")
            self.end_headers()
            self.wfile.write(b"teapot")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()
    thread.join()


def card(page: Page, text: str) -> Locator:
    return page.locator("[class*=st-key-card-]", has_text=text)


def confirm(page: Page, button: Locator, answer: str) -> None:
    button.click()
    page.get_by_role("button", name=answer).click()


def status(site: Site, credential: str) -> int:
    return httpx.get(f"{site.api}/api/v1/me", headers=bearer(credential), trust_env=False).status_code


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold; other tests show that it does within five seconds."""
    deadline = time.monotonic() + 30
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return held


def execute(database_url: str, statement: str, *values: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute(statement, *values)
        await connection.close()

    with ThreadPoolExecutor(1) as apart:  # Playwright's thread counts as inside a loop
        apart.submit(lambda: asyncio.run(run())).result()


def test_a_person_looks_after_keys_programs_sessions_and_webhooks(
    chromium: Browser, visitor: BrowserContext, site: Site, hook: str, database_url: str
) -> None:
    page = visitor.new_page()
    page.goto("/keys")
    expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
    sign_in(page)
    page.get_by_label("Name").fill("nightly *build*")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("status")).to_contain_text("The key “nightly *build*”")
    secret = page.locator("[data-testid=stCode] code").text_content() or ""
    assert secret.startswith("rsk_")
    shoot(page, "key-made")
    assert_accessible(page)
    assert status(site, secret) == 200

    page.reload()
    mine = card(page, "nightly *build*")
    expect(mine).to_contain_text(f"{secret[:12]}_…")
    expect(mine).to_contain_text("last used just now")
    expect(mine).to_contain_text("valid")
    assert secret not in page.content()
    confirm(page, mine.get_by_role("button", name="Revoke"), "Yes, revoke")
    expect(mine).to_contain_text("revoked")
    expect(mine.get_by_role("button", name="Revoke")).to_have_count(0)
    assert soon(lambda: status(site, secret) == 401)

    (session,) = [each["value"] for each in visitor.cookies() if each["name"] == COOKIE]
    made = httpx.post(
        f"{site.api}/api/v1/me/grants",
        json={"scopes": ["read:repositories"]},
        headers=cookie(session) | {"origin": site.api},
        trust_env=False,
    )
    token = made.json()["access_token"]
    assert status(site, token) == 200
    page.reload()
    program = card(page, "Program ")
    expect(program).to_contain_text("read:repositories")
    shoot(page, "keys")
    assert_accessible(page)
    confirm(page, program.get_by_role("button", name="End"), "Yes, end")
    expect(program).to_have_count(0)
    assert soon(lambda: status(site, token) == 401)

    others = [chromium.new_context(base_url=site.url) for _ in range(2)]
    for other in others:
        elsewhere = other.new_page()
        elsewhere.goto("/")
        sign_in(elsewhere)
        expect(elsewhere.get_by_label("Repository URL")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(2)
    assert_accessible(page)
    confirm(page, page.get_by_role("button", name="End all others"), "Yes, end all others")
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)
    expect(page.get_by_text("this browser")).to_be_visible()
    for other in others:
        other.pages[0].reload()
        expect(other.pages[0].get_by_role("link", name="Sign in with GitHub")).to_be_visible()
        other.close()

    page.goto("/webhooks")
    page.get_by_label("Address").fill(hook)
    page.get_by_role("button", name="Add a webhook").click()
    signed_with = page.locator("[data-testid=stCode] code")
    expect(signed_with).to_contain_text("whsec_")
    asked = httpx.get(f"{site.api}/api/v1/webhooks", headers=cookie(session), trust_env=False).json()
    (webhook,) = asked["items"]
    execute(database_url, DELIVERY, UUID(webhook["webhook_id"]), uuid4())
    page.reload()
    expect(signed_with).to_have_count(0)
    listed = card(page, hook)
    expect(listed).to_contain_text("told of analysis.ready, analysis.refined, analysis.failed")
    listed.get_by_text("Deliveries").click()
    expect(listed).to_contain_text("analysis.ready")
    tries = f"{site.api}/api/v1/webhooks/{webhook['webhook_id']}/deliveries"
    assert soon(lambda: httpx.get(tries, headers=cookie(session), trust_env=False).json()["items"][0]["log"] != [])
    page.reload()
    listed.get_by_text("Deliveries").click()
    expect(listed).to_contain_text("HTTP 418")
    expect(listed).to_contain_text("It said: teapot")
    shoot(page, "webhooks")
    assert_accessible(page)
    confirm(page, listed.get_by_role("button", name="Switch off"), "Yes, switch off")
    expect(listed.get_by_text("off", exact=True)).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    shoot(page, "webhooks-narrow")
    confirm(page, listed.get_by_role("button", name="Remove"), "Yes, remove")
    expect(listed).to_have_count(0)
