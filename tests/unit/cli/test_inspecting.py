"""What `repostream events state|diff|timeline|graph` print."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.events import stream_of
from cli.inspecting import change_line, graph_lines, moment, moment_lines, timeline_lines
from runtime.client import ApiError
from runtime.client.shapes import (
    CauseView,
    ChangeView,
    ElsewhereView,
    MomentsView,
    MomentView,
    RunView,
    StageTime,
    TimelineView,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_time_without_a_zone_is_of_this_machine_and_what_is_no_time_is_refused() -> None:
    assert moment(None) is None
    assert moment("2026-03-01T12:00:00Z") is not None
    assert datetime.fromisoformat(moment("2026-03-01T12:00:00") or "").tzinfo is not None
    with pytest.raises(ApiError) as refused:
        moment("yesterday")
    assert refused.value.problem.code == "bad_moment"


def test_an_id_alone_is_an_analysis() -> None:
    assert stream_of("1") == "analysis/1"
    assert stream_of("conversation/1") == "conversation/1"


def test_each_change_is_one_line() -> None:
    changes = [
        ChangeView(path="/state", kind="changed", before="running", after="ready"),
        ChangeView(path="/code", kind="added", before=None, after="x" * 200),
        ChangeView(path="/old", kind="removed", before=1, after=None),
    ]
    lines = [change_line(change).plain for change in changes]

    assert lines[0] == '~ /state  "running" → "ready"'
    assert lines[1].startswith('+ /code  "xxx')
    assert len(lines[1]) < 120
    assert lines[2] == "- /old  1"


def test_a_moment_says_why_and_how_the_analysis_stood_from_then_on() -> None:
    first = MomentView(at=AT, stream_id="repository/1", version=1, event_type="repository.registered")
    ready = MomentView(
        at=AT + timedelta(seconds=5),
        stream_id="analysis/2",
        version=9,
        event_type="repository.processing.completed",
        analysis_id="2",
        state="ready",
        commit="c" * 40,
    )
    told = MomentsView(stream_id="repository/1", items=[first, ready], analyses_left_out=3)

    assert [text.plain for text in moment_lines(told)] == [
        "2026-01-01T00:00:00+00:00  repository.registered",
        f"2026-01-01T00:00:05+00:00  repository.processing.completed  2  ready  {'c' * 10}",
        "3 older analyses are not among them",
    ]


def test_waiting_is_drawn_apart_from_working() -> None:
    run = RunView(
        stage="parse",
        shard=3,
        attempt=2,
        outcome="failed",
        requested_at=AT,
        started_at=AT + timedelta(seconds=5),
        ended_at=AT + timedelta(seconds=10),
        waited=5,
        worked=5,
        requested_in=1,
        started_in=2,
        ended_in=3,
        worker="w",
        code="timeout",
        because="",
    )
    stage = StageTime(stage="parse", runs=1, waited=5, worked=5, longest_wait=5, longest_run=5)
    told = TimelineView(
        stream_id="analysis/1", at=AT, began_at=AT, last_at=AT + timedelta(seconds=10), stages=[stage], runs=[run]
    )
    line, total = [text.plain for text in timeline_lines(told)]
    [nothing] = timeline_lines(told.model_copy(update={"runs": [], "stages": []}))
    assert nothing.plain.startswith("This stream has no runs")

    assert line.startswith("parse[3] try 2")
    assert "·" * 20 + "█" * 20 in line
    assert "waited 5.00 s, worked 5.00 s  failed: timeout" in line
    assert total == "parse: 1 runs, waited 5.00 s (longest 5.00), worked 5.00 s (longest 5.00)"


def test_each_event_stands_below_its_cause() -> None:
    def one(version: int, cause: int, *, outside: bool = False) -> CauseView:
        return CauseView(
            version=version, event_type="x", stage="", shard=0, timestamp=AT, cause=cause, depth=0, from_outside=outside
        )

    lines = [text.plain for text in graph_lines([one(1, 0), one(2, 1), one(3, 0, outside=True), one(4, 2), one(5, 1)])]
    assert lines == [
        "   1 x",
        "     2 x",
        "       4 x",
        "     5 x",
        "   3 x  (its cause is in another stream)",
    ]
    there = ElsewhereView(stream_id="analysis/a", version=1, event_type="y")
    known = [one(1, 0, outside=True).model_copy(update={"elsewhere": there}), one(2, 0)]
    renewed = there.model_copy(update={"stream_id": "analysis/c"})
    known[1] = known[1].model_copy(update={"about": "analysis/b", "led_to": [renewed]})
    assert [text.plain for text in graph_lines(known)] == [
        "   1 x  (because of 1 y of analysis/a)",
        "   2 x  (about analysis/b, led to 1 y of analysis/c)",
    ]
