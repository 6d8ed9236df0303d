from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser
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
    return older, newer


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
    assert violations(page) == []
    page.locator("label").filter(has_text="Definitions").click()
    expect(page.get_by_text("Nothing is different here.")).to_be_visible()
    assert f"against={older.id}" in page.url
    assert "what=symbols" in page.url
    page.reload()
    expect(page.get_by_text("Nothing is different here.")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_analysis_that_is_the_only_one_has_nothing_beside_it(page: Page, api: StandIn) -> None:
    only = samples.complete(api)
    page.goto(f"/compare?analysis={only.id}")

    expect(page.get_by_text("There is nothing to compare with.")).to_be_visible()
