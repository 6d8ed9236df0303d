"""The real browser that tests drive: Chromium as the system has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

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
]


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
