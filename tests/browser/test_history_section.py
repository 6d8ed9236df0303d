"""What the history of a repository says, on its page; and how it is asked for."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>"


def a_history() -> dict[str, object]:
    day = "2026-04-09T04:04:03+00:00"
    spot = {"authors": 12, "last_at": day, "lines": 90, "file_class": "code"}
    person = {"first_at": "2010-04-06T11:12:57+00:00", "last_at": day}
    return {
        "depth": 10_000,
        "complete": True,
        "commits": 5_531,
        "merges": 1_725,
        "bot_commits": 150,
        "contributors": 853,
        "files_changed": 236,
        "newest_at": day,
        "oldest_at": "2010-04-06T11:12:57+00:00",
        "top_contributors": [
            {"name": HOSTILE, "commits": 1_400, "bot": False} | person,
            {"name": "dependabot[bot]", "commits": 98, "bot": True} | person,
        ],
        "hot_spots": [
            {"path": "src/flask/app.py", "commits": 488} | spot,
            {"path": "CHANGES.rst", "commits": 338} | spot,
        ],
        "co_changes": [{"paths": ["src/flask/app.py", "src/flask/helpers.py"], "commits": 95, "share": 0.325}],
    }


def test_the_page_shows_hot_spots_pairs_and_contributors(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    analysis.view |= {"history_depth": 10_000, "history": a_history()}
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.get_by_text("5,531 commits")).to_be_visible()
    expect(page.get_by_role("row", name="src/flask/app.py 488 12 2026-04-09")).to_be_visible()
    page.get_by_role("tab", name="Change together").click()
    expect(page.get_by_role("row", name="helpers.py 95 32%")).to_be_visible()
    page.get_by_role("tab", name="Contributors").click()
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    expect(page.get_by_text("dependabot[bot] (bot)")).to_be_visible()


def test_the_form_asks_for_as_many_commits_as_are_typed(page: Page, api: StandIn) -> None:
    api.begun.clear()
    page.goto("/")
    page.get_by_text("One folder, a private repository, or files that are usually left out").click()
    page.get_by_role("spinbutton", name="Commits of history to read").fill("500")
    page.get_by_label("Repository URL").fill("https://github.com/pallets/flask")
    page.get_by_role("button", name="Analyse", exact=True).click()

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    assert [body.get("history") for body in api.begun] == [500]
