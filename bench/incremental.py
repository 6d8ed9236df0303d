"""A second analysis beside a clean one: every row, some searches, and how long each took.

`python -m bench incremental [--repository FOLDER.git] [--ref main] [--commits 30]` replays the last commits of a
project one by one. Each is analysed twice in the same installation: as the next commit of the one repository, which
takes over what did not change, and at an address of its own, which has nothing to take over. All rows of both are
compared, and the passages of some searches. What it found goes to bench/results/incremental.md.
"""

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from events.base import LOCAL_TENANT
from runtime.service_tokens import ServiceSigner
from tests.support.git_server import GitServer
from tests.support.system import System, free_port

RESULTS = Path(__file__).parent / "results" / "incremental.md"
_TABLES = {
    "app.files": "path, language, file_class, size, lines, shard, skipped",
    "app.outcomes": "path, outcome, reason, symbols, chunks, errors, error_lines",
    "app.symbols": "shard, ordinal, path, language, kind, name, qualified_name, parent, signature, docstring,"
    " first_line, last_line",
    "app.edges": "shard, ordinal, path, kind, source, target, line",
    "app.dependencies": 'shard, ordinal, ecosystem, name, "constraint", version, scope, "group", path, line, locked',
    "rag.files": "path, language, file_class, lines, source_key, source_sha256, source_row",
    "rag.chunks": "ordinal, chunk_id, path, language, file_class, first_line, last_line, symbols, text",
    "rag.symbols": "ordinal, name, qualified_name, kind, path, first_line, last_line",
}
_QUESTIONS = (
    "How is a request dispatched to a view?",
    "Where is the session cookie signed?",
    "How are blueprints registered?",
    "What happens when an error handler raises?",
    "How does the test client keep cookies?",
    "Where is the configuration loaded from a file?",
    "url_for",
    "How are templates rendered and streamed?",
)


@dataclass(frozen=True)
class Analysed:
    """One analysis: seconds to ready, of these in the clone stage, percent of files taken over; its id, repository."""

    seconds: float
    clone: float
    reused: int
    analysis_id: str
    repository_id: str


@dataclass(frozen=True)
class Compared:
    """One commit, analysed both ways; which tables and how many searches differ, how many rows were compared."""

    commit: str
    changed: int
    second: Analysed
    clean: Analysed
    rows: int
    differing: tuple[str, ...]
    searches: int


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench incremental")
    parser.add_argument("--repository", type=Path, required=True, help="a bare repository")
    parser.add_argument("--ref", default="HEAD")
    parser.add_argument("--commits", type=int, default=30)
    arguments = parser.parse_args()
    load, repository = os.getloadavg()[0], arguments.repository.resolve()
    commits = _git(repository, "rev-list", "--first-parent", f"-{arguments.commits + 1}", arguments.ref).split()[::-1]
    with tempfile.TemporaryDirectory(prefix="bench-incremental-") as name:
        compared = _replay(Path(name), repository, commits)
    report = _report(arguments.repository.stem, compared, load)
    RESULTS.write_text(report)
    print(report)


def _git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", f"--git-dir={repository}", *arguments], check=True, capture_output=True, text=True
    ).stdout  # our own words, the git of whoever measures


def _replay(folder: Path, repository: Path, commits: list[str]) -> list[Compared]:
    served, port = folder / "served", free_port()
    served.mkdir()
    for name in ("project", *(f"clean{number}" for number in range(len(commits)))):
        (served / f"{name}.git").symlink_to(repository)
    system = System(folder / "installation" / "home", {"REPOSTREAM_RAG_MANAGER_PORT": str(port)})
    found = []
    with system, GitServer(served) as host:
        caller = ServiceSigner("ai_engine", (system.home / "service-keys" / "ai_engine").read_text().strip())
        search = _Searches(f"http://127.0.0.1:{port}", caller)
        _analyse(system, host.url("project"), commits[0])
        for number, (before, commit) in enumerate(pairwise(commits), 1):
            second = _analyse(system, host.url("project"), commit)
            clean = _analyse(system, host.url(f"clean{number}"), commit)
            rows, differing = asyncio.run(_compare(system.database_url, second.analysis_id, clean.analysis_id))
            changed = len(_git(repository, "diff", "--name-only", before, commit).split())
            searches = sum(search(second, question) != search(clean, question) for question in _QUESTIONS)
            found.append(Compared(commit, changed, second, clean, rows, differing, searches))
            print(
                number,
                commit[:10],
                changed,
                f"{second.seconds:.1f}",
                f"{clean.seconds:.1f}",
                differing,
                searches,
                flush=True,
            )
    return found


def _analyse(system: System, url: str, commit: str) -> Analysed:
    """Analyse until it is ready and its rows are loaded; nothing goes on behind it afterwards."""
    accepted = system.analyse(url, commit)
    view = system.wait(accepted["analysis_id"], {"ready"})
    assert view["state"] in {"ready", "refined"}, view
    system.client.post(f"/analyses/{view['analysis_id']}/cancel")
    until_loaded(system.database_url, view["analysis_id"])
    began = datetime.fromisoformat(view["requested_at"])
    clone = next(stage for stage in view["stages"] if stage["stage"] == "clone")
    return Analysed(
        (datetime.fromisoformat(view["ready_at"]) - began).total_seconds(),
        (datetime.fromisoformat(clone["ended_at"]) - began).total_seconds(),
        (view["reused"] or {"percent": 0})["percent"],
        view["analysis_id"],
        view["repository_id"],
    )


def until_loaded(url: str, analysis_id: str) -> None:
    """Wait until each artifact that goes into a table is there."""
    asyncio.run(_until_loaded(url, analysis_id))


async def _until_loaded(url: str, analysis_id: str) -> None:
    connection = await asyncpg.connect(url)
    wanted = "SELECT count(*) FROM es.events e, jsonb_array_elements(e.data->'artifacts') a WHERE e.stream_id = $1"
    wanted += " AND a->>'kind' IN ('tree', 'outcomes', 'symbols', 'edges', 'dependencies')"
    wanted += " AND e.type = 'processing.stage.completed'"
    try:
        number = await connection.fetchval(wanted, f"analysis/{analysis_id}")
        for _ in range(600):
            loaded = "SELECT count(*) FROM app.loaded WHERE analysis_id = $1"
            if await connection.fetchval(loaded, analysis_id) >= number:
                return
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    raise AssertionError(f"the rows of {analysis_id} are not loaded")


async def _compare(url: str, one: str, other: str) -> tuple[int, tuple[str, ...]]:
    """How many rows were compared, and the tables in which the two differ."""
    connection = await asyncpg.connect(url)
    rows, differing = 0, []
    try:
        for table, columns in _TABLES.items():
            query = f"SELECT {columns} FROM {table} WHERE analysis_id = $1 ORDER BY {_order(columns)}"  # our own names
            first, second = await connection.fetch(query, one), await connection.fetch(query, other)
            rows += len(second)
            if [tuple(row) for row in first] != [tuple(row) for row in second]:
                differing.append(table)
    finally:
        await connection.close()
    return rows, tuple(differing)


def _order(columns: str) -> str:
    return "shard, ordinal" if columns.startswith("shard") else columns.partition(",")[0]


class _Searches:
    """Asks rag_manager, as ai_engine does."""

    def __init__(self, url: str, caller: ServiceSigner) -> None:
        self._client = httpx.Client(base_url=url, timeout=20)
        self._caller = caller

    def __call__(self, of: Analysed, question: str) -> list[tuple[Any, ...]]:
        """The passages in their order, with their scores."""
        body = {"tenant_id": str(LOCAL_TENANT), "repository_id": of.repository_id, "query": question}
        headers = self._caller.headers("rag_manager")
        for _ in range(50):
            reply = self._client.post("/internal/search", json=body, headers=headers).raise_for_status().json()
            if reply["analysis_id"] == of.analysis_id and not reply["degraded"]:
                break
            time.sleep(0.1)  # the swap of the generations follows what the analysis says
        assert reply["analysis_id"] == of.analysis_id, reply
        return [(p["path"], p["first_line"], p["last_line"], p["text"], p["score"]) for p in reply["passages"]]


def _times(analysed: Analysed) -> str:
    return f"{analysed.seconds:.1f} ({analysed.seconds - analysed.clone:.1f})"


def _row(each: Compared) -> str:
    cells = (
        each.commit[:10],
        each.changed,
        f"{each.second.reused} %",
        _times(each.second),
        _times(each.clean),
        f"{each.rows:,}",
        ", ".join(each.differing) or "none",
        f"{each.searches} of {len(_QUESTIONS)}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _report(name: str, compared: list[Compared], load: float) -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    rows = "\n".join(_row(each) for each in compared)
    second = statistics.median(each.second.seconds - each.second.clone for each in compared)
    clean = statistics.median(each.clean.seconds - each.clean.clone for each in compared)
    total = sum(each.rows for each in compared)
    bad = sum(bool(each.differing) for each in compared)
    searches = sum(each.searches for each in compared)
    return f"""# Incremental analysis

`python -m bench incremental` on {machine}; load average before it, of other work: {load:.1f}.
The last {len(compared)} commits of {name}, one by one, each also analysed clean in the same installation.

* {total:,} rows compared; commits with a row that differs: {bad}.
* {len(compared) * len(_QUESTIONS):,} searches compared (passages, order, scores); that differ: {searches}.
* Ready after the clone stage, median: {second:.1f} s, clean {clean:.1f} s.

Ready: seconds after the request; in brackets, after the clone stage.

| commit | files changed | reused | ready | clean: ready | rows | tables that differ | searches that differ |
|---|---|---|---|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    main()
