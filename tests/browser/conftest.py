"""A real Chromium, the real pages in a process of their own, and the API's double behind them."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.api_stand_in import StandIn
from tests.support.chromium import a_window, chromium_running, fresh_page, shared_window

START = "import sys; from web_ui.app import serve; serve('127.0.0.1', int(sys.argv[1]))"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """No longer than this folder: while Playwright's synchronous interface is open, the thread counts as in a loop."""
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="package")
def api_process() -> Iterator[StandIn]:
    with StandIn() as api:
        yield api


@pytest.fixture
def api(api_process: StandIn) -> Iterator[StandIn]:
    api_process.down = False
    api_process.slow = 0.0
    api_process.refuse_url = None
    api_process.looked = {}
    api_process.refused = {}
    yield api_process
    api_process.drop()
    api_process.analyses.clear()
    api_process.others.clear()
    api_process.models.clear()
    api_process.push_hooks.clear()
    api_process.uploads.clear()
    api_process.letters.clear()
    api_process.shadows.clear()
    api_process.scopes.clear()
    api_process.requests.clear()


@contextlib.contextmanager
def serving(api: StandIn) -> Iterator[str]:
    """The pages in a process of their own; gives their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": api.url}
    with subprocess.Popen([sys.executable, "-c", START, str(port)], env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield url
        finally:
            process.terminate()
            process.wait(40)


@pytest.fixture(scope="package")
def pages(api_process: StandIn) -> Iterator[str]:
    with serving(api_process) as url:
        yield url


@pytest.fixture
def fresh_pages(api: StandIn) -> Iterator[str]:
    """Pages that nobody has visited yet."""
    with serving(api) as url:
        yield url


def _wait(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the pages did not start")


@pytest.fixture(scope="package")
def window(chromium: Browser, pages: str) -> Iterator[BrowserContext]:
    with shared_window(chromium, pages) as window:
        yield window


@pytest.fixture
def page(window: BrowserContext, pages: str) -> Iterator[Page]:
    with fresh_page(window, pages) as page:
        page.set_default_timeout(15_000)
        yield page


@pytest.fixture
def page_apart(chromium: Browser, pages: str) -> Iterator[Page]:
    """A page in a window of its own, for what changes a window for good, as another clock does."""
    with a_window(chromium, pages) as window:
        page = window.new_page()
        page.set_default_timeout(15_000)
        yield page
