"""Going back to the vectors of an earlier embedder, and forward again, on the page of an analysis."""

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn
from tests.unit.cli.test_rollback import NEW, OLD, one

pytestmark = pytest.mark.browser


def test_a_person_goes_back_to_what_is_kept_and_forward_again(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    api.generations[analysis.id] = [one(NEW, "new-model", serves=True), one(OLD, "old-model")]
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.get_by_text("Searched by the vectors of new-model.")).to_be_visible()
    page.get_by_role("button", name="Go back to old-model").click()
    expect(page.get_by_text("Searched by the vectors of old-model, though new-model is set.")).to_be_visible()
    page.get_by_role("button", name="Go forward to new-model").click()
    expect(page.get_by_text("Searched by the vectors of new-model.")).to_be_visible()
