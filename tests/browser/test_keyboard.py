"""The pages by the keyboard alone: what opens is entered, and its end leads back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("name", "within"), [("Run again", "What"), ("Delete", "Delete for good")])
def test_what_a_button_unfolds_is_next_for_the_keyboard(page: Page, api: StandIn, name: str, within: str) -> None:
    page.goto(f"/analysis?analysis={samples.complete(api).id}")
    opener = page.get_by_role("button", name=name)
    opener.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # as the keyboard comes to it
    expect(opener).to_be_focused()

    page.keyboard.press("Enter")
    unfolded = page.get_by_test_id("stPopoverBody")
    expect(unfolded).to_be_focused()
    expect(unfolded.get_by_label(within).or_(unfolded.get_by_role("button", name=within)).first).to_be_visible()
    page.keyboard.press("Tab")
    assert unfolded.evaluate("body => body.contains(document.activeElement) && body !== document.activeElement")
    page.keyboard.press("Escape")

    expect(unfolded).to_have_count(0)
    expect(opener).to_be_focused()


def test_who_unfolds_by_the_mouse_keeps_it(page: Page, api: StandIn) -> None:
    page.goto(f"/analysis?analysis={samples.complete(api).id}")
    page.get_by_role("button", name="Delete").click()

    expect(page.get_by_role("button", name="Delete for good")).to_be_visible()
    page.wait_for_timeout(200)
    expect(page.get_by_test_id("stPopoverBody")).not_to_be_focused()


def test_who_comes_to_another_page_by_the_keyboard_goes_on_in_it(page: Page, api: StandIn) -> None:
    page.goto("/")
    page.get_by_label("Repository URL").fill("https://github.com/pallets/flask")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    main = page.get_by_test_id("stMain")
    expect(main).to_be_focused()
    page.keyboard.press("Tab")
    assert main.evaluate("main => main.contains(document.activeElement) && main !== document.activeElement")


def test_who_comes_to_another_page_by_the_mouse_is_moved_nowhere(page: Page, api: StandIn) -> None:
    page.goto("/")
    page.get_by_label("Repository URL").fill("https://github.com/pallets/flask")
    page.get_by_role("button", name="Analyse", exact=True).click()

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    expect(page.get_by_text("pallets/flask")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.get_by_test_id("stMain")).not_to_be_focused()
