"""The push hook of a repository on the page of its analysis: made, shown once, replaced, removed."""

from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn


def test_a_hook_is_made_its_secret_shown_once_and_ended(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    repository = analysis.view["repository_id"]
    page.goto(f"/analysis?analysis={analysis.id}")

    page.get_by_role("button", name="Refresh on push").click()
    page.get_by_role("button", name="Make the hook").click()
    expect(page.get_by_text("whsec_1")).to_be_visible()
    expect(page.get_by_text(f"https://pages.example/hooks/{repository}").first).to_be_visible()
    api.push_hooks[repository] |= {"received_at": api.push_hooks[repository]["created_at"], "outcome": "begun"}

    page.reload()
    page.get_by_role("button", name="Refresh on push").click()
    expect(page.get_by_text("it began an analysis")).to_be_visible()
    expect(page.get_by_text("whsec_1")).to_have_count(0)
    first = api.push_hooks[repository]["hook_id"]
    page.get_by_text("Make a new secret", exact=True).click()
    expect(page.get_by_text("is refused until you give it the new one")).to_be_visible()
    assert api.push_hooks[repository]["hook_id"] == first
    page.get_by_role("button", name="Yes, make a new secret").click()
    expect(page.get_by_text("whsec_1")).to_be_visible()
    assert api.push_hooks[repository]["hook_id"] != first
    page.reload()
    page.get_by_role("button", name="Refresh on push").click()
    page.get_by_text("Remove the hook", exact=True).click()
    assert api.push_hooks
    page.get_by_role("button", name="Yes, remove the hook").click()
    expect(page.get_by_role("button", name="Make the hook")).to_be_visible()
    assert api.push_hooks == {}
