"""A browser test that fails says what a person saw then: the address, and the words on each page of its windows."""

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_MOST = 3_000  # characters of a page


class WhatWasSeen:
    """Adds it to the traceback, which is shown of a first try too."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """As pytest asks, after each phase of a test."""
        report = yield
        if report.when == "call" and report.failed and hasattr(report.longrepr, "addsection"):
            for page in dict.fromkeys(_pages(getattr(item, "funcargs", {}))):
                report.longrepr.addsection(f"what was seen at {page.url}", _seen(page))
        return report


def _pages(funcargs: dict[str, object]) -> "Iterator[Page]":
    if "playwright.sync_api" not in sys.modules:  # half a second, for tests that open no page
        return
    from playwright.sync_api import BrowserContext, Page

    for value in funcargs.values():
        if isinstance(value, Page):
            yield value
        elif isinstance(value, BrowserContext):
            yield from value.pages


def _seen(page: "Page") -> str:
    from playwright.sync_api import Error

    try:
        return page.locator("body").inner_text(timeout=2_000)[:_MOST]
    except Error as error:  # it is what failed, or is gone
        return f"nothing: {error.message}"
