"""The main job as a person does it: paste an address, watch, reload, ask, open what the answer cites."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.archives import zip_of
from tests.support.chromium import chromium_running, fresh_page, shared_window
from tests.support.git_server import GitServer
from tests.support.site import shoot
from tests.support.system import System

pytestmark = pytest.mark.browser
STAGES = ["clone", "metadata", "structure", "parse", "index", "embed", "activate"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="module")
def window(chromium: Browser, system: System) -> Iterator[BrowserContext]:
    with shared_window(chromium, system.page) as window:
        yield window


@pytest.fixture
def page(window: BrowserContext, system: System) -> Iterator[Page]:
    with fresh_page(window, system.page) as page:
        page.set_default_timeout(30_000)
        yield page


def begin(page: Page, url: str, ref: str = "") -> None:
    page.goto("/")
    page.get_by_label("Repository URL").fill(url)
    page.get_by_label("Branch, tag or commit").fill(ref)
    page.get_by_role("button", name="Analyse", exact=True).click()


def never_seen(git_host: GitServer, project: str) -> str:
    """An address of the project that nobody has pasted yet: a second try is offered nothing that the first one made."""
    owner = uuid4().hex
    (git_host.folder / owner).symlink_to(git_host.folder / "real")
    return git_host.url(f"{owner}/{project}")


def test_a_person_pastes_an_address_watches_reloads_asks_and_opens_a_citation(
    page: Page, system: System, git_host: GitServer
) -> None:
    begin(page, never_seen(git_host, "flask"))
    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    page.evaluate("window.sameDocument = true")
    expect(page.locator(".row[data-stage=clone].completed")).to_be_visible(timeout=60_000)
    expect(page.locator(".row[data-stage=parse].completed")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Python").first).to_be_visible()
    assert page.evaluate("window.sameDocument") is True, "the page was loaded again"

    done = page.locator(".row.completed")
    before = done.count()
    page.reload()
    expect(page.locator(".row[data-stage=parse].completed")).to_be_visible()
    assert done.count() >= before
    expect(page.get_by_role("button", name="Ask about it")).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Ask about it").click()
    page.wait_for_url(re.compile(r"/chat\?"))

    field = page.get_by_placeholder("Ask about this repository")
    field.fill("How does Flask register a blueprint on an application?")
    field.press("Enter")
    answer = page.locator("article.answer")
    expect(answer).to_be_visible(timeout=60_000)
    expect(answer.locator(".mode")).to_have_text("extractive: without a model")
    chip = answer.locator(".chip").first
    place = chip.text_content()
    assert place is not None
    chip.click()
    path, _, lines = place.rpartition(":")
    expect(page.locator(".rs-place")).to_have_text(place)
    first = lines.partition("-")[0]
    expect(page.locator(".rs-cited .rs-no").first).to_have_text(first)
    stored = system.client.get(
        f"/analyses/{parameter(page, 'at')}/lines", params={"path": path, "first_line": first, "last_line": first}
    ).json()
    shown = page.locator(".rs-cited code").first.text_content()
    assert shown is not None
    assert shown.strip() == stored["text"].strip()
    system.client.post(
        f"/analyses/{parameter(page, 'at')}/cancel"
    ).raise_for_status()  # the refining, which others wait behind


def test_a_person_uploads_an_archive_asks_opens_a_citation_and_is_offered_it_again(page: Page, system: System) -> None:
    source = (
        '"""A shop."""\n\n\ndef total_price(items, tax):\n    """Put the tax on top."""\n    return sum(items) * tax\n'
    )
    raw = zip_of({"shop-1.0/shop/app.py": source.encode(), "shop-1.0/README.md": b"# Shop\n\nAdds up prices.\n"})
    upload = {"name": "shop-1.0.zip", "mimeType": "application/zip", "buffer": raw}
    page.goto("/")
    page.get_by_label("Archive").set_input_files(upload)
    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    # So small a repository is complete at once: a click in between meets a page that is just being drawn again.
    expect(page.locator(".mark.reached").nth(2)).to_have_text("Complete", timeout=120_000)
    expect(page.get_by_role("button", name="Ask about it")).to_be_visible()
    view = system.analysis(parameter(page, "analysis"))
    expect(page.get_by_text(f"content {view['commit'][:10]}").first).to_be_visible()
    shoot(page, "upload-analysis")
    page.get_by_role("button", name="Ask about it").click()
    page.wait_for_url(re.compile(r"/chat\?"))

    field = page.get_by_placeholder("Ask about this repository")
    field.fill("Where is the tax put on the total price?")
    field.press("Enter")
    chip = page.locator("article.answer .chip", has_text="shop/app.py").first
    chip.click(timeout=60_000)
    expect(page.locator(".rs-place")).to_contain_text("shop/app.py")
    expect(page.locator(".rs-source")).to_contain_text("def total_price(items, tax):")
    shoot(page, "upload-citation")

    page.goto("/")
    page.get_by_label("Archive").set_input_files(upload | {"name": "another-name.zip"})
    expect(page.locator(".st-key-looked")).to_contain_text("This file was analysed already.")
    shoot(page, "upload-known")


def parameter(page: Page, name: str) -> str:
    """One parameter of the address."""
    found = re.search(rf"[?&]{name}=([^&]+)", page.url)
    assert found is not None, page.url
    return found[1]


def test_two_people_see_an_analysis_through_a_killed_orchestrator_and_its_events_are_all_there(
    page: Page, chromium: Browser, system: System, git_host: GitServer
) -> None:
    begin(page, never_seen(git_host, "jpype1"))
    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    analysis = parameter(page, "analysis")
    other = chromium.new_context(base_url=system.page).new_page()
    other.goto(f"/analysis?analysis={analysis}")
    both = (page, other)
    for each in both:
        expect(each.locator(".row[data-stage=clone].completed")).to_be_visible(timeout=60_000)
        each.evaluate("window.sameDocument = true")
    seen = system.analysis(analysis)["state"]
    killed = system.kill("orchestrator")
    for each in both:
        for stage in STAGES:
            expect(each.locator(f".row[data-stage={stage}].completed")).to_be_visible(timeout=200_000)
        expect(each.locator(".mark.reached").nth(1)).to_have_text("Ready")
        assert each.evaluate("window.sameDocument") is True, "the page was loaded again"
    assert seen == "running", f"the fault came too late: {seen}"
    assert system.service("orchestrator").pid != killed
    other.context.close()
    before = system.analysis(analysis)["version"]
    page.get_by_role("link", name="Events").click()
    page.wait_for_url(re.compile(r"/events\?"))
    expect(page.locator("details.event").nth(before - 1)).to_be_visible()
    versions = [int(text) for text in page.locator(".event .version").all_text_contents()]
    assert versions == list(range(1, len(versions) + 1))
    system.client.post(f"/analyses/{analysis}/cancel").raise_for_status()  # minutes of refining nobody waits for


@pytest.mark.parametrize(
    ("url", "ref", "code"),
    [
        ("https://evil.example/o/r", "", "host_not_allowed"),
        ("file:///etc/passwd", "", "bad_url"),
        ("not a url", "", "bad_url"),
        ("https://me:secret@github.com/o/r", "", "credentials_in_url"),
        ("https://github.com/o/r", "--upload-pack=id", "bad_ref"),
    ],
)
def test_what_may_not_be_read_is_refused_where_it_was_pasted(page: Page, url: str, ref: str, code: str) -> None:
    begin(page, url, ref)

    expect(page.get_by_role("alert")).to_contain_text(code)
    expect(page.get_by_label("Repository URL")).to_have_value(url)
    assert "analysis=" not in page.url


@pytest.mark.parametrize(
    ("repository", "ref", "code"),
    [
        ("odd/empty", "", "repository_empty"),
        ("odd/missing", "", "repository_not_found"),
        ("odd/private", "", "repository_not_found"),
        ("real/flask", "no-such-branch", "ref_not_found"),
    ],
)
def test_what_the_host_does_not_have_is_refused_where_it_was_pasted(
    page: Page, git_host: GitServer, repository: str, ref: str, code: str
) -> None:
    begin(page, git_host.url(repository), ref)

    expect(page.get_by_role("alert")).to_contain_text(code, timeout=60_000)
    expect(page.get_by_label("Repository URL")).to_have_value(git_host.url(repository))
    assert "analysis=" not in page.url


def test_a_repository_that_cannot_be_analysed_is_a_clear_failure(
    page: Page, system: System, git_host: GitServer
) -> None:
    begin(page, git_host.url("odd/binary"))

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The analysis failed", timeout=60_000)
    expect(alert).to_contain_text("no_text_files")
    expect(page.locator(".row[data-stage=clone].failed")).to_be_visible()
    expect(alert).to_contain_text(system.analysis(parameter(page, "analysis"))["message"])
