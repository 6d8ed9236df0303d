"""The real browser that tests drive: Chromium as the system has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

PROGRAM = "/usr/bin/chromium"
PATIENCE = 20_000  # ms until what is expected must be there: on two cores, beside other work, a first page takes some
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",  # pages of one window share what was compiled
]
_STORED = "cookies,local_storage,indexeddb,cache_storage,service_workers"


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """A browser of its own; the test is skipped, and says so, on a machine without Chromium."""
    if not Path(PROGRAM).exists():
        pytest.skip(f"there is no {PROGRAM}: install Debian's chromium to run the browser tests")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def a_window(browser: Browser, site: str) -> BrowserContext:
    """A window that knows nothing, as somebody else's."""
    return browser.new_context(base_url=site, viewport={"width": 1280, "height": 800}, color_scheme="light")


@contextmanager
def shared_window(browser: Browser, site: str) -> Iterator[BrowserContext]:
    """A window for many tests in turn: a new one compiles Streamlit's scripts anew, which is most of a page."""
    window = a_window(browser, site)
    window.new_page().goto(f"{site}/healthz")  # keeps the process that has the scripts
    yield window
    window.close()


@contextmanager
def fresh_page(window: BrowserContext, site: str) -> Iterator[Page]:
    """A page of a shared window that nobody has used; nothing that it was told, or kept, is left to the next."""
    yield window.new_page()
    keeping, *used = window.pages
    for page in used:
        page.close()
    window.clear_cookies()
    window.clear_permissions()
    window.new_cdp_session(keeping).send("Storage.clearDataForOrigin", {"origin": site, "storageTypes": _STORED})
