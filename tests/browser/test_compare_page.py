import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import StandIn
from tests.support.site import shoot

pytestmark = pytest.mark.browser
_ADDED = {"name": ["src/late.py"], "kind": "added", "before": None, "after": {"size": 10, "lines": 1}}
_COUNTS = {"added": 1, "removed": 2, "changed": 3, "same": 1_400}


def _compared(api: StandIn) -> tuple[Any, Any]:
    older, newer = samples.complete(api), samples.complete(api)
    sides = {
        name: {"analysis_id": one.id, "state": "refined", "requested_at": one.view["requested_at"]}
        | {"commit": samples.COMMIT, "ref": "main", "seconds": seconds, "cost": None, "currency": "", "totals": {}}
        for name, one, seconds in (("before", older, 14.2), ("after", newer, 9.5))
    }
    stages = [{"stage": "parse", "before": 4.0, "after": 6.5}]
    whats = dict.fromkeys(("files", "symbols", "dependencies", "chunks"), _COUNTS)
    newer.told["comparison"] = {**sides, **whats, "stages": stages}
    hostile = samples.HOSTILE_NAME
    files = [
        {"name": ["src/new.py"], "kind": "added", "before": None, "after": {"size": 10, "lines": 1}},
        {"name": [hostile], "kind": "changed", "before": {"size": 10}, "after": {"size": 12}},
    ]
    newer.told["differences/files"] = {"items": files, "total": 9, "next": "x"}
    newer.told["differences/symbols"] = {"items": [], "total": 0, "next": None}
    asked = [_answered(older, "In `app.py`, alone."), _answered(newer, samples.answer()["answer"])]
    asked[0]["citations"] = asked[0]["citations"][:1]
    same = {"query": f"Where is it made? {hostile}", "before": asked[0], "after": asked[1]}
    newer.told["answers"] = {"items": [same], "total": 30, "next": "x", "left_out": 2}
    return older, newer


def _answered(analysis: Any, answer: str) -> dict[str, Any]:
    ids = {"question_id": str(uuid4()), "conversation_id": str(uuid4()), "analysis_id": analysis.id}
    about = {"repository_id": analysis.view["repository_id"], "query": "Where is it made?", "state": "answered"}
    return {**samples.answer(answer=answer), **ids, **about}


def test_two_analyses_stand_beside_each_other_and_the_address_has_what_is_looked_at(page: Page, api: StandIn) -> None:
    older, newer = _compared(api)
    page.goto(f"/analysis?analysis={newer.id}")
    page.get_by_role("link", name="Compare").click()

    expect(page.locator(".rs-numbers").first).to_contain_text("1,400")
    expect(page.get_by_text("14 s")).to_be_visible()
    expect(page.locator(".rs-differences")).to_contain_text("src/new.py")
    expect(page.locator(".rs-differences")).to_contain_text("size 10 → 12")
    expect(page.get_by_text("2 of 9 are shown")).to_be_visible()
    expect(page.locator(".rs-differences img")).to_have_count(0)  # a hostile name stays text
    answers = page.locator("article.answer")
    expect(answers).to_have_count(2)
    expect(answers.first).to_contain_text("alone")
    expect(answers.last).to_contain_text("Flask is a WSGI framework")
    expect(page.get_by_text("1 cited place only here, 0 cited places only in the other one.")).to_be_visible()
    expect(page.get_by_text("Not looked through: 2 older conversations.")).to_be_visible()
    expect(page.locator(".rs-asked img")).to_have_count(0)
    assert violations(page) == []
    shoot(page, "compare")
    answers.last.locator(".cited .chip").last.click()
    expect(page.locator(".rs-place")).to_have_text(f"{samples.APP}:113-114")
    expect(page.locator(".rs-cited .rs-no").first).to_have_text("113")
    assert f"at={newer.id}" in page.url
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rs-place")).to_have_count(0)
    newer.told["differences/files"] |= {"items": [_ADDED], "next": None}
    page.get_by_role("link", name="More").click()
    expect(page.locator(".rs-differences")).to_contain_text("src/late.py")
    assert "cursor=x" in page.url
    expect(page.get_by_role("link", name="More")).to_have_count(0)
    page.locator("label").filter(has_text="Definitions").click()
    expect(page.get_by_text("Nothing is different here.")).to_be_visible()
    assert f"against={older.id}" in page.url
    assert "what=symbols" in page.url
    assert "cursor" not in page.url
    page.reload()
    expect(page.get_by_text("Nothing is different here.")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shoot(page, "compare-phone")


def test_an_analysis_that_is_the_only_one_has_nothing_beside_it(page: Page, api: StandIn) -> None:
    only = samples.complete(api)
    page.goto(f"/compare?analysis={only.id}")

    expect(page.get_by_text("There is nothing to compare with.")).to_be_visible()


def test_times_are_those_of_where_the_viewer_is(chromium: Browser, pages: str, api: StandIn) -> None:
    older, newer = _compared(api)
    for one in (older, newer):
        one.view["requested_at"] = "2026-01-02T20:04:05Z"
    context = chromium.new_context(base_url=pages, timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(f"/compare?analysis={newer.id}")
    expect(page.get_by_role("combobox").first).to_have_value(re.compile("^2026-01-03 05:04 JST"))
    context.close()
