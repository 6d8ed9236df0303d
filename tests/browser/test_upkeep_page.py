"""Administrators see how the installation does, and build read models and vectors again; nobody else may."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import assert_accessible
from tests.support.api_stand_in import StandIn
from tests.support.kept_stand_in import DAMAGED
from tests.support.site import shoot
from tests.support.stand_in_streams import busy

pytestmark = pytest.mark.browser


def test_administrators_build_the_read_models_again_and_see_what_differed(page: Page, api: StandIn) -> None:
    page.goto("/upkeep")
    expect(page.get_by_text("There is no such page for you.")).to_be_visible()

    api.scopes.append("admin")
    page.goto("/upkeep")
    page.get_by_role("button", name="Build again").click()
    expect(page.get_by_text("What differed was replaced.")).to_be_visible(timeout=15_000)
    assert [each["replace"] for each in api.rebuilds.values()] == [True]
    page.reload()  # the address says which
    expect(page.get_by_text("What differed was replaced.")).to_be_visible()

    page.get_by_role("button", name="Compare with the log").click()
    expect(page.get_by_text("Some rows are not what the log says.")).to_be_visible(timeout=15_000)
    assert [each["replace"] for each in api.rebuilds.values()] == [True, False]

    page.get_by_role("button", name="Count the vectors").click()
    expect(page.get_by_text("Of 3 collections 1 do not have the vectors that were written to them.")).to_be_visible()
    api.refused["POST", "/collections/rebuilds"] = busy()
    page.get_by_role("button", name="Build these again").click()
    expect(page.get_by_text("Try again in 7 seconds.")).to_be_visible()
    assert_accessible(page)
    page.set_viewport_size({"width": 360, "height": 780})
    assert_accessible(page)
    api.refused.clear()
    page.get_by_role("button", name="Build these again").click()
    expect(page.get_by_text("All 3 collections have the vectors that were written to them.")).to_be_visible(
        timeout=15_000
    )
    assert [each["of"] for each in api.collections.values()] == [DAMAGED]

    page.goto("/upkeep?of=an-analysis")  # as its page leads there
    page.get_by_role("button", name="Compare with the stored ones").click()
    found = (
        "has 1 missing, 2 different, 0 that are no one's, checksum bb22; it should have 1,200 vectors, checksum aa11"
    )
    expect(page.get_by_text(found)).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Build them again").click()
    expect(page.get_by_text("The one that serves now has all 1,200 vectors")).to_be_visible(timeout=15_000)
    asked = [(each["of"], each["replace"]) for each in api.collections.values()]
    assert asked[1:] == [("an-analysis", False), ("an-analysis", True)]
    assert_accessible(page)


def test_administrators_see_services_queues_teams_and_settings(page: Page, api: StandIn) -> None:
    page.goto("/installation")
    expect(page.get_by_text("There is no such page for you.")).to_be_visible()

    api.scopes.append("admin")
    page.goto("/")
    page.get_by_role("link", name="Installation").click()
    expect(page.get_by_text("database: ConnectionRefusedError: nobody listens")).to_be_visible()
    expect(page.get_by_text("Nobody works on processor.clone: look whether its service runs")).to_be_visible()
    expect(page.get_by_text("Cost of models this month: $2.50 of $9.00")).to_be_visible()
    expect(page.get_by_text("REPOSTREAM_DATABASE_URL")).to_be_visible()
    assert_accessible(page)
    shoot(page, "installation")
    page.set_viewport_size({"width": 360, "height": 780})
    assert_accessible(page)
