import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from cli.ask import citation_lines
from cli.events import summary_of
from cli.progress import Progress, draw, going_on, pace_of, percent_of, roughly, summary_lines
from runtime.client.shapes import AnalysisView, Citation
from tests.support.replies import a_question, an_analysis

_NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def _a_stage(stage: str, state: str, **more: object) -> dict[str, object]:
    return {"stage": stage, "state": state, "shards": 1, "shards_done": 0, **more}


def _a_view(*stages: dict[str, object], **more: object) -> AnalysisView:
    given: dict[str, Any] = {"state": "running", "commit": "a" * 40, "stages": list(stages)}
    return an_analysis(**given | more)


@pytest.mark.parametrize(
    ("state", "shards", "done", "ticks", "percent"),
    [
        ("waiting", 0, 0, [], None),
        ("queued", 4, 0, [], None),
        ("running", 4, 0, [], 0),
        ("running", 4, 1, [{"done": 50, "total": 100}], 37),
        ("running", 4, 1, [{"done": 100, "total": 100}, {"done": 1, "total": 0}], 25),
        ("running", 1, 0, [{"done": 999, "total": 1000}], 99),
        ("running", 1, 1, [], 99),
        ("completed", 4, 4, [], 100),
    ],
)
def test_percent_counts_shards_and_what_the_running_ones_say(
    state: str, shards: int, done: int, ticks: list[dict[str, int]], percent: int | None
) -> None:
    assert percent_of(state, shards, done, ticks) == percent


def test_a_running_stage_shows_its_file_and_its_time_until_now() -> None:
    progress = Progress(_a_view(_a_stage("parse", "running", shards=4, started_at="2026-01-01T00:00:30Z")))
    progress.tick({"stage": "parse", "shard": 2, "done": 1, "total": 2, "current": "src/app.py"})

    (row,) = progress.rows(_NOW)

    assert (row.shards, row.percent, row.current, row.seconds) == ("0/4", 12, "src/app.py", 30.0)


def test_a_stage_says_what_its_shards_measure_together_and_what_is_left_at_that_pace() -> None:
    work = {"unit": "files", "total": 100, "share": 0.5, "rate": 40.0, "left": 10.0}

    assert pace_of(1, 0, [{**work, "done": 30}]) == "40 files/s, about 10 s left"
    assert pace_of(4, 1, [{**work, "done": 30}, {**work, "done": 50}]) == "80 files/s, about 20 s left"
    fresh = {"unit": "files", "done": 0, "total": 100}
    assert pace_of(4, 2, [{**work, "done": 30}, fresh]) == "80 files/s, about 15 s left"
    hangs = {**fresh, "done": 9, "rate": 0.0, "left": None}
    assert pace_of(4, 2, [{**work, "done": 30}, hangs]) == "40 files/s, about 30 s left"
    assert pace_of(4, 2, [{**work, "done": 3, "rate": 2.34, "left": None}]) == "2.3 files/s"
    assert pace_of(4, 1, [fresh, {"unit": "files", "done": 9, "total": 9, "rate": 3.0, "left": 1.0}]) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "5 s"), (12.0, "10 s"), (89, "90 s"), (95, "2 min"), (5_000, "83 min"), (7_200, "2.0 h")],
)
def test_a_time_to_wait_is_no_more_exact_than_it_is_known(seconds: float, said: str) -> None:
    assert roughly(seconds) == said


def test_what_an_event_says_something_newer_of_is_no_longer_at_work() -> None:
    progress = Progress(_a_view(_a_stage("parse", "running", shards=4)))
    progress.tick(
        {"stage": "parse", "shard": 0, "done": 1, "total": 2, "current": "a.py", "unit": "files", "rate": 9.0}
    )
    told = {"stage": "parse", "shard": 0}
    progress.milestone({"event_type": "processing.stage.started", "data": told})
    (before,) = progress.rows(_NOW)
    progress.milestone({"event_type": "processing.stage.failed", "data": told})
    (after,) = progress.rows(_NOW)

    assert (before.pace, before.current) == ("9.0 files/s", "a.py")
    assert (after.pace, after.current) == ("", "")


def test_the_table_names_each_stage_and_why_one_failed() -> None:
    view = _a_view(
        _a_stage("clone", "completed", duration=1.25, ended_at="2026-01-01T00:00:02Z"),
        _a_stage("parse", "failed", message="out of disk"),
    )
    console = Console(file=io.StringIO(), width=100)

    console.print(draw(Progress(view), _NOW))

    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "flask @ aaaaaaaaaa" in text
    assert "✓ clone" in text
    assert "1.2 s" in text
    assert "✗ parse" in text
    assert "out of disk" in text


def test_the_summary_tells_what_was_left_out_and_why() -> None:
    lines = summary_lines(
        _a_view(
            commit="c0ffee" * 6,
            head={"ref": "main", "authored_at": "2026-01-02T03:04:05Z", "subject": "Mend it"},
            totals={"files": 1204, "symbols": 9, "lines.no_grammar": 146, "reused": 0},
            languages={"Go": 3, "C": 5},
            outcomes={"parsed": 83, "parsed.syntax_errors": 2, "lines.no_grammar": 146, "failed.parser_timeout": 1},
            reused={"files": 1180, "of": 1204, "percent": 98},
            skipped={"binary": 2},
            failed={"parser_timeout": 1},
            damaged=["edges 2: It is gone."],
        )
    )

    assert lines == [
        "Commit c0ffeec0ff (main, 2026-01-02): Mend it",
        "1,204 files, 9 symbols",
        "Languages: C 5, Go 3",
        "Parsed: 83 (2 with syntax errors); as plain text: no_grammar 146; failed: parser_timeout 1",
        "Reused: 98 % (1,180 of 1,204 files unchanged)",
        "Left out: binary 2",
        "Failed: parser_timeout 1",
        "Could not be loaded: edges 2: It is gone.",
    ]


def test_the_summary_keeps_no_reason_back_and_says_how_many_languages_it_does() -> None:
    reasons = {f"reason_{letter}": 1 for letter in "abcdefghijklmnop"}

    lines = summary_lines(_a_view(skipped=reasons, languages=dict(zip("abcdefgh", range(8, 0, -1), strict=True))))

    assert [name for name in reasons if not any(f"{name} 1" in line for line in lines)] == []
    assert "Languages: A 8, B 7, C 6, D 5, E 4, F 3 and 2 more" in lines


def test_the_summary_of_a_failed_analysis_is_empty() -> None:
    assert summary_lines(_a_view(state="failed", commit=None)) == []


def test_what_goes_on_behind_a_ready_analysis_is_said() -> None:
    refine = _a_stage("refine", "running", shards=8, shards_done=3)

    assert going_on(_a_view(refine, state="ready")).endswith("in the background (3/8)")
    assert going_on(_a_view(refine, state="refined")) == ""


def test_citations_are_listed_once_each_in_the_order_of_the_answer() -> None:
    b, a = (Citation(path=path, first_line=1, last_line=9) for path in ("b.py", "a.py"))
    assert citation_lines(a_question(citations=[b, a, b])) == ["b.py:1-9", "a.py:1-9"]


def test_an_event_is_said_by_its_short_values() -> None:
    assert (
        summary_of({"code": "timeout", "run_id": "x", "counts": {"a": 1}, "attempt": 2}) == "  code=timeout  attempt=2"
    )
