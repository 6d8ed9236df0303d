"""`repostream events state|diff|moments|timeline|graph`: streams as they were, how long runs took, what led to what."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import BaseModel
from rich.text import Text

from cli.api import connect, refusal
from cli.events import stream_of
from cli.exits import OK
from cli.plain import visible
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import CauseView, ChangeView, MomentsView, RunView, StateView, TimelineView

_WIDTH = 40  # signs of a bar
_LONGEST = 100  # signs of a value
_DEEPEST = 30  # steps that the tree of causes is moved in
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def moment(said: str | None) -> str | None:
    """A time as the API takes it; one without a zone is this machine's. Raises ApiError `bad_moment`."""
    if said is None:
        return None
    try:
        return datetime.fromisoformat(said).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        raise refusal("bad_moment", f"“{said}” is no time: write it as 2026-03-01T12:00:00.") from None


def look(api: Client, stream: str, at: str | None, against: int | None = None) -> StateView:
    """A stream at a version or a time, beside another version. Raises ApiError."""
    if at is not None and at.isdigit():
        return api.inspecting_state(stream_id=stream_of(stream), version=int(at), against=against)
    return api.inspecting_state(stream_id=stream_of(stream), at=moment(at), against=against)


def run_state(stream: str, at: str | None, *, as_json: bool) -> int:
    """Print the state at a point and what its event changed; returns the exit code. Raises ApiError."""
    found = look(connect(), stream, at)
    if as_json:
        return _as_json(found)
    console = Screen()
    _head(console, found)
    console.say(json.dumps(found.state, indent=2, ensure_ascii=False))
    _changes(console, found)
    return OK


def run_diff(stream: str, since: int, at: str | None, *, as_json: bool) -> int:
    """Print what is different between two points; returns the exit code. Raises ApiError."""
    found = look(connect(), stream, at, since)
    if as_json:
        return _as_json(found)
    console = Screen()
    _head(console, found)
    _changes(console, found)
    return OK


def run_timeline(stream: str, *, as_json: bool) -> int:
    """Print the runs as bars, what they waited apart from what they worked; returns the exit code. Raises ApiError."""
    found = connect().inspecting_timeline(stream_id=stream_of(stream))
    if as_json:
        return _as_json(found)
    console = Screen()
    for line in timeline_lines(found):
        console.say(line)
    return OK


def run_graph(stream: str, *, as_json: bool) -> int:
    """Print the events as a tree of causes; returns the exit code. Raises ApiError."""
    found = connect().inspecting_causes(stream_id=stream_of(stream))
    if as_json:
        return _as_json(found)
    console = Screen()
    for line in graph_lines(found.items):
        console.say(line)
    return OK


def run_moments(stream: str, *, as_json: bool) -> int:
    """Print when a repository or one of its analyses changed; returns the exit code. Raises ApiError."""
    found = connect().inspecting_moments(stream_id=stream if "/" in stream else f"repository/{stream}")
    if as_json:
        return _as_json(found)
    console = Screen()
    for line in moment_lines(found):
        console.say(line)
    return OK


def moment_lines(found: MomentsView) -> Iterator[Text]:
    """A line for each moment: when, why, and how the analysis stood from then on."""
    for one in found.items:
        said = "  ".join(filter(None, (one.analysis_id, one.state, (one.commit or "")[:10])))
        yield Text.assemble((one.at.isoformat(), "dim"), f"  {one.event_type}", (f"  {said}" if said else "", "dim"))
    if found.analyses_left_out:
        yield Text(f"{found.analyses_left_out:,} older analyses are not among them", style="dim")


def _as_json(found: BaseModel) -> int:
    print(json.dumps(found.model_dump(mode="json")))
    return OK


def _head(console: Screen, found: StateView) -> None:
    what = f" {found.event.event_type}" if found.event is not None else ""
    beside = f", beside version {found.against}" if found.against != found.version - 1 else ""
    console.say(Text(f"version {found.version} of {found.newest}{what}{beside}", style="bold"))


def _changes(console: Screen, found: StateView) -> None:
    for change in found.changes:
        console.say(change_line(change))
    if not found.changes:
        console.say(Text("nothing is different", style="dim"))
    if found.changes_left_out:
        console.say(Text(f"… and {found.changes_left_out:,} more", style="dim"))


def change_line(change: ChangeView) -> Text:
    """One place that is different."""
    sign, style = _SIGNS.get(change.kind, ("?", ""))
    values = {"added": _short(change.after), "removed": _short(change.before)}
    told = values.get(change.kind, f"{_short(change.before)} → {_short(change.after)}")
    return Text.assemble((f"{sign} {change.path}", style), "  ", told)


def _short(value: object) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def timeline_lines(found: TimelineView) -> Iterator[Text]:
    """A bar for each run (· waited, █ worked), then the sums of each stage."""
    if not found.runs:
        yield Text("This stream has no runs: those of analyses have.", style="dim")
    whole = max((found.last_at - found.began_at).total_seconds(), 0.001)
    for run in found.runs:
        yield Text.assemble(
            f"{_named(run):<24} ",
            bar((run.requested_at - found.began_at).total_seconds(), run, whole),
            (f"  waited {run.waited:.2f} s, worked {run.worked:.2f} s", "dim"),
            (f"  {run.outcome}{f': {run.code}' if run.code else ''}", "red" if run.outcome in _BAD else "dim"),
        )
    for stage in found.stages:
        yield Text(
            f"{stage.stage}: {stage.runs:,} runs, waited {stage.waited:.2f} s (longest {stage.longest_wait:.2f}), "
            f"worked {stage.worked:.2f} s (longest {stage.longest_run:.2f})"
        )


_BAD = frozenset({"failed", "parked"})


def _named(run: RunView) -> str:
    again = f" try {run.attempt}" if run.attempt > 1 else ""
    return f"{run.stage}[{run.shard}]{again}"


def bar(after: float, run: RunView, whole: float) -> Text:
    """One run on a line of `_WIDTH` signs that stands for `whole` seconds; it begins `after` so many."""
    begin = min(_WIDTH - 1, int(_WIDTH * after / whole))
    waited = int(_WIDTH * run.waited / whole)
    worked = max(1, round(_WIDTH * run.worked / whole)) if run.worked else 0
    drawn = (" " * begin + "·" * waited + "█" * worked)[:_WIDTH]
    return Text(f"{drawn:<{_WIDTH}}")


def _outside(item: CauseView) -> str:
    """What of other streams an event comes of, and what it led to there."""
    there = item.elsewhere
    cause = f"because of {there.version} {there.event_type} of {there.stream_id}" if there else ""
    unknown = "its cause is in another stream" if item.from_outside and there is None else ""
    led_to = [f"led to {one.version} {one.event_type} of {one.stream_id}" for one in item.led_to]
    return visible(", ".join(filter(None, (cause, unknown, f"about {item.about}" if item.about else "", *led_to))))


def graph_lines(items: Sequence[CauseView]) -> Iterator[Text]:
    """Each event below its cause, in the order in which things happened."""
    below: dict[int, list[CauseView]] = {}
    for item in items:
        below.setdefault(item.cause, []).append(item)
    todo = [(item, 0) for item in reversed(below.get(0, []))]
    while todo:
        item, depth = todo.pop()
        stage = f" {item.stage}[{item.shard}]" if item.stage else ""
        outside = f"  ({_outside(item)})" if item.from_outside or item.about or item.led_to else ""
        yield Text.assemble(
            "  " * min(depth, _DEEPEST), (f"{item.version:>4} ", "dim"), (item.event_type, "bold"), stage, outside
        )
        todo += [(child, depth + 1) for child in reversed(below.get(item.version, []))]
