"""Every page keeps WCAG 2.2 at level AA, in the dark, in the light and on a phone, as far as a machine can tell.

And nothing of it moves while it is loaded.
"""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.test_graph_of_a_page import linked
from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import StandIn
from tests.support.layout import jumps
from tests.support.site import shoot

pytestmark = pytest.mark.browser
_FIELD = "Ask about this repository"
_PHONE: ViewportSize = {"width": 360, "height": 780}
_WIDE: ViewportSize = {"width": 1920, "height": 1080}


def test_the_checker_sees_what_is_wrong(page: Page) -> None:
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><img src="x.png"><input></main></html>')

    found = "\n".join(violations(page))

    assert "image-alt (critical)" in found
    assert "label (critical)" in found


def test_each_page_of_a_repository_can_be_read_and_used_by_everybody(page: Page, api: StandIn) -> None:
    analysis, running = linked(api), samples.running(api)
    failed = samples.failed(api)
    walked = {
        "/": ".rs-hero",
        f"/analysis?analysis={analysis.id}&symbol=0-7": ".rs-box",
        f"/analysis?analysis={running.id}": ".row",
        f"/analysis?analysis={failed.id}": ".rs-notice",
        f"/events?analysis={analysis.id}": ".event",
    }
    found = []
    for width, size in (("", None), ("-phone", _PHONE), ("-wide", _WIDE)):
        if size is not None:
            page.set_viewport_size(size)
        for name, (path, sight) in zip(("start", "explore", "live", "failed", "events"), walked.items(), strict=True):
            page.goto(path)
            expect(page.locator(sight).first).to_be_visible()
            found += violations(page) + jumps(page, 0.0)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
            shoot(page, f"{name}{width}")
    assert found == []


def test_a_conversation_can_be_read_and_used_by_everybody(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/chat?analysis={analysis.id}")
    expect(page.get_by_placeholder(_FIELD)).to_be_visible()
    found = violations(page) + jumps(page, 0.0)
    page.get_by_placeholder(_FIELD).fill("How does it start?")
    page.get_by_placeholder(_FIELD).press("Enter")
    page.wait_for_url(re.compile("conversation="))
    expect(page.locator(".status")).to_be_visible()
    found += violations(page)

    told = samples.answer()
    told["answer"] = f"## In short\n\n{told['answer']}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    api.answered(list(api.questions)[-1], analysis_id=analysis.id, **told)
    page.locator("article.answer .cited .chip").last.click()
    expect(page.locator(".rs-cited").first).to_be_in_viewport()
    page.locator("article.answer summary").first.click()
    found += violations(page)
    shoot(page, "chat")
    page.set_viewport_size(_PHONE)
    shoot(page, "chat-phone")
    found += violations(page)
    assert found == []
