"""One file of Django changes: how soon after the fetch the second analysis is ready, and where the time goes.

`python -m bench one_file [--commits 5]` serves Django's source archive over loopback with commits that each add a
function to one file, analyses the first clean and then one after the other with the whole system, and writes what it
measured to bench/results/one_file.md. Refining is stopped: it would go on behind the next one.
"""

import argparse
import os
import platform
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench.incremental import until_loaded
from tests.support.git_repositories import archive_files, build_repository
from tests.support.git_server import GitServer
from tests.support.source_archives import source_archive
from tests.support.system import System

RESULTS = Path(__file__).parent / "results" / "one_file.md"
_CHANGED = "django/utils/text.py"
_STAGES = ("clone", "metadata", "structure", "parse", "index", "embed", "activate")


@dataclass(frozen=True)
class Run:
    """One analysis: seconds after the request at which it was fetched, cloned and ready; processor time; percent."""

    fetch: float
    cloned: float
    ready: float
    processor: float
    reused: int
    ended: dict[str, float]
    load: float

    @property
    def after_fetch(self) -> float:
        """Seconds to ready, without the fetch."""
        return self.ready - self.fetch


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench one_file")
    parser.add_argument("--commits", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-one-file-") as name:
        runs = _measure(Path(name), arguments.commits)
    report = _report(runs)
    RESULTS.write_text(report)
    print(report)


def _measure(folder: Path, commits: int) -> list[Run]:
    files = archive_files(source_archive("django"))
    before = files[_CHANGED]
    assert isinstance(before, bytes)
    trees = [files]
    for number in range(commits):
        added = f"\n\ndef added_{number}(value):\n    return value + {number}\n"
        before += added.encode()
        trees.append({**files, _CHANGED: before})
    (folder / "served").mkdir()
    branches = {f"n{number}": number for number in range(len(trees))}
    build_repository(folder / "served" / "django.git", trees, branches=branches)
    with System(folder / "installation" / "home") as system, GitServer(folder / "served") as host:
        return [_run(system, host.url("django"), branch) for branch in branches]


def _run(system: System, url: str, branch: str) -> Run:
    load, spent = os.getloadavg()[0], _processor_time(system)
    accepted = system.analyse(url, branch)
    view = system.wait(accepted["analysis_id"], {"ready"}, seconds=900)
    assert view["state"] in {"ready", "refined"}, view
    spent = _processor_time(system) - spent
    system.client.post(f"/analyses/{view['analysis_id']}/cancel")
    until_loaded(system.database_url, view["analysis_id"])
    ended = {stage["stage"]: _after(view, stage["ended_at"]) for stage in view["stages"] if stage["stage"] in _STAGES}
    events = system.history(view["analysis_id"])
    clone = next(event for event in events if event["data"].get("stage") == "clone" and "facts" in event["data"])
    fetch = float(clone["data"]["facts"]["fetch_seconds"])
    percent = (view["reused"] or {"percent": 0})["percent"]
    run = Run(fetch, ended["clone"], _after(view, view["ready_at"]), spent, percent, ended, load)
    print(branch, run, flush=True)
    return run


def _after(view: dict[str, Any], moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.fromisoformat(view["requested_at"])).total_seconds()


def _processor_time(system: System) -> float:
    """Seconds of all processes of the system so far, of those that ended too."""
    up = psutil.Process(system.pid)
    total = 0.0
    for process in (up, *up.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _report(runs: list[Run]) -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    first, *second = runs

    def row(name: str, said: Any) -> str:  # noqa: ANN401  # of a run, its cell
        return "| " + " | ".join([name, said(first), *map(said, second)]) + " |"

    columns = ["", "clean", *(f"commit {number}" for number in range(1, len(second) + 1))]
    table = [
        "| " + " | ".join(columns) + " |",
        "|---" * len(columns) + "|",
        row("**fetched → ready, s**", lambda run: f"**{run.after_fetch:.1f}**"),
        row("fetch (git, its checks, the egress proxy), s", lambda run: f"{run.fetch:.1f}"),
        row("request → ready, s", lambda run: f"{run.ready:.1f}"),
        *(row(f"… {stage} over", lambda run, stage=stage: f"{run.ended[stage]:.1f}") for stage in _STAGES),
        row("processor time to ready, all processes, s", lambda run: f"{run.processor:.1f}"),
        row("files taken over", lambda run: f"{run.reused} %"),
        row("load average before it", lambda run: f"{run.load:.1f}"),
    ]
    return f"""# One file of Django

`python -m bench one_file` on {machine}. Django's source archive; each commit adds a function to `{_CHANGED}`.
At most 3 s from fetched to ready are aimed at.

{chr(10).join(table)}
"""


if __name__ == "__main__":
    main()
