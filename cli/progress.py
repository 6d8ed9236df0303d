"""An analysis on the terminal: what is known, folded into rows, and the rows drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.screen import Screen
from runtime.client.shapes import AnalysisView, HeadView, StageView
from runtime.language_names import language
from runtime.upload_url import SCHEME

_MARKS = {
    "waiting": ("·", "dim"),
    "queued": ("◌", "dim"),
    "running": ("●", "cyan"),
    "retrying": ("↻", "yellow"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "parked": ("✗", "red"),
    "cancelled": ("-", "dim"),
}
_BACKGROUND = ("refine", "promote")
_SPOTS = 5
_LANGUAGES = 6
_TOTALS = ("files", "lines", "symbols", "edges", "chunks")  # those that mean something without the stage


@dataclass(frozen=True)
class Row:
    """One stage. `percent` is None where nothing tells how far it is; `pace` is what its workers measure."""

    stage: str
    state: str
    shards: str
    percent: int | None
    current: str
    seconds: float | None
    note: str
    pace: str = ""


@dataclass
class Progress:
    """What is known of an analysis: its newest view, and the ticks since."""

    view: AnalysisView
    ticks: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)

    def tick(self, tick: Mapping[str, Any]) -> None:
        """Take note of how far one run is."""
        self.ticks[(str(tick.get("stage")), int(tick.get("shard", 0)))] = tick

    def milestone(self, envelope: Mapping[str, Any]) -> None:
        """Forget how far a run is that an event says something newer of."""
        data = envelope.get("data")
        if isinstance(data, Mapping) and envelope.get("event_type") != "processing.stage.started":
            self.ticks.pop((str(data.get("stage")), int(data.get("shard") or 0)), None)

    def rows(self, now: datetime) -> list[Row]:
        """A row a stage, in the order of the view."""
        return [_row(stage, self._of(stage.stage), now) for stage in self.view.stages]

    def _of(self, stage: str) -> list[Mapping[str, Any]]:
        return [tick for (name, _), tick in self.ticks.items() if name == stage]


def _row(stage: StageView, ticks: list[Mapping[str, Any]], now: datetime) -> Row:
    shards, done = stage.shards, stage.shards_done
    current = str(ticks[-1].get("current", "")) if ticks and stage.state == "running" else ""
    return Row(
        stage=stage.stage,
        state=stage.state,
        shards=f"{done}/{shards}" if shards > 1 else "",
        percent=percent_of(stage.state, shards, done, ticks),
        current=current,
        seconds=_seconds(stage, now),
        note=stage.message or "",
        pace=pace_of(shards, done, ticks) if stage.state == "running" else "",
    )


def percent_of(state: str, shards: int, done: int, ticks: Sequence[Mapping[str, Any]]) -> int | None:
    """How much of a stage is done, by its shards and their ticks; at most 99 until it is."""
    if state == "completed":
        return 100
    if state not in ("running", "retrying") or not shards:
        return None
    partial = sum(share for tick in ticks if (share := _share(tick)) < 1)
    return min(99, int(100 * min(shards, done + partial) / shards))


def pace_of(shards: int, done: int, ticks: Sequence[Mapping[str, Any]]) -> str:
    """What the shards at work do together, and how long the stage takes at that pace: `80 files/s, about 12 s left`.

    Empty where none of them measured anything yet. Of those that did not, the mean of the others is taken.
    """
    open_ = [tick for tick in ticks if _share(tick) < 1]
    said = []
    if rate := _together([tick.get("rate") for tick in open_]):
        unit = next(tick.get("unit", "") for tick in open_ if tick.get("rate"))
        said.append(f"{rate:,.{0 if rate >= 10 else 1}f} {unit}/s")
    if pace := _together([_work_pace(tick) for tick in open_]):
        queued = max(0, shards - done - len(open_))
        said.append(f"about {roughly((sum(1 - _share(tick) for tick in open_) + queued) / pace)} left")
    return ", ".join(said)


def _together(paces: Sequence[float | None]) -> float:
    told = [pace for pace in paces if pace is not None]
    return sum(told) * len(paces) / len(told) if told else 0.0


def _work_pace(tick: Mapping[str, Any]) -> float | None:
    """Which share of its work a run does a second; None where it measured nothing yet."""
    if tick.get("rate") == 0:
        return 0.0
    return (1 - _share(tick)) / tick["left"] if tick.get("left") else None


def roughly(seconds: float) -> str:
    """A time to wait, no more exact than it is known; as in `timeline.js`."""
    if seconds < 90:
        return f"{max(5, 5 * int(seconds / 5 + 0.5))} s"
    minutes = int(seconds / 60 + 0.5)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _share(tick: Mapping[str, Any]) -> float:
    """How much of its work a run has done, 0 to 1."""
    total, share = tick.get("total") or 0, tick.get("share")
    return min(1.0, share if share is not None else tick["done"] / total if total else 0.0)


def _seconds(stage: StageView, now: datetime) -> float | None:
    if stage.duration is not None and stage.ended_at:
        return stage.duration
    if stage.started_at is None:
        return None
    return max(0.0, ((stage.ended_at or now) - stage.started_at).total_seconds())


def draw(progress: Progress, now: datetime) -> RenderableType:
    """The table of stages under a line that names the analysis."""
    view = progress.view
    commit = f" @ {view.commit[:10]}" if view.commit else ""
    title = Text.assemble((view.name or view.url, "bold"), commit, (f"  {view.state}", "dim"))
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, min_width=11)
    for width in (5, 5, 8):
        table.add_column(justify="right", no_wrap=True, min_width=width)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)  # the one that gives way on a narrow screen
    for row in progress.rows(now):
        mark, style = _MARKS.get(row.state, ("?", ""))
        table.add_row(
            Text(f"{mark} {row.stage}", style=style),
            row.shards,
            "" if row.percent is None else f"{row.percent} %",
            "" if row.seconds is None else f"{row.seconds:.1f} s",
            Text(
                row.note or ", ".join(filter(None, (row.pace, row.current))),
                style="red" if row.note and row.state in ("failed", "parked") else "dim",
            ),
        )
    return Group(title, table)


def summary_lines(view: AnalysisView) -> list[str]:
    """What came out, in some lines of plain text."""
    totals, languages = view.totals, {language(name): size for name, size in view.languages.items()}
    lines = [commit_line(view), ", ".join(f"{totals[name]:,} {name}" for name in _TOTALS if totals.get(name))]
    if languages:
        more = f" and {len(languages) - _LANGUAGES} more" if len(languages) > _LANGUAGES else ""
        lines.append(f"Languages: {_counted(languages, _LANGUAGES)}{more}")
    lines += [outcomes_line(view.outcomes), *history_lines(view.history)]
    if view.reused is not None:
        lines.append(f"Reused: {view.reused.percent} % ({view.reused.files:,} of {view.reused.of:,} files unchanged)")
    for word, counts in (("Left out", view.skipped), ("Failed", view.failed)):
        if counts:
            lines.append(f"{word}: {_counted(counts)}")
    if view.head is not None and view.head.login_refused:
        lines.append("The host refused the access token: this was read as anybody can")
    lines += [f"Could not be loaded: {said}" for said in view.damaged]
    return [line for line in lines if line]


def commit_line(view: AnalysisView) -> str:
    """Which commit was read: its name, its ref, its date, its subject; empty before it is known."""
    if not view.commit:
        return ""
    head = view.head or HeadView()
    day = f"{head.authored_at:%Y-%m-%d}" if head.authored_at else None
    named = ", ".join(part for part in (head.ref, day) if part)
    subject = f": {head.subject}" if head.subject else ""
    scope = f", only {view.folder} ({head.out_of_scope:,} entries outside)" if view.folder else ""
    what = "Content" if view.url.startswith(SCHEME) else "Commit"
    return f"{what} {view.commit[:10]}" + (f" ({named})" if named else "") + scope + subject


def history_lines(past: Mapping[str, Any]) -> list[str]:
    """How many commits of how many people were read, and the files that changed most often."""
    if not past.get("commits"):
        return []
    since = f" since {past['oldest_at'][:10]}" if past.get("oldest_at") else ""
    whole = "all of it" if past.get("complete") else "there is more"
    spots = ", ".join(f"{spot['path']} {spot['commits']:,}" for spot in past.get("hot_spots", ())[:_SPOTS])
    head = f"History: {past['commits']:,} commits{since} ({whole}), {past['contributors']:,} contributors"
    return [head, *([f"Changed most often: {spots}"] if spots else [])]


def outcomes_line(outcomes: Mapping[str, int]) -> str:
    """What parsing did with the files: `Parsed: 83 (2 with syntax errors); as plain text: no_grammar 146`."""
    parts = []
    if outcomes.get("parsed"):
        errors = outcomes.get("parsed.syntax_errors")
        parts.append(f"Parsed: {outcomes['parsed']:,}" + (f" ({errors:,} with syntax errors)" if errors else ""))
    for outcome, word in (("lines", "as plain text"), ("failed", "failed")):
        counts = {name.partition(".")[2]: n for name, n in outcomes.items() if name.startswith(f"{outcome}.")}
        if counts:
            parts.append(f"{word}: {_counted(counts)}")
    return "; ".join(parts)


def _counted(counts: Mapping[str, int], most: int | None = None) -> str:
    """The largest first; all of them, or so many."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return ", ".join(f"{name} {count:,}" for name, count in ordered)


def going_on(view: AnalysisView) -> str:
    """What is still being done behind a ready analysis; empty where nothing is."""
    if view.state != "ready":
        return ""
    refine = next((stage for stage in view.stages if stage.stage in _BACKGROUND), None)
    done = f" ({refine.shards_done}/{refine.shards})" if refine and refine.shards else ""
    return f"the full index is still being built in the background{done}"


def print_summary(console: Screen, view: AnalysisView) -> None:
    """The end of an analysis in words."""
    for line in summary_lines(view):
        console.say(f"  {line}")
