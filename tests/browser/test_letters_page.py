"""Administrators look at parked messages and decide on them; nobody else finds the page."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser


def park(api: StandIn, letter_id: str, **more: Any) -> None:
    known = {"letter_id": letter_id, "consumer": "processor.parse", "topic": "rs.runs", "seq": 7, "attempts": 5}
    known |= {"parked_at": datetime.now(UTC).isoformat(), "error": "<b>Its</b> worker ended: signal 9."}
    known |= {"event_type": "processing.stage.requested", "stream_id": "analysis/a1", "repeatable": True}
    api.letters[letter_id] = known | more


def test_administrators_decide_on_parked_messages_and_others_find_no_such_page(page: Page, api: StandIn) -> None:
    page.goto("/letters")
    expect(page.get_by_text("There is no such page for you.")).to_be_visible()

    api.scopes.append("admin")
    park(api, "l1")
    park(api, "l2", event_type=None, stream_id=None, repeatable=False)
    page.goto("/letters")
    cards = page.locator("[class*=st-key-letter-]")
    expect(cards).to_have_count(2)
    expect(page.get_by_role("button", name="Run again")).to_have_count(1)
    cards.first.get_by_text("Why it was parked").click()
    expect(cards.first.get_by_text("<b>Its</b> worker ended")).to_be_visible()
    assert_accessible(page)

    park(api, "l3")
    page.goto("/letters")
    third = page.locator(".st-key-letter-l3")
    third.get_by_text("Other values").click()
    third.get_by_label("New values").fill('{"history_depth": 7}')
    third.get_by_role("button", name="Run with these").click()
    expect(cards).to_have_count(2)
    assert (api.letters["l3"]["resolution"], api.letters["l3"]["changes"]) == ("edited", {"history_depth": 7})

    page.get_by_role("button", name="Run again").click()
    page.get_by_role("button", name="Yes, run again").click()
    expect(cards).to_have_count(1)
    assert api.letters["l1"]["resolution"] == "retried"
    expect(page.get_by_role("button", name="Discard")).to_have_count(1)  # while it is drawn anew there are two
    page.locator(".st-key-letter-l2").get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Yes, discard").click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    page.goto("/letters?cursor=after-the-first")
    page.get_by_text("Also those that were decided").click()
    expect(cards).to_have_count(3)  # another list, from its beginning
    page.wait_for_url(re.compile(r"/letters\?settled=yes$"))
    expect(cards.filter(has_text=re.compile("done again"))).to_have_count(1)
    page.get_by_text("Also those that were decided").click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
