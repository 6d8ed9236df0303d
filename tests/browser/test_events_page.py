import json
import re
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import StandIn
from tests.support.stand_in_streams import frame

pytestmark = pytest.mark.browser


def _asked(page: Page, name: str) -> str:
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


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
    expect(page.locator(".point")).to_contain_text(f"Event {len(analysis.events)} of {len(analysis.events)}")
    expect(page.locator(".changes")).to_contain_text("stages / parse / runs / 0 / state")
    api.drop()
    samples.parse_shard(analysis, 1)
    expect(page.locator("details.event")).to_have_count(len(analysis.events))


def test_what_is_said_in_a_conversation_appears_as_it_happens(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    repository = str(analysis.view["repository_id"])
    talk = api.stream("conversation", api.begun_talk(repository), repository)
    talk.say("conversation.started", repository_id=repository, title="Talk")
    page.goto(f"/events?analysis={analysis.id}&stream={talk.stream_id}")
    expect(page.locator(".total")).to_have_text("1 event · live")
    page.locator("details.event summary").click()
    asked = {"question_id": str(uuid4()), "repository_id": repository, "query": "Where is the router?"}
    talk.say("ai.query.requested", **asked, mode="answer")

    expect(page.locator("details.event")).to_have_count(2)
    expect(page.locator(".point")).to_contain_text("Event 1 of 2")  # the one that was pressed
    assert _asked(page, "at") == "1"
    page.get_by_label("The newest event").click()
    expect(page.locator(".point")).to_contain_text("Event 2 of 2")
    expect(page.locator(".changes")).to_contain_text(f"questions / {asked['question_id']}")
    api.drop()
    talk.say("ai.query.failed", **asked, code="answer_stopped", message="Somebody stopped this answer.")
    expect(page.locator("details.event")).to_have_count(3)
    page.reload()
    expect(page.locator(".total")).to_have_text("3 events · live")
    assert page.locator(".event .version").all_text_contents() == ["1", "2", "3"]


def test_a_filter_shows_only_what_matches_and_stands_in_the_address(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/events?analysis={analysis.id}")
    page.get_by_label("Filter events").fill("completed embed")

    expect(page.locator("details.event")).to_have_count(4)
    expect(page.locator(".total")).to_have_text(f"4 of {len(analysis.events)} events · live")
    page.get_by_label("Filter events").fill("")
    expect(page.locator("details.event")).to_have_count(len(analysis.events))
    page.get_by_label("Stage", exact=True).select_option("link")
    page.get_by_label("Type of event").select_option("processing.stage.started")
    expect(page.locator("details.event")).to_have_count(1)
    page.reload()
    expect(page.locator("details.event")).to_have_count(1)
    expect(page.locator("details.event")).to_contain_text("link")
    page.get_by_label("Stage", exact=True).select_option("")
    page.get_by_label("Type of event").select_option("")
    page.get_by_label("Filter events").fill("4100000 PALLETS")  # the size, which no summary has
    expect(page.locator("details.event")).to_have_count(1)
    page.get_by_label("Filter events").fill("")
    page.get_by_label("Before", exact=True).fill("2100-01-01T00:00:00")
    expect(page.locator("details.event")).to_have_count(len(analysis.events))
    page.get_by_label("Not before").fill("2099-01-01T00:00:00")
    expect(page.get_by_text("No event is like that.")).to_be_visible()
    assert _asked(page, "since").startswith(("2098-12-31T", "2099-01-01T"))
    page.reload()
    expect(page.get_by_label("Not before")).to_have_value(re.compile("2099-01-01T00:00"))
    page.get_by_label("Not before").fill("")
    expect(page.locator("details.event")).to_have_count(len(analysis.events))
    page.get_by_label("Filter events").fill("nothing is like this")
    expect(page.get_by_text("No event is like that.")).to_be_visible()


def test_a_long_history_is_complete_and_drawn_in_pieces(page: Page, api: StandIn) -> None:
    analysis = samples.running(api)
    for shard in range(600):
        analysis.say("processing.stage.requested", "embed", shard=shard, shards=600)
    asked = _pages_asked_for(page)
    page.goto(f"/events?analysis={analysis.id}")

    expect(page.locator(".total")).to_contain_text(f"{len(analysis.events)} events")
    expect(page.locator("details.event")).to_have_count(300)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("details.event")).to_have_count(600)
    assert asked == ["500", "500"]  # once, by the component itself: a script run asks for one event alone


def _pages_asked_for(page: Page) -> list[str]:
    """How many events were asked for, each time that the browser asked for some."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/events?stream" in request.url:
            asked.extend(parse_qs(urlsplit(request.url).query)["limit"])

    page.on("request", note)
    return asked


def test_what_cannot_be_loaded_of_a_history_is_said(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    for shard in range(600):
        analysis.say("processing.stage.requested", "embed", shard=shard, shards=600)
    page.route(re.compile(r"/events(/live)?\?.*(cursor|after=5)"), lambda route: route.abort())
    page.goto(f"/events?analysis={analysis.id}")

    expect(page.locator(".total")).to_contain_text("what came after event 500 could not be loaded: ")
    page.unroute_all()
    page.reload()
    expect(page.locator(".total")).to_have_text(f"{len(analysis.events)} events · live")


def test_a_cause_in_another_stream_is_a_link_to_that_event_and_back(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    repository = str(analysis.view["repository_id"])
    talk = api.stream("conversation", api.begun_talk(repository), repository)
    talk.say("conversation.started", repository_id=repository, title="Talk")
    asked = {"question_id": str(uuid4()), "repository_id": repository, "query": "Where is the router?"}
    talk.say("ai.query.requested", **asked, mode="answer")
    analysis.events[0]["causation_id"] = talk.events[0]["event_id"]
    page.goto(f"/events?analysis={analysis.id}&at=1")
    page.get_by_role("link", name=f"1 conversation started of {talk.stream_id}").click()

    page.wait_for_url(re.compile(rf"stream=conversation(/|%2F){talk.stream_id.partition('/')[2]}"))
    expect(page.locator(".point")).to_contain_text("conversation.started")
    page.get_by_role("link", name=f"1 processing requested of analysis/{analysis.id}").click()
    page.wait_for_url(re.compile(rf"stream=analysis(/|%2F){analysis.id}"))
    expect(page.locator(".why")).to_contain_text(f"Because of 1 conversation started of {talk.stream_id}")


def test_somebody_travels_through_the_history_and_shares_the_point(page: Page, api: StandIn) -> None:
    """Slider, keys, list, causes and whole state name the same point; the address has it, also after a reload."""
    analysis = samples.complete(api)
    page.goto(f"/events?analysis={analysis.id}")
    slider = page.get_by_label("Which event is looked at")
    expect(page.locator(".point")).to_contain_text(f"Event {len(analysis.events)} of {len(analysis.events)}")
    expect(page.locator(".changes")).to_contain_text("ready → refined")

    slider.fill("4")
    expect(page.locator(".point")).to_contain_text(f"Event 4 of {len(analysis.events)}")
    expect(page.locator(".changes")).to_contain_text("running → completed")
    expect(page.locator("details.event.here .version")).to_have_text("4")
    expect(page.locator("details.event.later")).to_have_count(len(analysis.events) - 4)
    assert _asked(page, "at") == "4"
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(page.locator(".travel .zone")).to_have_text(f"in {zone}")
    assert violations(page) == []
    page.get_by_label("The event before").click()
    expect(page.locator(".point")).to_contain_text("Event 3")
    expect(page.locator(".changes")).to_contain_text("queued → running")
    page.get_by_text("The whole state at this point").click()
    expect(page.locator(".whole pre")).to_contain_text('"clone"')
    shown = json.loads(page.locator(".whole pre").text_content() or "")
    assert shown["stages"]["clone"]["runs"]["0"]["state"] == "running"
    page.locator(".why .chip").first.click()
    expect(page.locator(".point")).to_contain_text("Event 2")

    page.reload()
    expect(page.locator(".point")).to_contain_text("Event 2")
    slider.fill("0")
    expect(page.locator(".changes")).to_contain_text("Nothing is there yet.")
    time = page.get_by_label("Go to a time")
    time.fill("2031-01-01T00:00:00")
    expect(page.locator(".point")).to_contain_text(f"Event {len(analysis.events)} of")
    expect(time).to_have_value(re.compile("^2031-01-01"))  # nobody writes over what is being typed
    time.blur()
    expect(time).not_to_have_value(re.compile("^2031"))
    expect(page.locator(".point")).to_contain_text(time.input_value()[:10])
    page.get_by_label("Go to a time").fill("2001-01-01T00:00:00")
    expect(page.locator(".point")).to_contain_text("Event 0 of")
    page.get_by_label("The newest event").click()
    expect(page.locator(".point")).to_contain_text(f"Event {len(analysis.events)} of")
    assert _asked(page, "at") == ""


def test_somebody_looks_at_a_repository_with_its_analyses_as_it_was(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    repository = str(analysis.view["repository_id"])
    stream = api.stream("repository", repository, repository)
    stream.say("repository.registered", url=analysis.view["url"], host="github.com", name="pallets/flask")
    stream.events[0]["timestamp"] = analysis.view["requested_at"]
    page.goto(f"/events?analysis={analysis.id}&stream={stream.stream_id}")

    expect(page.locator(".point")).to_contain_text(re.compile(r"Moment (\d+) of \1 .*repository.processing.refined"))
    expect(page.locator(".changes")).to_contain_text("ready → refined")
    expect(page.locator(".total")).to_contain_text("moments")
    expect(page.get_by_role("tab", name="Causes")).to_be_hidden()
    ready = page.locator("details.event", has_text="repository.processing.completed")
    expect(ready).to_contain_text(f"analysis {analysis.id[:8]} · ready · commit {samples.COMMIT[:10]}")
    ready.locator("summary").click()
    expect(page.locator(".changes")).to_contain_text(f"analyses / {analysis.id} / state")
    expect(page.locator(".changes")).to_contain_text("→ ready")
    page.get_by_text("The whole state at this point").click()
    expect(page.locator(".whole pre")).to_contain_text('"state": "ready"')
    at, point = _asked(page, "at"), page.locator(".point").text_content() or ""
    assert at.startswith("20")
    stream.say("repository.registered", url=analysis.view["url"], host="github.com", name="flask")
    stream.events[-1]["timestamp"] = "2020-01-01T00:00:00Z"  # a moment more before it: the number is another one
    page.reload()
    expect(page.locator(".point")).to_contain_text(point.partition(" of ")[2].partition(" ")[2])
    expect(page.locator(".point")).not_to_contain_text(point)
    page.get_by_label("Which event is looked at").fill("0")
    expect(page.locator(".changes")).to_contain_text("Nothing is there yet.")
    assert violations(page) == []

    page.get_by_label("The newest event").click()
    expect(page.locator(".total")).to_contain_text("live")
    analysis.say("repository.processing.cancelled", reason="enough")
    stream.streams.send(frame("grown", {}))
    expect(page.locator(".point")).to_contain_text(re.compile(r"Moment (\d+) of \1 .*cancelled"))


def test_timeline_and_causes_are_pictures_that_can_be_pressed(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.goto(f"/events?analysis={analysis.id}")
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".times tbody tr")).to_have_count(10)
    expect(page.locator(".times")).to_contain_text("parse")
    canvas = page.locator("canvas:visible")
    _until_drawn(page, canvas)
    assert _asked(page, "view") == "timeline"
    expect(page.locator(".times tbody tr").first).to_contain_text("3.2 s")  # the clone's work
    assert violations(page) == []

    page.get_by_role("tab", name="Timeline").press("ArrowRight")
    expect(page.get_by_role("tab", name="Causes")).to_have_attribute("aria-selected", "true")
    _until_drawn(page, page.locator("canvas:visible"))
    box = page.locator("canvas:visible").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 4, box["y"] + 4)  # the first of all causes stands at the top left
    expect(page.locator(".point")).to_contain_text("Event 1 of")
    expect(page.locator(".why")).to_contain_text("led to")
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("tab", name="Causes")).to_have_attribute("aria-selected", "true")


_COLOURS = """c => new Set(new Uint32Array(
  c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size"""


def _until_drawn(page: Page, canvas: Locator) -> None:
    """Something other than emptiness is on the canvas."""
    expect(canvas).to_be_visible()
    for _ in range(100):
        if canvas.evaluate(_COLOURS) > 3:
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing was drawn")


def test_a_point_that_cannot_be_had_is_said_and_the_phone_has_no_sideways_scroll(page: Page, api: StandIn) -> None:
    analysis = samples.complete(api)
    page.set_viewport_size({"width": 360, "height": 740})
    page.route(re.compile("/events/state"), lambda route: route.fulfill(status=503, json={"detail": "Try again soon."}))
    page.goto(f"/events?analysis={analysis.id}")

    expect(page.locator(".changes")).to_contain_text("This point cannot be shown: Try again soon.")
    for tab in ("Timeline", "Causes", "Events"):
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"/events?analysis={analysis.id}&stream=conversation/{uuid4()}")
    expect(page.get_by_text("Nothing has happened here yet.")).to_be_visible()
