"""Repositories of growing size: whether they come to their end, what each process takes, and whether time is linear.

`python -m bench scaling REPOSITORY.git ... [--files 5000 15000 50000]` draws repositories of so many files from the
real files of some bare repositories, analyses each in an installation of its own through the public interface until it
is ready and its graph is there, and writes what it measured to bench/results/scaling.md, above the sections there.

The names in each copy of a file are its own, so that no file, passage or vector can be taken from another. The files
stand in an order that is drawn from their hashes: the mix is the same in each size.
"""

import argparse
import os
import platform
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.drawn_repository import draw
from bench.memory import process_name
from tests.support.git_server import GitServer
from tests.support.system import System

RESULTS = Path(__file__).parent / "results" / "scaling.md"
_LIMITS = {  # the defaults would leave some of fifty thousand files out
    "REPOSTREAM_INTAKE_FILES": "100000",
    "REPOSTREAM_INTAKE_TEXT_BYTES": "2000000000",
    "REPOSTREAM_INTAKE_CLONE_BYTES": "2000000000",
    "REPOSTREAM_INTAKE_CLONE_SECONDS": "1800",
}
_WORKERS = ("orchestrator", "processor", "parser", "rag_manager", "ai_engine", "web_ui")
_TOLERANCE = 0.20
_SAMPLE = 1.0  # seconds between two looks at the processes


@dataclass(frozen=True)
class Spent:
    """Of one kind of process: the highest resident size of one of them, MiB; processor time of all, seconds."""

    peak: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """One size: what came of it, seconds from the request, what each kind of process took."""

    files: int
    state: str
    totals: dict[str, int]
    embedded: float  # share of the passages whose vector was computed
    ready: float
    linked: float
    stages: dict[str, float]  # seconds from a stage's first request to its last end
    spent: dict[str, Spent]
    load: tuple[float, float]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench scaling")
    parser.add_argument("repositories", nargs="+", type=Path, help="bare repositories to draw files from")
    parser.add_argument("--files", nargs="+", type=int, default=[5_000, 15_000, 50_000])
    parser.add_argument("--seconds", type=float, default=7_200, help="that one analysis may take")
    arguments = parser.parse_args()
    sources = [repository.absolute() for repository in arguments.repositories]  # by the names that were given
    runs = []
    for files in arguments.files:
        with tempfile.TemporaryDirectory(prefix="bench-scaling-") as name:
            runs.append(_measure(Path(name), sources, files, arguments.seconds))
        report = _report([source.stem for source in sources], runs)
        RESULTS.write_text(report + _kept())
    print(report)


def _kept() -> str:
    """What was written by hand below the tables: parts that were measured alone."""
    _, heading, rest = RESULTS.read_text().partition("\n## ")
    return heading + rest


def _measure(folder: Path, sources: Sequence[Path], files: int, seconds: float) -> Run:
    (folder / "served").mkdir()
    draw(sources, files, folder / "served" / "drawn.git")
    began = os.getloadavg()[0]
    system = System(folder / "installation" / "home", _LIMITS)
    with system, GitServer(folder / "served") as host:
        watch = _Watch(system.pid)
        analysis_id = system.analyse(host.url("drawn"))["analysis_id"]
        view = _until_linked(system, analysis_id, watch, seconds)
        watch.look()
        run = _read(files, view, system.history(analysis_id), watch, (began, os.getloadavg()[0]))
    print(run, flush=True)
    return run


def _until_linked(system: System, analysis_id: str, watch: "_Watch", seconds: float) -> dict[str, Any]:
    """Wait for the end of the link stage; refining is not waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view = system.analysis(analysis_id)
        states = {stage["stage"]: stage["state"] for stage in view["stages"]}
        if view["state"] in {"failed", "cancelled"} or states.get("link") in {"completed", "failed"}:
            return view
        watch.look()
        time.sleep(_SAMPLE)
    return view


class _Watch:
    """The highest resident size of each process that is, or was, below one (Linux keeps it), and processor time."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._peaks: dict[tuple[int, float], tuple[str, float]] = {}
        self._seconds: dict[tuple[int, float], tuple[str, float]] = {}

    def look(self) -> None:
        """Read all of them once."""
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                what, times, key = (
                    process_name(process.cmdline()),
                    process.cpu_times(),
                    (process.pid, process.create_time()),
                )
                status = Path(f"/proc/{process.pid}/status").read_text()
            except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
                continue
            if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
                self._peaks[key] = what, int(peak[1]) / 1_024
                self._seconds[key] = what, times.user + times.system

    def spent(self) -> dict[str, Spent]:
        """By the name of what a process is."""
        peaks: dict[str, float] = defaultdict(float)
        seconds: dict[str, float] = defaultdict(float)
        for what, peak in self._peaks.values():
            peaks[what] = max(peaks[what], peak)
        for what, took in self._seconds.values():
            seconds[what] += took
        return {what: Spent(peaks[what], seconds[what]) for what in sorted(peaks)}


def _read(
    files: int, view: dict[str, Any], events: list[dict[str, Any]], watch: _Watch, load: tuple[float, float]
) -> Run:
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    made = taken = 0
    for event in events:
        stage, at, data = event.get("stage") or "", datetime.fromisoformat(event["timestamp"]), event["data"]
        if event["event_type"] == "processing.stage.requested":
            first.setdefault(stage, at)
        if event["event_type"] == "processing.stage.completed":
            last[stage] = at
            if stage == "embed":
                made, taken = made + data["counts"]["embedded"], taken + data["counts"]["reused"]
    began = datetime.fromisoformat(view["requested_at"])
    ready = (datetime.fromisoformat(view["ready_at"]) - began).total_seconds() if view["ready_at"] else 0.0
    linked = (last["link"] - began).total_seconds() if "link" in last else 0.0
    stages = {stage: (end - first[stage]).total_seconds() for stage, end in last.items() if stage in first}
    share = made / (made + taken) if made + taken else 0.0
    return Run(files, view["state"], view["totals"], share, ready, linked, stages, watch.spent(), load)


def _report(sources: Sequence[str], runs: Sequence[Run]) -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    columns = [f"{run.files:,}" for run in runs]

    def row(name: str, cells: Iterable[str]) -> str:
        return "| " + " | ".join((name, *cells)) + " |"

    def table(title: str, rows: Iterable[str]) -> str:
        return "\n".join((row(title, columns), "|---" * (len(columns) + 1) + "|", *rows))

    stages = list(dict.fromkeys(stage for run in runs for stage in run.stages))
    processes = list(dict.fromkeys(what for run in runs for what in run.spent))
    general = (
        row("state", (run.state for run in runs)),
        *(row(what, (f"{run.totals.get(what, 0):,}" for run in runs)) for what in runs[-1].totals),
        row("passages whose vector was computed", (f"{run.embedded:.1%}" for run in runs)),
        row("request → ready, s", (f"{run.ready:.0f}" for run in runs)),
        row("request → graph, s", (f"{run.linked:.0f}" for run in runs)),
        row("**per file: request → ready, ms**", (f"{_per_file(run.ready, run):.1f}" for run in runs)),
        row("**per file: processor time, all processes, ms**", (f"{_per_file(_all(run), run):.1f}" for run in runs)),
        row("load average before and after", (f"{run.load[0]:.1f}, {run.load[1]:.1f}" for run in runs)),
    )
    of_stages = (row(stage, (f"{_per_file(run.stages.get(stage, 0), run):.2f}" for run in runs)) for stage in stages)
    seconds = (row(what, (f"{_per_file(_spent(run, what).seconds, run):.2f}" for run in runs)) for what in processes)
    peaks = (row(what, (f"{_spent(run, what).peak:,.0f}" for run in runs)) for what in processes)
    limits = ", ".join(f"`{name}={value}`" for name, value in _LIMITS.items())
    return f"""# Repositories of growing size

`python -m bench scaling` on {machine}. Files of {", ".join(sources)}, each copy with names of its own.
Refining is not waited for. Limits of intake were raised ({limits}).
Aimed at: all complete; no worker above 1,229 MiB, flat in the number of files; time per file the same within 20 %.

{table("files", general)}

{_judged(runs)}

Highest resident size of one process, MiB (what processes share, PostgreSQL's buffers for one, counts in each):

{table("process", peaks)}

Processor time per file, ms:

{table("process", seconds)}

From a stage's first request to its last end, per file, ms (stages overlap, and other work on the machine counts):

{table("stage", of_stages)}
"""


def _per_file(seconds: float, run: Run) -> float:
    return seconds * 1_000 / run.files


def _all(run: Run) -> float:
    return sum(each.seconds for each in run.spent.values())


def _spent(run: Run, what: str) -> Spent:
    return run.spent.get(what, Spent(0.0, 0.0))


def _judged(runs: Sequence[Run]) -> str:
    """What is not linear, and which workers are not flat, from the first to the last size."""
    first, last = runs[0], runs[-1]
    whole = _per_file(_all(last), last) / _per_file(_all(first), first) - 1
    parts = {
        what: change
        for what in last.spent
        if (before := _per_file(_spent(first, what).seconds, first)) >= 1
        and (change := _per_file(_spent(last, what).seconds, last) / before - 1) > _TOLERANCE
    }
    grown = [
        f"{what} {_spent(first, what).peak:,.0f} → {_spent(last, what).peak:,.0f} MiB"
        for what in _WORKERS
        if what in last.spent and _spent(last, what).peak > _spent(first, what).peak * (1 + _TOLERANCE)
    ]
    over = [what for what in _WORKERS if _spent(last, what).peak > 1_229]
    return "\n".join(
        (
            f"* Processor time per file from {first.files:,} to {last.files:,} files: {whole:+.0%}.",
            "* Above linear: "
            + (", ".join(f"{what} {change:+.0%}" for what, change in parts.items()) or "nothing")
            + ".",
            "* Workers that grow by more than 20 %: " + (", ".join(grown) or "none") + ".",
            "* Workers above 1.2 GiB: " + (", ".join(over) or "none") + ".",
        )
    )


if __name__ == "__main__":
    main()
