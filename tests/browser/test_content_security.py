"""The pages keep to a strict content security policy, and it stops what would break it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser
WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', e => window.violations.push(
  [e.effectiveDirective, e.blockedURI, e.sourceFile, e.lineNumber, e.sample].join(' ')));
"""
INJECT = """origin => {
  const put = html => document.body.insertAdjacentHTML('beforeend', html);
  put(`<img id="foreign" src="${origin}/image.png"><iframe src="${origin}/frame"></iframe>`);
  put(`<form id="leave" action="${origin}/form" method="post"></form>`);
  put(`<img src="data:image/png;base64,x" onerror="window.hurt = 'handler'">`);
  const inline = document.createElement('script');
  inline.textContent = "window.hurt = 'inline'";
  document.body.append(inline);
  const foreign = document.createElement('script');
  foreign.src = origin + '/script.js';
  document.body.append(foreign);
  setTimeout(() => {  // what a test evaluates itself may use eval
    try { (0, eval)("window.hurt = 'eval'"); } catch (e) { window.stopped = e.name; }
  });
  fetch(origin + '/fetch').catch(() => {});
  document.getElementById('leave').submit();
}"""


@contextmanager
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A site of somebody else's; its origin, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815  # as http.server calls it

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_page_breaks_its_policy_and_the_policy_stops_what_is_injected(page: Page, api: StandIn) -> None:
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{page.url} {message.type}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"{page.url} {error}"))
    page.add_init_script(WATCH)
    analysis, running = samples.complete(api), samples.running(api)
    walked = {
        "/": ".rs-hero",
        f"/analysis?analysis={analysis.id}": ".row",
        f"/analysis?analysis={running.id}": ".row",
        f"/chat?analysis={analysis.id}": "textarea",
        f"/events?analysis={analysis.id}": ".event",
        "/keys": ".stMain",
        "/webhooks": ".stMain",
        "/audit": ".stMain",
        "/account": ".stMain",
    }
    for path, sight in walked.items():
        page.goto(path)
        expect(page.locator(sight).first).to_be_visible()
        page.wait_for_timeout(300)
        assert page.evaluate("window.violations") == [], path
    assert [each for each in complaints if _is_ours(each)] == []

    page.goto(f"/chat?analysis={analysis.id}")
    expect(page.locator("textarea").first).to_be_visible()
    with elsewhere() as (origin, asked):
        page.evaluate(INJECT, origin)
        page.wait_for_timeout(500)
        violations = [str(each) for each in page.evaluate("window.violations")]
        stopped = {each.split(" ")[0] for each in violations}
        assert stopped == {
            "img-src", "frame-src", "form-action", "script-src-elem", "script-src-attr", "script-src", "connect-src",
        }  # fmt: skip
        assert asked == []
    assert page.evaluate("[window.hurt, window.stopped]") == [None, "EvalError"]


def _is_ours(complaint: str) -> bool:
    """The double has no audit trail, keys or webhooks: what it refuses is no complaint about the pages."""
    return "Failed to load resource" not in complaint
