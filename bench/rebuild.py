"""How long the read models of one analysis take to be built again beside those that serve.

`python -m bench rebuild [--repository FOLDER.git] [--rounds 3]` starts `repostream up` in an empty home, has the
repository analysed (Django's pinned source archive where none is named), stops its refinement, and builds everything
again without replacing anything. Writes bench/results/rebuild.md.
"""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from bench.served import serve
from tests.support.git_server import GitServer
from tests.support.system import System

RESULTS = Path(__file__).parent / "results" / "rebuild.md"
_AIMED = 20.0  # seconds


@dataclass(frozen=True)
class Round:
    """One rebuild: what each projection says of it, and the seconds in which the database alone copies those rows."""

    load: float
    copied: float
    report: list[dict[str, Any]]

    @property
    def seconds(self) -> float:
        """Of all projections."""
        return sum(float(each["seconds"]) for each in self.report)

    @property
    def tables(self) -> dict[str, int]:
        """Rows by table."""
        return {table["table"]: int(table["rows"]) for each in self.report for table in each["tables"]}


async def _copied(url: str, tables: Sequence[str]) -> float:
    """Seconds in which the database copies the rows of `tables` into tables of the connection, without any index."""
    connection = await asyncpg.connect(url)
    try:
        began = time.perf_counter()
        for table in tables:
            await connection.execute(f"CREATE TEMP TABLE copy_{table} AS SELECT * FROM app.{table}")
        return time.perf_counter() - began
    finally:
        await connection.close()


def _rebuild(system: System) -> Round:
    load = os.getloadavg()[0]
    asked = system.client.post("/rebuilds", json={"replace": False}).raise_for_status().json()
    while (found := system.client.get(f"/rebuilds/{asked['rebuild_id']}").json())["state"] == "asked":
        time.sleep(0.2)  # the installation takes its own time; a rebuild has no live stream
    assert found["state"] == "done", found
    assert found["agrees"], found
    tables = [table["table"] for each in found["projections"] for table in each["tables"]]
    return Round(load, asyncio.run(_copied(system.database_url, tables)), found["projections"])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench rebuild")
    parser.add_argument("--repository", type=Path, help="a bare repository; Django's source archive where left out")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-rebuild-") as name:
        folder = Path(name)
        served = serve(folder / "served", asked.repository, "django")
        with System(folder / "installation" / "home") as system, GitServer(folder / "served") as host:
            accepted = system.analyse(host.url(served))
            view = system.wait(accepted["analysis_id"], {"ready", "refined"}, seconds=1_200)
            assert view["state"] in {"ready", "refined"}, view
            system.client.post(f"/analyses/{accepted['analysis_id']}/cancel").raise_for_status()
            time.sleep(3)  # the refinement gives up
            events = len(system.history(accepted["analysis_id"]))
            rounds = [_rebuild(system) for _ in range(asked.rounds)]
    told = report(served, events, rounds)
    RESULTS.write_text(told, "utf-8")
    print(told)


def report(name: str, events: int, rounds: Sequence[Round]) -> str:
    """What is written down: all rounds."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    names = [each["projection"] for each in rounds[0].report]
    rows = "\n".join(_row(one) for one in rounds)
    tables = ", ".join(f"{count:,} {table}" for table, count in rounds[0].tables.items() if count)
    return f"""# Read models built again

`python -m bench rebuild` on {machine}, {datetime.now(UTC):%Y-%m-%d}, all rounds. The analysis is {name}'s: {events:,}
events; rows: {tables}.

Seconds of a rebuild (`--check`: everything is built beside and compared, nothing is replaced), by projection and in
all; aimed at: {_AIMED:.0f}. The yardstick, after each round: the database alone copies the rows of all these tables,
without an index. `load` is the load average before each round.

| load | {" | ".join(names)} | all | yardstick | times the yardstick |
|---|{"---|" * len(names)}---|---|---|
{rows}
"""


def _row(one: Round) -> str:
    each = " | ".join(f"{float(projection['seconds']):.1f}" for projection in one.report)
    return f"| {one.load:.1f} | {each} | {one.seconds:.1f} | {one.copied:.2f} | {one.seconds / one.copied:.0f} |"
