"""What happens is seen without a reload, survives one, and a broken connection heals."""

import asyncio
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.support import ui_samples as samples
from tests.support.api_stand_in import Scripted, StandIn
from tests.support.layout import jumps
from tests.support.stand_in_streams import busy, problem

pytestmark = pytest.mark.browser


# The component lives in a shadow root, which a plain selector of the document does not enter.
SHOWS = """text => [...document.querySelectorAll("div")]
  .some(e => e.shadowRoot?.querySelector(".row[data-stage=parse]")?.textContent.includes(text))"""


# How many timelines stand on the page, at most, from now on.
MOST_AT_ONCE = """() => {
  window.most = 0;
  const count = () => {
    window.most = Math.max(window.most, document.querySelectorAll("[class*=st-key-timeline-]").length);
    requestAnimationFrame(count);
  };
  count();
}"""


def row(page: Page, stage: str) -> Locator:
    return page.locator(f".row[data-stage={stage}]")


def watch(page: Page, analysis: Scripted) -> None:
    """Open the page and make sure it is connected; a mark in the window shows later that it was not reloaded."""
    page.goto(f"/analysis?analysis={analysis.id}")
    expect(page.locator(".link.live")).to_be_visible()
    page.evaluate("window.sameDocument = true")


def test_stages_move_without_a_reload_and_the_page_follows_the_state(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    watch(page, analysis)
    expect(row(page, "clone")).to_have_class("row completed")
    expect(row(page, "parse")).to_contain_text("0 of 4 shards")
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
    runs = [request for request in api.requests if request == f"GET /api/v1/analyses/{analysis.id}"]
    drawn = page.evaluate("performance.now()")

    analysis.tick("parse", 33, 66, "src/flask/templating.py", shard=1, shards=4)
    expect(row(page, "parse").locator(".work")).to_have_text("shard 2 · 33 of 66 files · src/flask/templating.py")
    expect(row(page, "parse")).to_contain_text("12 %")
    expect(row(page, "parse").locator(".detail")).to_have_text("0 of 4 shards")
    analysis.tick("parse", 30, 60, "src/flask/cli.py", shard=2, shards=4, share=0.75, rate=11.0, left=5.0)
    expect(row(page, "parse").locator(".detail")).to_have_text("0 of 4 shards · 22 files/s · about 30 s left")
    expect(row(page, "parse").locator(".work li")).to_have_count(2)
    expect(row(page, "parse")).to_contain_text("shard 3 · 30 of 60 files · 11 files/s · src/flask/cli.py")
    expect(row(page, "parse")).to_contain_text("29 %")  # 33 and, by size, 45 of 262 files
    samples.parse_shard(analysis, 2)
    expect(row(page, "parse")).not_to_contain_text("shard 3")
    expect(row(page, "parse").locator(".work li")).to_have_count(2)  # nothing below it jumps
    samples.parse_shard(analysis, 0)
    expect(row(page, "parse")).to_contain_text("2 of 4 shards")
    expect(row(page, "parse")).to_contain_text("62 %")
    again = [request for request in api.requests if request == f"GET /api/v1/analyses/{analysis.id}"]
    assert again == runs, "progress ran the page's script again"
    assert jumps(page, drawn) == []

    for shard in (1, 3):
        samples.parse_shard(analysis, shard)
    analysis.run("index", counts={"chunks": 1_240})
    expect(row(page, "parse")).to_have_class("row completed")
    expect(page.locator(".mark.reached")).to_have_text(["Questions can be asked"])
    expect(page.get_by_role("button", name="Ask about it")).to_be_visible()
    samples.become_ready(analysis)
    expect(page.get_by_text("14 left out")).to_be_visible()
    expect(page.locator(".rs-pill")).to_have_text("ready")
    assert page.evaluate("window.sameDocument") is True


@pytest.mark.parametrize(
    ("role", "name", "address"), [("button", "Ask about it", "chat"), ("link", "Events", "events")]
)
def test_a_click_is_followed_where_a_stage_ends_while_the_page_still_turns(
    page: Page, api: StandIn, role: Literal["button", "link"], name: str, address: str
) -> None:
    analysis = samples.running(api)
    samples.become_answerable(analysis)
    watch(page, analysis)
    goal = page.get_by_role(role, name=name, exact=True)
    expect(goal).to_be_visible()
    api.slow = 0.4
    goal.click()
    samples.become_ready(analysis)
    expect(page).to_have_url(re.compile(rf"/{address}\?analysis="))
    page.wait_for_timeout(1_500)  # as long as the timeline may hold back what it has to tell
    expect(page).to_have_url(re.compile(rf"/{address}\?analysis="))


def test_an_event_is_on_the_screen_within_half_a_second(page: Page, api: StandIn) -> None:
    """Not counting what this machine takes to ask the browser anything at all."""
    analysis = samples.running(api)
    watch(page, analysis)
    took, asking = [], []
    for shard in range(4):
        began = datetime.now(UTC)
        samples.parse_shard(analysis, shard)
        page.wait_for_function(SHOWS, arg=f"{65 * (shard + 1)} files", polling=20)
        took.append((datetime.now(UTC) - began).total_seconds())
        began = datetime.now(UTC)
        page.evaluate("1")
        asking.append((datetime.now(UTC) - began).total_seconds())
    assert max(took) < 0.5 + 20 * max(asking), (took, asking)


def test_a_stage_of_uneven_shards_says_how_much_of_its_work_is_done(page: Page, api: StandIn) -> None:
    """Three shards of two files each are no three quarters of 262 files."""
    analysis = samples.running(api)
    watch(page, analysis)
    for shard in range(3):
        ended: dict[str, Any] = {"shards": 4, "duration": 0.1, "files_processed": 2, "counts": {"files": 2}}
        analysis.say("processing.stage.completed", "parse", shard=shard, **ended)
    analysis.tick("parse", 64, 256, "src/flask/cli.py", shard=3, shards=4, share=0.25, rate=2.0, left=96.0)

    expect(row(page, "parse").locator(".percent")).to_have_text("26 %")
    expect(row(page, "parse").locator(".detail")).to_have_text("3 of 4 shards · 2 files/s · about 2 min left")


def test_who_looks_at_what_is_over_sees_it_run_again(page: Page, api: StandIn) -> None:
    """Somebody else had it run again: nothing is loaded anew by hand."""
    analysis = samples.complete(api)
    page.goto(f"/analysis?analysis={analysis.id}")
    expect(page.locator(".headline")).to_have_text("Complete")
    expect(page.locator(".link")).to_have_text("")
    analysis.say("repository.processing.retry_requested")

    expect(page.locator(".headline").first).not_to_have_text("Complete")
    expect(page.locator(".link.live").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Cancel|Stop refining"))).to_be_visible()


def test_a_reload_in_the_middle_shows_the_same_timeline(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    samples.parse_shard(analysis, 0)
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    why = {"kind": "transient", "code": "worker_lost", "message": "The worker went away."}
    analysis.say("processing.stage.failed", "parse", shard=1, shards=4, duration=1.0, **why)
    analysis.say("processing.retry.scheduled", "parse", shard=1, due_at=later)
    watch(page, analysis)
    expect(row(page, "parse")).to_contain_text("65 files")
    analysis.tick("parse", 20, 65, "src/flask/cli.py", shard=2, shards=4, share=0.5, rate=12.4, left=8.0)
    analysis.tick("parse", 9, 65, "src/flask/globals.py", shard=3, shards=4)
    analysis.ticks["parse", 0] = analysis.ticks["parse", 2] | {"shard": 0, "run_id": "of a run that is over"}
    expect(row(page, "parse").locator(".detail")).to_contain_text("about")
    expect(row(page, "parse").locator(".work li")).to_have_count(2)
    shown = ".row .title, .row .counts, .row .word, .row .detail, .row .work li, .row .percent"
    before = page.locator(shown).all_text_contents()
    page.reload()
    expect(page.locator(".link.live")).to_be_visible()
    expect(row(page, "parse").locator(".work li")).to_have_count(2)

    assert page.locator(shown).all_text_contents() == before
    assert "1 of 4 shards · 25 files/s · about 20 s left" in before
    samples.parse_shard(analysis, 2)
    expect(row(page, "parse")).to_contain_text("2 of 4 shards")


def test_a_page_that_nobody_looks_at_holds_no_connection_and_catches_up(page_apart: Page, api: StandIn) -> None:
    """Six are all that a browser has for a host: those of tabs behind others would keep the next one from opening."""
    page, analysis = page_apart, samples.running(api)
    page.clock.install()
    watch(page, analysis)
    seen = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    seen += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(seen, arg=True)
    page.clock.fast_forward(16_000)
    for _ in range(100):
        if not analysis.streams.open:
            break
        page.wait_for_timeout(100)
    assert analysis.streams.open == 0
    samples.parse_shard(analysis, 0)

    page.evaluate(seen, arg=False)
    expect(row(page, "parse")).to_contain_text("65 files")
    assert analysis.streams.open == 1


def test_a_page_that_could_not_be_drawn_is_drawn_once_the_api_is_back(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    api.down = True
    page.goto(f"/analysis?analysis={analysis.id}")
    expect(page.get_by_role("alert")).to_contain_text("restarting")
    page.evaluate("window.sameDocument = true")
    api.down = False

    expect(row(page, "clone")).to_have_class("row completed")
    assert page.evaluate("window.sameDocument") is True


def test_a_lost_connection_is_shown_heals_and_misses_nothing(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    watch(page, analysis)
    api.down = True
    api.drop()
    expect(page.locator(".link")).to_contain_text("connection lost")
    samples.become_answerable(analysis)
    api.down = False

    expect(page.locator(".link.live")).to_be_visible()
    expect(row(page, "index")).to_have_class("row completed")
    expect(page.get_by_role("button", name="Ask about it")).to_be_visible()


def test_whoever_is_signed_out_is_told_so_and_the_stream_is_asked_for_no_more(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    api.refused["GET", "/events"] = problem(401, "not_signed_in", "You are not signed in", "Sign in.")
    page.goto(f"/analysis?analysis={analysis.id}")
    expect(page.locator(".link")).to_have_text("signed out: load the page to sign in again")
    page.wait_for_timeout(1_500)  # it would be tried again after a second

    assert api.requests.count(f"GET /api/v1/analyses/{analysis.id}/events") == 2  # the stream, and why it is refused
    expect(row(page, "clone").locator(".word")).to_have_text("done")
    expect(row(page, "clone").locator(".word")).to_be_visible()  # to who cannot see the tick


def test_thirty_seconds_of_silence_are_shown_as_stalled_naming_the_last_file(page_apart: Page, api: StandIn) -> None:
    page_apart.clock.install()
    analysis = samples.running(api)
    watch(page_apart, analysis)
    analysis.tick("parse", 10, 66, "src/endless.py", shard=0, shards=4)
    expect(row(page_apart, "parse")).to_contain_text("src/endless.py")
    expect(row(page_apart, "parse")).not_to_contain_text("Stalled")
    page_apart.clock.fast_forward(31_000)

    expect(row(page_apart, "parse")).to_contain_text("Stalled: nothing heard for")
    expect(row(page_apart, "parse").locator(".note")).to_contain_text("src/endless.py")
    analysis.tick("parse", 11, 66, "src/next.py", shard=0, shards=4)
    expect(row(page_apart, "parse")).not_to_contain_text("Stalled")


def test_a_retry_is_shown_with_its_reason_and_its_time(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    watch(page, analysis)
    due = (datetime.now(UTC) + timedelta(seconds=40)).isoformat()
    why = {"kind": "transient", "code": "worker_lost", "message": "The worker went away."}
    for shard in range(4):
        analysis.say("processing.stage.failed", "parse", shard=shard, shards=4, duration=1.0, **why)
        analysis.say("processing.retry.scheduled", "parse", shard=shard, due_at=due)

    expect(row(page, "parse")).to_have_class("row retrying")
    expect(row(page, "parse").locator(".note")).to_contain_text("The worker went away. (worker_lost) · try 2 in")


def test_a_failed_analysis_says_why_and_can_be_retried(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    watch(page, analysis)
    why = {"kind": "permanent", "code": "no_text_files", "message": "There is not one text file to index."}
    analysis.say("processing.stage.failed", "index", duration=0.1, **why)
    analysis.say("repository.processing.failed", "index", **why)

    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The analysis failed")
    expect(notice).to_contain_text("There is not one text file to index.")
    expect(notice).to_contain_text("no_text_files")
    page.evaluate(MOST_AT_ONCE)
    page.get_by_role("button", name="Retry what failed").click()
    expect(notice).to_be_hidden()
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
    assert page.evaluate("window.most") == 1  # while the page is drawn without the notice
    expect(page.locator(".link.live")).to_be_visible()
    analysis.run("embed", counts={"vectors": 7})
    expect(row(page, "embed")).to_contain_text("7 vectors")


def test_cancelling_stops_it_and_says_so_and_a_refusal_is_told(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    watch(page, analysis)
    api.refused["POST", "/cancel"] = busy()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Try again in 7 seconds.")
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("rate_limited")
    api.refused.clear()
    page.get_by_role("button", name="Cancel").click()

    expect(page.locator(".headline")).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(row(page, "index")).to_contain_text("not reached")


def test_partial_success_is_named_and_the_files_can_be_listed(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    samples.become_answerable(analysis)
    samples.become_ready(analysis, failed={"parser_timeout": 3})
    analysis.left_out = [{"path": f"src/bad-{n}.py", "failed": "parser_timeout", "size": 900} for n in range(250)]
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.get_by_text("3 of 262 files are not in the index")).to_be_visible()
    expect(page.locator(".rs-pill")).to_have_text("ready in part")
    page.get_by_text("List the files").click()
    expect(page.locator(".rs-files tbody tr")).to_have_count(200)
    expect(page.locator(".rs-files")).to_contain_text("Parsing took too long")
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".rs-files tbody tr")).to_have_count(250)


def test_files_that_were_read_in_another_way_are_counted_and_listed_by_their_reason(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    analysis.view["outcomes"] = {"parsed": 200, "parsed.syntax_errors": 2, "lines.no_grammar": 62}
    analysis.view["damaged"] = ["edges 2: The artifact edges/gone.parquet is not in the object store."]
    analysis.left_out.append({"path": "src/broken.py", "size": 900, "outcome": "parsed", "errors": 12})
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.locator(".rs-fact")).to_have_text(["200 parsed", "62 read as plain text", "14 left out"])
    expect(page.locator(".rs-table").first).to_contain_text("Syntax errors2parsed as far as possible")
    expect(page.locator(".rs-notice.rs-warn")).to_contain_text("edges/gone.parquet is not in the object store")
    page.get_by_text("List the files").click()
    expect(page.locator(".rs-files tbody tr")).to_have_count(10)
    which = page.get_by_role("combobox", name="Which files")
    which.evaluate("field => field.scrollIntoView({ block: 'center' })")  # an open list closes when the page scrolls
    which.click()
    page.get_by_role("option").filter(has_text="Syntax errors: parsed as far as possible").click()
    expect(page.locator(".rs-files tbody tr")).to_have_count(1)
    expect(page.locator(".rs-files")).to_contain_text("src/broken.pySyntax errors (12)")


def test_a_host_that_is_slow_keeps_nothing_of_the_page_waiting(page: Page, api: StandIn) -> None:
    analysis, answered = samples.complete(api), threading.Event()
    told = {"analysis_id": analysis.id, "standing": "behind", "ref": None, "commit": samples.COMMIT, "newest": "c" * 40}

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(answered.wait)
        answer = told | {"behind_by": 12, "checked_at": datetime.now(UTC).isoformat()}
        await JSONResponse(answer)(scope, receive, send)

    api.refused["GET", "/staleness"] = host
    page.goto(f"/analysis?analysis={analysis.id}")
    try:
        expect(page.get_by_role("button", name="Ask about it")).to_be_visible(timeout=10_000)
        expect(row(page, "clone")).to_have_class("row completed")
        expect(page.get_by_role("button", name="Refresh", exact=True)).to_have_count(0)
    finally:
        answered.set()
    expect(page.get_by_role("button", name="Refresh", exact=True)).to_be_visible()


def test_what_was_cancelled_is_begun_again_with_all_that_was_asked_for(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    analysis.view |= {"ref": "main", "folder": "src", "include": ["vendor/"], "history_depth": 200}
    page.goto(f"/analysis?analysis={analysis.id}")
    expect(page.get_by_role("button", name="Analyse again")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()
    api.begun.clear()
    page.get_by_role("button", name="Analyse again").click()

    page.wait_for_url(lambda url: analysis.id not in url and "analysis=" in url)
    wanted = ("url", "ref", "folder", "include", "history", "after")
    assert [[body[name] for name in wanted] for body in api.begun] == [
        [analysis.view["url"], "main", "src", ["vendor/"], 200, analysis.id]
    ]


def test_the_commit_is_named_with_its_branch_its_date_and_its_subject(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    head = {"ref": "main", "default_branch": "main", "authored_at": "2026-01-02T03:04:05Z", "subject": "Mend <b>it</b>"}
    analysis.view["head"] = head
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.locator(".rs-facts").first).to_contain_text("main")
    expect(page.locator(".rs-list")).to_contain_text("2026-01-02 · Mend <b>it</b>")


def test_the_summary_says_what_was_found(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/analysis?analysis={analysis.id}")

    for text in (
        "Python 66.2 %",
        "BSD-3-Clause",
        "15 dependencies: werkzeug",
        "262 files, 1,846 symbols, 1,240 chunks",
    ):
        expect(page.locator(".stMain")).to_contain_text(text)
    expect(page.locator(".headline")).to_have_text("Complete")
    expect(page.locator(".mark.reached")).to_have_count(3)
