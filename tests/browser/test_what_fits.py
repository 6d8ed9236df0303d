"""What a person sees fits: on a phone, beside an answer longer than the screen, and in its place at once."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import StandIn
from tests.support.layout import jumps

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
FIELD = "Ask about this repository"
SPANS_BEYOND = "e => e.scrollWidth - e.clientWidth"


def test_lines_that_are_opened_at_the_end_of_a_long_answer_are_in_sight(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    told = samples.answer()
    code = "\n".join(f"step_{n}()" for n in range(150))
    told["answer"] = f"```python\n{code}\n```\n\n{told['answer']}"
    page.goto(f"/chat?analysis={analysis.id}")
    page.get_by_placeholder(FIELD).fill("How does it start?")
    page.get_by_placeholder(FIELD).press("Enter")
    page.wait_for_url(re.compile("conversation="))
    expect(page.locator(".status")).to_be_visible()
    api.answered(list(api.questions)[-1], analysis_id=analysis.id, **told)

    page.locator("article.answer .cited .chip").last.click()

    expect(page.locator(".rs-cited").first).to_be_in_viewport()
    expect(page.get_by_role("button", name="Close")).to_be_in_viewport()


@pytest.mark.parametrize("name", ["analysis", "chat", "events"])
def test_no_page_is_wider_than_a_phone(page: Page, api: StandIn, name: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/{name}?analysis={samples.complete(api, samples.HOSTILE_NAME).id}")

    expect(page.locator(".rs-heading")).to_be_visible()
    expect(page.locator({"analysis": ".row", "chat": "textarea", "events": ".event"}[name]).first).to_be_visible()
    assert page.locator("html").evaluate(SPANS_BEYOND) <= 0
    assert page.locator(".stMain").evaluate(SPANS_BEYOND) <= 0


def test_a_page_is_seen_once_all_of_it_has_its_place(page: Page, api: StandIn) -> None:
    analysis, older = samples.complete(api), samples.complete(api)
    page.set_viewport_size(PHONE)
    for path in ("/repositories", f"/compare?analysis={analysis.id}&with={older.id}", "/keys"):
        page.goto(path)
        expect(page.locator(".st-key-top")).to_be_visible()
        expect(page.locator("html.rs-held")).to_have_count(0)
        assert jumps(page, 0.0) == []


def test_a_page_asks_for_nothing_that_is_not_there(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    missing: list[str] = []
    page.on("response", lambda told: missing.append(told.url) if told.status >= 400 else None)
    page.goto(f"/analysis?analysis={analysis.id}")
    expect(page.locator(".link")).to_be_attached()
    page.get_by_role("link", name="Events").click()
    expect(page.locator(".event").first).to_be_visible()

    assert missing == []


def test_a_page_that_lacks_something_for_long_is_seen_without_it(page: Page, api: StandIn) -> None:
    page.route("**/static/js/TextInput.*.js", lambda route: None)  # it never comes
    page.goto("/")

    expect(page.locator(".rs-hero")).to_be_visible()
    expect(page.locator("[data-testid=stSkeleton]").first).to_be_visible()


def test_a_stage_has_its_time_beside_its_name_and_its_counts_in_words(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    analysis.run("index", seconds=1.1, files=1, counts={"files": 1, "bytes": 26_379_483, "lines.no_grammar": 1_204})
    page.set_viewport_size(PHONE)
    page.goto(f"/analysis?analysis={analysis.id}")

    row = page.locator(".row[data-stage=index]")
    expect(row.locator(".counts")).to_have_text("1 file · 26.4 MB · 1,204 without a grammar")
    title, time = row.locator(".title").bounding_box(), row.locator(".time").bounding_box()
    assert title is not None
    assert time is not None
    assert time["y"] < title["y"] + title["height"]
    assert time["x"] > title["x"] + title["width"]


# The dots between facts that are seen: those whose middle lies right of where their line is cut off.
DOTS = """all => { const left = all.getBoundingClientRect().left + 1.15 * parseFloat(getComputedStyle(all).fontSize);
  return [...all.children].map((one) => {
    const dot = getComputedStyle(one, "::before"), after = getComputedStyle(one, "::after").content;
    const begins = one.getBoundingClientRect().left;
    return [after === "none", dot.content, begins + parseFloat(dot.width) <= left + 1, Math.round(begins - left)];
  }); }"""


def test_no_line_of_facts_begins_or_ends_with_the_dot_between_them(page: Page, api: StandIn) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"/analysis?analysis={samples.complete(api).id}")
    facts = page.locator(".rs-facts").first
    expect(facts).to_be_visible()

    told = facts.evaluate(DOTS)
    cut = [is_cut for _, _, is_cut, _ in told]
    assert all(nothing_after and dot == '"·"' for nothing_after, dot, *_ in told)
    assert cut[0]
    assert 1 < sum(cut) < len(cut)  # it is more than one line, and some lines have more than one fact
    assert facts.evaluate("e => getComputedStyle(e).clipPath").startswith("inset(")


def test_what_a_sheet_of_lines_lies_on_can_be_scrolled_out_from_under_it(page: Page, api: StandIn) -> None:
    page.set_viewport_size(PHONE)
    analysis = samples.complete(api)
    page.goto(f"/chat?analysis={analysis.id}&open=src/flask/app.py:1-3")
    sheet, field = page.locator(".st-key-source"), page.get_by_placeholder(FIELD)
    expect(sheet).to_be_visible()
    expect(field).to_be_visible()
    field.focus()

    box, top = field.bounding_box(), sheet.bounding_box()
    assert box is not None
    assert top is not None
    assert box["y"] + box["height"] <= top["y"]


def test_a_link_to_a_file_looks_as_the_buttons_beside_it(page: Page, api: StandIn) -> None:
    page.goto(f"/analysis?analysis={samples.complete(api).id}")
    link = page.get_by_role("link", name="Export", exact=True)
    icon = link.locator(".icon")
    expect(icon).to_be_visible()
    page.evaluate("document.fonts.ready")

    assert icon.evaluate(
        "e => [...document.fonts].some(f => getComputedStyle(e).fontFamily.includes(f.family.replaceAll('\"', '')))"
    )
    own, other = link.bounding_box(), page.get_by_role("button", name="Delete").bounding_box()
    assert own is not None
    assert other is not None
    assert abs(own["height"] - other["height"]) <= 2
    assert abs(own["y"] - other["y"]) <= 2


def test_a_citation_at_the_end_of_a_conversation_stays_in_sight_above_its_lines(page: Page, api: StandIn) -> None:
    page.set_viewport_size(PHONE)
    analysis = samples.complete(api)
    page.goto(f"/chat?analysis={analysis.id}")
    page.get_by_placeholder(FIELD).fill("How does it start?")
    page.get_by_placeholder(FIELD).press("Enter")
    page.wait_for_url(re.compile("conversation="))
    expect(page.locator(".status")).to_be_visible()
    api.answered(list(api.questions)[-1], analysis_id=analysis.id, **samples.answer())
    chip = page.locator("article.answer .cited .chip").last
    chip.click()

    expect(page.locator(".st-key-source .rs-cited").first).to_be_visible()
    expect(chip).to_be_focused()
    expect(chip).to_be_in_viewport()
    box, sheet = chip.bounding_box(), page.locator(".st-key-source").bounding_box()
    assert box is not None
    assert sheet is not None
    assert box["y"] + box["height"] <= sheet["y"]


def test_the_bar_of_a_phone_has_its_signs_in_one_line(page: Page, api: StandIn) -> None:
    api.scopes.append("admin")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/")
    signs = page.locator(".st-key-oversight a")
    expect(signs).to_have_count(4)

    assert len({round(box["y"]) for sign in signs.all() if (box := sign.bounding_box()) is not None}) == 1
    assert page.locator(".stMain").evaluate(SPANS_BEYOND) <= 0
