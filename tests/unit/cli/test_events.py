"""Which events `repostream events show` and `tail` print."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli import events
from cli.api import refusal
from cli.events import Wanted, run_show, run_tail
from runtime.client import ApiError, ServerSent
from runtime.client.shapes import Envelope, EventPage

AT = datetime(2026, 3, 1, tzinfo=UTC)


def an_event(seq: int, type_: str = "processing.stage.completed", **data: object) -> Envelope:
    known = {"event_id": str(seq), "stream_id": "analysis/1", "tenant_id": "t", "correlation_id": "c"}
    at = AT + timedelta(seconds=seq)
    return Envelope.model_validate(
        {**known, "event_type": type_, "version": seq, "seq": seq, "timestamp": at, "data": data}
    )


FAILED = "processing.stage.failed"
PAST = [
    an_event(1, FAILED, stage="parse", message="out of memory"),
    *(an_event(n, stage="embed") for n in range(2, 40)),
]
LATER = [an_event(40, stage="parse"), an_event(41, FAILED, stage="parse", message="Out of Memory, again")]


class Api:
    """A log that grows by `LATER` once its past was read, and whose orchestrator then goes for good."""

    def __init__(self) -> None:
        self.looks = 0

    def events_listed(self, **wanted: Any) -> EventPage:
        if wanted.get("latest"):
            found = [one for one in PAST if wanted.get("type") in {None, one.event_type}]
            return EventPage(items=(found + LATER if wanted["limit"] > 1 else found)[-wanted["limit"] :])
        self.looks += 1
        if self.looks > 1:
            raise refusal("forbidden", "Ask for another role.")
        return EventPage(items=[one for one in PAST + LATER if (one.seq or 0) > wanted["after"]])

    @contextmanager
    def events_live(self, **_wanted: Any) -> Iterator[Sequence[ServerSent]]:
        self.looks += 1
        if self.looks > 1:
            raise refusal("forbidden", "Ask for another role.")
        told = [ServerSent("milestone", one.model_dump(mode="json"), str(one.version)) for one in PAST + LATER]
        yield [ServerSent("heartbeat", {}, None), *told]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(events, "connect", lambda: made)
    monkeypatch.setattr("cli.events.time.sleep", lambda _seconds: None)
    return made


def printed(capsys: pytest.CaptureFixture[str]) -> list[int]:
    return [json.loads(line)["version"] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("stream", ["1", None])
@pytest.mark.parametrize(
    ("wanted", "versions"),
    [
        (Wanted(type=FAILED), [1, 41]),
        (Wanted(stage="parse"), [1, 40, 41]),
        (Wanted(type=FAILED, text="memory AGAIN"), [41]),
        (Wanted(text="nowhere"), []),
    ],
)
def test_a_tail_has_what_is_wanted_of_what_was_and_of_what_comes_once(
    stream: str | None, wanted: Wanted, versions: list[int], api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ApiError):
        run_tail(stream, wanted, as_json=True)

    found = printed(capsys)
    assert found == [one for one in versions if one > 1 or stream or wanted.type]  # of all, the first is long past
    assert api.looks == 2


def test_of_all_the_last_twenty_come_first_and_nothing_twice(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ApiError):
        run_tail(None, Wanted(), as_json=True)

    assert printed(capsys) == [*range(22, 42)]


def test_of_all_streams_each_event_names_its_own(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    for stream in (None, "1"):
        with pytest.raises(ApiError):
            run_tail(stream, Wanted(type=FAILED), as_json=False)
        said = capsys.readouterr().out
        assert ("analysis/1" in said) == (stream is None)
        assert "out of memory" in said
        api.looks = 0


def test_what_is_wanted_of_all_streams_is_asked_for_page_by_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    class Pages:
        def events_listed(self, **wanted: Any) -> EventPage:
            asked.append(wanted)
            return EventPage(items=PAST[:1], next=None if wanted["cursor"] else "more")

    monkeypatch.setattr(events, "connect", Pages)

    run_show(None, Wanted(type=FAILED, since="2026-03-01T00:00:00+00:00"), as_json=True)

    assert len(json.loads(capsys.readouterr().out)) == 2
    assert [(each["stream_id"], each["type"], each["cursor"]) for each in asked] == [
        (None, FAILED, None),
        (None, FAILED, "more"),
    ]
