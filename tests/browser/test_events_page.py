import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser


def test_events_are_listed_in_order_with_readable_payloads(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/events?analysis={analysis.id}")

    expect(page.locator("details.event")).to_have_count(len(analysis.events))
    assert page.locator(".event .version").all_text_contents() == [str(e["version"]) for e in analysis.events]
    fourth = page.locator("details.event").nth(3)
    expect(fourth).to_contain_text("processing.stage.completed")
    expect(fourth).to_contain_text("262 files")
    fourth.locator("summary").click()
    expect(fourth.locator("pre")).to_contain_text('"files_processed": 262')
    expect(fourth.locator("pre")).to_contain_text('"correlation_id"')


def test_new_events_appear_as_they_happen_and_each_once(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    page.goto(f"/events?analysis={analysis.id}")
    expect(page.locator(".total")).to_have_text(f"{len(analysis.events)} events · live")
    samples.parse_shard(analysis, 0)

    expect(page.locator("details.event")).to_have_count(len(analysis.events))
    expect(page.locator("details.event").last).to_contain_text("shard 1 of 4")
    api.drop()
    samples.parse_shard(analysis, 1)
    expect(page.locator("details.event")).to_have_count(len(analysis.events))


def test_a_filter_shows_only_what_matches(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/events?analysis={analysis.id}")
    page.get_by_label("Filter events").fill("completed embed")

    expect(page.locator("details.event")).to_have_count(4)
    expect(page.locator(".total")).to_have_text(f"4 of {len(analysis.events)} events")
    page.get_by_label("Filter events").fill("")
    expect(page.locator("details.event")).to_have_count(len(analysis.events))


def test_a_long_history_is_complete_and_drawn_in_pieces(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    for shard in range(600):
        analysis.say("processing.stage.requested", "embed", shard=shard, shards=600)
    page.goto(f"/events?analysis={analysis.id}")

    expect(page.locator(".total")).to_contain_text(f"{len(analysis.events)} events")
    expect(page.locator("details.event")).to_have_count(300)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("details.event")).to_have_count(600)
