"""Reading all the same what a rule leaves out, and confirming what is over a limit: on the pages."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser


def test_what_was_left_out_is_explained_and_analysed_all_the_same(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    analysis.view |= {"commit": samples.COMMIT, "ref": "main", "skipped": {"ignored": 2, "symlink": 1}}
    analysis.left_out[:] = [
        {"path": "data/a[1].csv", "skipped": "ignored", "rule": "data/.repostreamignore:3", "size": 900},
        {"path": "link", "skipped": "symlink", "size": 9},
    ]
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("List the files").click()

    expect(page.locator(".rs-files")).to_contain_text("Ignored: data/.repostreamignore:3")
    page.get_by_text("Analyse some of them all the same").click()
    patterns = page.get_by_label("Patterns, one a line")
    expect(patterns).to_have_value("/data/a\\[1\\].csv")
    patterns.fill("/data/a\\[1\\].csv\n\n*.min.js")
    patterns.blur()
    page.get_by_role("button", name="Analyse again with these").click()

    page.wait_for_url(re.compile(rf"/analysis\?analysis=(?!{analysis.id})"))
    body = api.begun[-1]
    assert body["include"] == ["/data/a\\[1\\].csv", "*.min.js"]
    assert (body["commit"], body["ref"]) == (samples.COMMIT, "main")


def test_a_stage_that_succeeded_is_run_again_with_its_reason(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_role("button", name="Run again").click()
    why = page.get_by_role("textbox", name="Why")
    why.fill("another parser")
    why.blur()
    page.get_by_role("combobox", name="What").click()
    page.get_by_role("option", name="structure").click()
    page.get_by_role("button", name="Run it").click()

    expect(page.locator(".headline").first).not_to_have_text("Complete")
    assert api.retried[-1] == {"stage": "structure", "shard": None, "reason": "another parser"}


def test_an_analysis_over_a_limit_says_what_it_takes_and_goes_on_when_told(page: Page, api: StandIn) -> None:
    analysis = api.begin("torvalds/linux")
    analysis.run("clone", seconds=3.2, files=50_000, counts={"files": 50_000, "skipped": 14})
    told = {"files": 50_000, "bytes": 190_000_000, "seconds": 1_900.0, "measured": 7, "tokens": 54_285_714}
    until = (datetime.now(UTC) + timedelta(hours=23)).isoformat()
    analysis.say("repository.processing.estimated", **told, over=["minutes"], until=until, cost=None, currency="")
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.locator(".rs-notice.rs-warn")).to_contain_text("over a limit of the installation (time)")
    expect(page.locator(".rs-notice.rs-warn")).to_contain_text(
        "about 31 min 40 s until it is ready, by 7 earlier analyses"
    )
    expect(page.locator(".headline")).to_have_text("Waiting to be confirmed")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("button", name="Go on")).to_be_hidden()
    expect(page.locator(".headline")).to_have_text("Analysing")
    assert analysis.events[-1]["event_type"] == "repository.processing.confirmed"
