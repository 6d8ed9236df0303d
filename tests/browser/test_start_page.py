import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import JSONResponse, Response

from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import StandIn, problem
from tests.support.archives import zip_of
from tests.support.site import shoot
from tests.support.stand_in_streams import busy

pytestmark = pytest.mark.browser


def test_a_pasted_address_begins_an_analysis_and_leads_to_its_page(page: Page, api: StandIn) -> None:
    page.goto("/")
    page.get_by_label("Repository URL").fill("  https://github.com/pallets/flask ")
    page.get_by_label("Branch, tag or commit").fill("2.3.x")
    page.get_by_role("button", name="Analyse", exact=True).click()

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    expect(page.get_by_text("pallets/flask")).to_be_visible()
    (begun,) = api.analyses.values()
    assert (begun.view["url"], begun.view["ref"]) == ("https://github.com/pallets/flask", "2.3.x")


def test_a_refused_address_is_told_in_the_api_s_words_with_its_code(page: Page, api: StandIn) -> None:
    api.refuse_url = problem(422, "host_not_allowed", "Repositories of that host are not read here", "Use github.com.")
    page.goto("/")
    page.get_by_label("Repository URL").fill("https://evil.example/o/r")
    page.get_by_role("button", name="Analyse", exact=True).click()

    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Repositories of that host are not read here")
    expect(notice).to_contain_text("Use github.com.")
    expect(notice).to_contain_text("host_not_allowed")
    expect(page.get_by_label("Repository URL")).to_have_value("https://evil.example/o/r")
    assert api.analyses == {}


def test_a_token_for_a_private_repository_is_sent_once_and_left_nowhere(page: Page, api: StandIn) -> None:
    api.begun.clear()
    page.goto("/")
    field = page.get_by_label("Access token")
    expect(field).not_to_be_visible()
    page.get_by_text("One folder, a private repository, or files that are usually left out").click()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_attribute("autocomplete", "new-password")
    field.fill("canary-token-of-the-page")
    page.get_by_label("Repository URL").fill("https://github.com/acme/secret")
    page.get_by_role("button", name="Analyse", exact=True).click()

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    assert [body.get("token") for body in api.begun] == ["canary-token-of-the-page"]
    left = page.evaluate("() => document.documentElement.outerHTML + JSON.stringify({...localStorage}) + location.href")
    assert "canary-token" not in left
    page.go_back()
    page.get_by_text("One folder, a private repository, or files that are usually left out").click()
    expect(page.get_by_label("Access token")).to_have_value("")


def test_a_look_first_shows_what_the_address_means_and_begins_nothing(page: Page, api: StandIn) -> None:
    api.begun.clear()
    api.looked = {"ref": "rel/1.0", "folder": "src"}
    page.goto("/")
    page.get_by_label("Repository URL").fill("https://github.com/pallets/flask/tree/rel/1.0/src")
    page.get_by_text("One folder, a private repository, or files that are usually left out").click()
    page.get_by_role("button", name="Look first").click()

    card = page.locator(".st-key-looked")
    for text in ("pallets/flask", "rel/1.0", "commit 36e4a824f3", "only src", "2 branches", "1 tag"):
        expect(card).to_contain_text(text)
    assert api.begun == []
    card.get_by_role("button", name="Analyse it").click()
    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    assert [(body["url"], body["ref"], body["folder"]) for body in api.begun] == [
        ("https://github.com/pallets/flask", "rel/1.0", "src")
    ]


def test_what_is_inside_stays_where_it_is_while_it_unfolds(page: Page, api: StandIn) -> None:
    page.goto("/")
    folded = page.locator("details").filter(has_text="One folder, a private repository")
    expect(folded.get_by_text("Look first")).to_be_attached()
    seen = folded.evaluate(
        """async details => {
            details.querySelector("summary").click()
            await new Promise(requestAnimationFrame)
            const unfolding = details.getAnimations().length
            const inside = [...details.querySelectorAll("button")].find(each => each.textContent.includes("Look first"))
            inside.scrollIntoView({ block: "end" })
            return { unfolding, hidden: details.scrollHeight > details.clientHeight, scrolled: details.scrollTop }
        }"""
    )
    assert seen == {"unfolding": 1, "hidden": True, "scrolled": 0}


def test_a_commit_that_was_analysed_is_offered_and_analysed_again_only_when_asked(page: Page, api: StandIn) -> None:
    samples.complete(api)
    [known] = api.analyses.values()
    api.looked = {"finished": known.view}
    api.begun.clear()
    page.goto("/")
    page.get_by_label("Repository URL").fill("https://github.com/pallets/flask")
    page.get_by_role("button", name="Analyse", exact=True).click()

    card = page.locator(".st-key-looked")
    expect(card).to_contain_text("This commit was analysed already.")
    expect(card.get_by_role("link", name="Open that analysis")).to_be_visible()
    assert api.begun == []
    card.get_by_role("button", name="Analyse it again").click()
    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    assert [body["force"] for body in api.begun] == [True]


def test_recent_analyses_show_state_commit_languages_counts_and_how_far_behind(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    told = {"analysis_id": analysis.id, "standing": "behind", "ref": None, "commit": samples.COMMIT, "newest": "c" * 40}
    told |= {"behind_by": 12, "checked_at": datetime.now(UTC).isoformat()}
    api.refused["GET", "/staleness"] = JSONResponse(told)
    samples.failed(api)
    page.goto("/")

    done = page.locator("[class*=st-key-card-]").filter(has_text="pallets/flask")
    for text in ("complete", "commit 36e4a824f3", "Python", "262 files", "1,846 symbols"):
        expect(done).to_contain_text(text)
    broken = page.locator("[class*=st-key-card-]").filter(has_text="nobody/missing")
    expect(broken).to_contain_text("repository_not_found")
    expect(done).not_to_contain_text("behind")
    page.get_by_text("Say how far behind their branches they are").click()
    expect(done).to_contain_text("12 commits behind")
    page.wait_for_url(re.compile(r"\?hosts=asked$"))
    done.get_by_role("link").click()
    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    expect(page.get_by_text("Complete", exact=True).first).to_be_visible()


def test_every_repository_is_reached_by_page_and_found_by_its_name(page: Page, api: StandIn) -> None:
    for number in range(32):
        api.begin(f"acme/part-{number:02}")
    page.goto("/")
    cards = page.locator("[class*=st-key-card-]")
    expect(cards).to_have_count(30)
    page.get_by_role("link", name="All repositories").click()
    expect(page.get_by_role("heading", name="Repositories")).to_be_visible()
    page.get_by_role("link", name="Older ones").click()
    expect(cards).to_have_count(2)
    expect(cards.last).to_contain_text("acme/part-00")
    assert violations(page) == []

    page.get_by_label("Name or address").fill("part-3")
    page.get_by_role("button", name="Search").click()
    expect(cards.first).to_contain_text("acme/part-31")
    expect(cards).to_have_count(2)  # 30 and 31: from the first page of what fits
    page.wait_for_url(re.compile(r"/repositories\?name=part-3$"))
    field = page.get_by_label("Name or address")
    expect(field).to_have_count(1)  # the one of before goes
    field.fill("part-07")
    page.get_by_role("button", name="Search").click()
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("acme/part-07")


def test_an_api_that_is_down_is_a_clear_notice_and_the_form_stays(page: Page, api: StandIn) -> None:
    api.down = True
    page.goto("/")

    expect(page.get_by_role("alert")).to_contain_text("The service is restarting")
    expect(page.get_by_label("Repository URL")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/analysis?analysis={id}", "/events?analysis={id}", "/chat?analysis={id}"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_hostile_name_is_only_text_and_nothing_overflows(page: Page, api: StandIn, path: str, width: int) -> None:
    hostile = samples.running(api, samples.HOSTILE_NAME)
    hostile.say("repository.processing.failed", "clone", kind="permanent", code="x", message=samples.HOSTILE_NAME)
    foreign: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: foreign.append(request.url) if ":9/" in request.url else None)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(path.format(id=hostile.id))

    expect(page.get_by_text('"><img src=x onerror=alert(1)>').first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert foreign == []
    assert dialogs == []
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("address", ["/analyses", "/analysis/more", "/a/b/", "/staticky/x"])
def test_an_address_that_no_page_has_says_so_and_leads_to_the_start(page: Page, api: StandIn, address: str) -> None:
    told = page.goto(address)

    assert told is not None
    assert told.status == 404
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="To the start page").click()
    expect(page.locator(".rs-hero")).to_have_text("Ask a repository anything")


def test_an_unknown_analysis_is_a_clear_notice(page: Page, api: StandIn) -> None:
    for nothing in ("nothing", str(uuid4())):
        page.goto(f"/analysis?analysis={nothing}")

        expect(page.get_by_role("alert")).to_contain_text("analysis_not_found")
        bar, said = (page.locator(each).bounding_box() for each in (".st-key-top", ".rs-notice"))
        assert bar is not None
        assert said is not None
        assert bar["y"] + bar["height"] <= said["y"], "the notice stands above the bar"
    page.goto("/chat")
    expect(page.get_by_text("No analysis is chosen.")).to_be_visible()


def test_no_page_asks_another_host_for_anything(page: Page, api: StandIn, pages: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    done = samples.complete(api)
    for path in ("/", "/analysis", "/chat", "/events"):
        page.goto(f"{path}?analysis={done.id}")
        page.wait_for_timeout(700)

    assert [url for url in asked if not url.startswith((pages, "blob:", "data:"))] == []


def test_the_first_visitor_of_a_process_may_come_by_any_address(page: Page, api: StandIn, fresh_pages: str) -> None:
    page.goto(f"{fresh_pages}/analysis?analysis={samples.running(api).id}")

    expect(page).to_have_title("Analysis · Repostream")
    expect(page.locator(".rs-pill")).to_have_css("border-radius", "999px")
    expect(page.locator(".stMainBlockContainer")).to_have_css("max-width", "1180px")


def test_an_archive_that_is_chosen_is_sent_whole_and_its_analysis_opens(page: Page, api: StandIn) -> None:
    api.begun.clear()
    raw = zip_of({"a.py": b"x = 1\n"})
    page.goto("/")
    page.get_by_text("Of an archive: one folder").click()
    page.get_by_label("Read all the same of it").fill("vendor/\n\n *.min.js ")
    page.get_by_label("Only this folder of it").click()
    page.get_by_label("Archive").set_input_files({"name": "my-project.zip", "mimeType": "", "buffer": raw})

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    assert api.sent[-1] == raw
    url = f"upload://{sha256(raw).hexdigest()}/my-project"
    assert [(body["url"], body["include"]) for body in api.begun] == [(url, ["vendor/", "*.min.js"])]
    expect(page.get_by_text("upload", exact=True)).to_be_visible()

    page.goto("/")
    page.get_by_text("Show the uploads that are kept").click()
    expect(page.get_by_text("not analysed")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_text("No upload is kept.")).to_be_visible()


def test_a_bundle_that_is_chosen_is_taken_over_and_its_analysis_opens(page: Page, api: StandIn) -> None:
    page.goto("/")
    page.get_by_text("A bundle of another installation").click()
    shoot(page, "bundle")
    page.get_by_label("Bundle", exact=True).set_input_files({"name": "a.zip", "mimeType": "", "buffer": b"PK bundle"})

    page.wait_for_url(re.compile(r"/analysis\?analysis="))
    assert api.sent[-1] == b"PK bundle"
    done = samples.complete(api)
    page.goto(f"/analysis?analysis={done.id}")
    exported = page.get_by_role("link", name="Export")
    expect(exported).to_have_attribute("href", f"/api/v1/analyses/{done.id}/bundle")
    api.refused["GET", "/bundle"] = busy()
    exported.click()
    expect(page.get_by_role("status").filter(has_text="rate_limited")).to_contain_text("Try again in 7 seconds.")
    named = {"content-disposition": 'attachment; filename="of-it.bundle.zip"'}
    api.refused["GET", "/bundle"] = Response(b"PK its bytes", headers=named)
    with page.expect_download() as download:
        exported.click()
    assert download.value.suggested_filename == "of-it.bundle.zip"
    assert Path(download.value.path()).read_bytes() == b"PK its bytes"
    expect(page.get_by_role("status").filter(has_text="rate_limited")).to_have_count(0)


def test_an_archive_that_is_dropped_and_refused_is_told_in_the_api_s_words(page: Page, api: StandIn) -> None:
    api.refuse_url = problem(422, "archive_unknown", "That is no archive that is read here", "Upload a zip.")
    page.goto("/")
    box = page.locator(".drop").first
    expect(box).to_contain_text("or drop it here")
    dropped = page.evaluate_handle(
        "() => { const all = new DataTransfer(); all.items.add(new File(['no'], 'no.zip')); return all; }"
    )
    box.dispatch_event("dragover", {"dataTransfer": dropped})
    expect(box).to_have_class("drop over")
    shoot(page, "uploads-over")
    box.dispatch_event("drop", {"dataTransfer": dropped})

    expect(page.get_by_role("status").filter(has_text="archive_unknown")).to_contain_text("Upload a zip.")
    shoot(page, "uploads-refused")
    page.set_viewport_size({"width": 390, "height": 800})
    shoot(page, "uploads-phone")
    assert api.analyses == {}
