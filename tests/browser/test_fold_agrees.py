"""The timeline's fold in the browser and the API's read model say the same of the same events."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page

from events import processing as facts
from events.base import LOCAL_TENANT, Envelope, Event, derived_id
from events.replay.choosing import Chosen, wants
from orchestrator.projections.analyses import fold
from orchestrator.projections.stages import view_of
from tests.support.api_stand_in import STAGES

pytestmark = pytest.mark.browser
ID = UUID(int=7)
BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COMPARED = ("state", "shards", "shards_done", "attempt", "files_processed", "counts", "code", "message")
TIMES = ("started_at", "ended_at", "retry_at")
FOLD = Path("web_ui/components/fold.js").read_text("utf-8")
LIST = Path("web_ui/components/event_list.js").read_text("utf-8")
CHOOSE = """told => {
  const [events, wanted] = JSON.parse(told);
  return JSON.stringify(wanted.map(one => events.map(event => matches(event, {
    ...one, words: wordsOf(one.text), since: Date.parse(one.since), until: Date.parse(one.until),
  }))));
}"""
# As text: what Playwright carries over value by value takes it longer than all the rest.
RUN = """histories => JSON.stringify(JSON.parse(histories).map(events => {
  const fold = newFold();
  for (const event of events) take(fold, event);
  return { state: fold.state, ended: fold.ended, version: fold.version, stages: Object.fromEntries(viewsOf(fold)) };
}))"""


def a_history(seed: int) -> list[Envelope]:
    """Any events in any order: sensible, stale, repeated attempts, cancelled and retried ones."""
    dice = random.Random(seed)
    events: list[Event] = [facts.ProcessingRequested(analysis_id=ID, url="https://github.com/o/r")]
    events.extend(an_event(dice) for _ in range(dice.randrange(3, 60)))
    return [
        Envelope(
            event_id=derived_id(seed, version),
            event_type=event.event_type,
            stream_id=f"analysis/{ID}",
            version=version,
            tenant_id=LOCAL_TENANT,
            repository_id=ID,
            correlation_id=ID,
            timestamp=BEGAN + timedelta(milliseconds=version * dice.choice((1, 250, 1_000))),
            data=event.model_dump(mode="json"),
        )
        for version, event in enumerate(events, 1)
    ]


def an_event(dice: random.Random) -> Event:
    run: dict[str, Any] = {"run_id": ID, "stage": dice.choice(STAGES[:6]), "shard": dice.randrange(3)}
    run["attempt"] = dice.choice((1, 1, 1, 2))
    why: dict[str, Any] = {"kind": "transient", "code": "worker_lost", "message": "The worker went away."}
    totals: dict[str, Any] = {"commit": "c", "totals": {}, "skipped": {}, "failed": {}, "duration": 1.0}
    counts = {"symbols": dice.randrange(9), "chunks": 3}
    likely = (
        facts.StageRequested(**run, analysis_id=ID, shards=3, url="u"),
        facts.StageStarted(**run, worker="w"),
        facts.StageCompleted(**run, shards=3, duration=1.0, files_processed=dice.randrange(9), counts=counts),
        facts.StageFailed(**run, shards=3, **why),
        facts.RetryScheduled(**run, due_at=BEGAN + timedelta(seconds=dice.randrange(90))),
        facts.StageParked(**run, shards=3, deliveries=3, message="It killed its worker."),
    )
    rare = (
        facts.ProcessingStarted(url="u", commit="c", ref="main", size=1, file_count=1, skipped_count=0),
        facts.ProcessingCompleted(**totals),
        facts.ProcessingRefined(duration=1.0),
        facts.ProcessingFailed(stage=facts.Stage.CLONE, **why),
        facts.ProcessingCancelled(reason="asked"),
        facts.CancelRequested(),
        facts.RetryRequested(),
        facts.ProcessingEstimated(files=1, bytes=1, over=dice.choice(((), ("files",)))),
        facts.ProcessingConfirmed(),
    )
    return dice.choice(likely if dice.random() < 0.85 else rare)


def test_the_browser_and_the_read_model_agree_on_any_history(page: Page) -> None:
    histories = [a_history(seed) for seed in range(400)]
    page.add_script_tag(content=FOLD)
    told = json.dumps([[event.model_dump(mode="json") for event in history] for history in histories])
    found = json.loads(page.evaluate(RUN, told))

    for seed, (history, browser) in enumerate(zip(histories, found, strict=True)):
        record = fold(history)
        assert record is not None
        view = view_of(record)
        assert (browser["state"], browser["version"]) == (view.state, view.version), seed
        assert moment(browser["ended"]) == view.ended_at, seed
        for stage in view.stages:
            drawn = browser["stages"].get(stage.stage)
            if drawn is None:
                assert stage.state == "waiting"
                continue
            said = stage.model_dump(mode="json")
            assert {name: drawn[name] for name in COMPARED} == {name: said[name] for name in COMPARED}, seed
            assert [moment(drawn[name]) for name in TIMES] == [getattr(stage, name) for name in TIMES], seed


def test_the_page_and_the_api_choose_the_same_events(page: Page) -> None:
    events = [event for seed in range(120) for event in a_history(seed)]
    events += [said({"query": "Where is the COOKIE set? Straße, İ"}), said({"response_time": 3.0, "of": [1.5, -0.0]})]
    at, text = (
        BEGAN + timedelta(seconds=2),
        ("", "worker_lost parse", "cookie", "straße", '"shard":2', "3.0", '_time":3'),
    )
    wanted = [Chosen(text=words) for words in text]
    wanted += [Chosen(since=at), Chosen(until=at), Chosen(since=at, until=at + timedelta(seconds=1), text="stage")]
    wanted += [
        Chosen(types=("timer.fired",)),
        Chosen(types=("processing.stage.failed",), stages=("parse",), text="LOST"),
    ]
    page.add_script_tag(content=LIST)
    shown = [
        {
            "type": "".join(chosen.types),
            "stage": "".join(chosen.stages),
            "text": chosen.text,
            "since": chosen.since and chosen.since.isoformat(),
            "until": chosen.until and chosen.until.isoformat(),
        }
        for chosen in wanted
    ]
    told = json.dumps([[event.model_dump(mode="json") for event in events], shown])

    assert json.loads(page.evaluate(CHOOSE, told)) == [[wants(chosen, event) for event in events] for chosen in wanted]
    none = [chosen for chosen in wanted if not any(wants(chosen, event) for event in events)]
    assert none == [Chosen(text="3.0"), Chosen(types=("timer.fired",))]


def said(data: dict[str, Any]) -> Envelope:
    """An event of a conversation."""
    known: dict[str, Any] = {"event_type": "ai.query.requested", "stream_id": "conversation/c", "version": 1}
    known |= {"event_id": ID, "tenant_id": LOCAL_TENANT, "correlation_id": ID, "timestamp": BEGAN}
    return Envelope(**known, data=data)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
