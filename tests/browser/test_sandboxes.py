"""What would be otherwise: shadows, for administrators, and forks, for whoever reads the events."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import StandIn
from tests.support.sandbox_stand_in import OVER
from tests.support.site import shoot

pytestmark = pytest.mark.browser
_PHONE = {"width": 390, "height": 844}


def _run(page: Page, stage: str) -> None:
    page.get_by_role("combobox", name="Stage").click()
    page.get_by_role("option", name=re.compile(f"^{stage}")).click()
    page.get_by_role("button", name="Run beside").click()


def _end(api: StandIn) -> None:
    for each in api.shadows.values():
        each[OVER] = True


def test_administrators_run_a_stage_beside_what_serves_look_promote_and_drop(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/shadows?analysis={analysis.id}")
    expect(page.get_by_text("There is no such page for you.")).to_be_visible()
    api.scopes.append("admin")
    page.goto(f"/events?analysis={analysis.id}")
    page.get_by_role("link", name="Shadows").click()
    expect(page.get_by_text("nothing that serves is touched")).to_be_visible()

    _run(page, "Parse")
    expect(page.get_by_text("1 of 2 runs are over.")).to_be_visible()
    _end(api)
    expect(page.get_by_text("43 rows and 1 fact.")).to_be_visible()
    expect(page.locator(".rs-numbers").first).to_contain_text("1,846")
    expect(page.locator(".rs-differences")).to_contain_text("src/new.py")
    expect(page.locator(".rs-differences")).to_contain_text("complexity 3 → 4")
    expect(page.locator(".rs-differences img")).to_have_count(0)  # a hostile name stays text
    expect(page.get_by_text("What index made was made of the result that serves")).to_be_visible()
    expect(page.get_by_role("button", name="Promote")).to_have_count(0)
    assert violations(page) == []
    shoot(page, "shadows")
    page.reload()  # the address says which
    expect(page.get_by_text("43 rows and 1 fact.")).to_be_visible()

    _run(page, "Link")
    expect(page.get_by_text("1 of 2 runs are over.")).to_be_visible()
    _end(api)
    page.get_by_role("button", name="Promote").click()
    page.get_by_role("button", name="Yes, promote").click()
    expect(page.get_by_text("It took the place of what served.")).to_be_visible()
    assert [bool(each["promoted_at"]) for each in api.shadows.values()] == [False, True]
    _run(page, "Embed")
    expect(page.get_by_text("1 of 2 runs are over.")).to_be_visible()
    _end(api)
    expect(page.get_by_role("alert")).to_contain_text("effect_not_recorded")
    _run(page, "Workflow")
    expect(page.get_by_role("alert").first).to_contain_text("shadow_too_many")

    cards = page.locator("[class*=st-key-shadow-]")
    expect(cards).to_have_count(3)
    cards.first.get_by_role("button", name="Drop").click()
    page.get_by_role("button", name="Yes, drop").click()
    expect(cards).to_have_count(2)
    expect(page.get_by_text("It took the place of what served.")).to_be_visible()  # the newest that is left
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)  # or the click is lost
    cards.last.get_by_role("link", name="Look").click()
    expect(page.get_by_text("43 rows and 1 fact.")).to_be_visible()
    page.set_viewport_size(_PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    shoot(page, "shadows-phone")


def test_somebody_edits_an_event_and_sees_how_it_goes_on_beside_the_real_history(page: Page, api: StandIn) -> None:
    analysis = samples.recorded(api, "host_was_away")
    failed = next(each for each in analysis.events if each["event_type"] == "processing.stage.failed")
    page.goto(f"/events?analysis={analysis.id}&at={failed['version']}")
    page.get_by_role("link", name="Edit this event and go on from here in a sandbox").click()

    expect(page.get_by_text(f"Event {failed['version']} · processing.stage.failed")).to_be_visible()
    kind = page.get_by_label("kind", exact=True)
    expect(kind).to_have_value("transient")
    kind.fill("whatever")
    page.get_by_role("button", name="Go on from here").click()
    expect(page.get_by_role("alert")).to_contain_text("fork_edit_refused")
    expect(page.get_by_role("alert")).to_contain_text("kind: ")
    kind.fill("permanent")
    page.get_by_role("button", name="Go on from here").click()
    expect(page.get_by_text("It goes on otherwise: ")).to_be_visible()
    beside = page.locator(".rs-beside")
    expect(beside).to_contain_text("in the fork alone")
    expect(beside).to_contain_text("repository.processing.failed")
    assert violations(page) == []
    shoot(page, "fork")
    page.reload()  # the address has what was edited
    expect(kind).to_have_value("permanent")
    expect(page.get_by_text("It goes on otherwise: ")).to_be_visible()
    page.set_viewport_size(_PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    shoot(page, "fork-phone")

    kind.fill("transient")
    page.get_by_role("button", name="Go on from here").click()
    expect(page.get_by_text("It goes on as it really did.")).to_be_visible()
    page.get_by_role("link", name="Back to the history").click()
    expect(page.locator(".point")).to_contain_text(f"Event {failed['version']} of {len(analysis.events)}")
