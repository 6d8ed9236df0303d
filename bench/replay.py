"""How fast a history is folded, and how soon any point of a long one is shown.

`python -m bench replay [--events 10000] [--looks 200] [--runs 3]` starts its own PostgreSQL, draws an analysis of so
many events with its private fields sealed, and writes what it measured to bench/results/replay.md.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.machine import yardstick
from events.artifacts import ArtifactKind, ArtifactRef
from events.base import LOCAL_TENANT, Context, Draft, Envelope, Event, derived_id
from events.log.drafts import record
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from events.processing import ProcessingRequested, Stage, StageCompleted, StageRequested, StageStarted
from events.replay.difference import difference
from events.replay.history import fold
from migrations import upgrade
from orchestrator.adapters.inspection import At, Inspection
from orchestrator.adapters.journals import Journals
from orchestrator.adapters.readmodels import ReadModels
from orchestrator.adapters.repository_pasts import RepositoryPasts
from orchestrator.adapters.snapshots import KeptPasts, Snapshots
from orchestrator.projections.pasts import fold_of
from orchestrator.workflow import replay
from runtime.database import SEALER, create_engine
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.sealing import Sealer, fresh_key
from runtime.settings import DatabaseSettings
from runtime.tenancy import TenantDatabase

RESULTS = Path(__file__).parent / "results" / "replay.md"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_FOLDED = 100_000  # a second, aimed at
_SOON = 200  # ms, aimed at
_ANALYSIS = UUID(int=7)
_STREAM = f"analysis/{_ANALYSIS}"
_PER_APPEND = 200
_STEPS = "\n## What each step gained\n"


@dataclass(frozen=True)
class Run:
    """What one run measured: events a second, and milliseconds of each look, by the clock and of processor time."""

    yardstick: float
    plain: float
    shown: float
    decided: float
    kept: float
    whole: float
    first: float
    first_own: float
    looks: list[float]
    own: list[float]
    load: float


def drawn(events: int) -> Iterator[Draft]:
    """An analysis of so many events: a request, then shards that are asked for, taken and parsed, a hundred at once."""
    context = Context(
        tenant_id=LOCAL_TENANT, correlation_id=UUID(int=1), repository_id=UUID(int=2), user_id=UUID(int=3)
    )
    url, shards = "https://example.org/drawn", (events - 1) // 3 + 1

    def draft(number: int, event: Event, stage: str | None) -> Draft:
        at = _NOW + timedelta(milliseconds=10 * number)
        return Draft(event_id=derived_id("replay", number), occurred_at=at, context=context, event=event, stage=stage)

    asked = ProcessingRequested(analysis_id=_ANALYSIS, url=url, ref="main")
    yield draft(0, asked, None)
    number = 1
    for first in range(0, shards, 100):
        for make in (_requested, _started, _completed):
            for shard in range(first, min(first + 100, shards)):
                if number < events:
                    yield draft(number, make(shard, shards, url), "parse")
                    number += 1


def _key(shard: int) -> dict[str, object]:
    return {"run_id": derived_id("run", shard), "stage": Stage.PARSE, "shard": shard, "attempt": 1}


def _requested(shard: int, shards: int, url: str) -> Event:
    return StageRequested.model_validate(
        {**_key(shard), "shards": shards, "analysis_id": _ANALYSIS, "url": url, "ref": "main"}
    )


def _started(shard: int, _shards: int, _url: str) -> Event:
    return StageStarted.model_validate({**_key(shard), "worker": "worker-1"})


def _completed(shard: int, shards: int, _url: str) -> Event:
    sha = f"{shard:064x}"
    ref = ArtifactRef(kind=ArtifactKind.SYMBOLS, key=f"symbols/{sha}.parquet", sha256=sha, rows=40, bytes=9_000)
    counts = {"symbols": 40, "chunks": 31, "edges": 120, "parsed": 12}
    more = {"duration": 1.2, "files_processed": 12, "counts": counts, "artifacts": (ref,), "facts": {"failed": {}}}
    return StageCompleted.model_validate({**_key(shard), "shards": shards, **more})


def _rate(events: list[Envelope], work: Callable[[], object]) -> float:
    """Events a second of this process's own processor time: what else the machine does is not counted."""
    began = time.process_time()
    work()
    return len(events) / (time.process_time() - began)


def _fold(envelopes: list[Envelope]) -> object:
    how = fold_of(_STREAM)
    return fold(envelopes, how.evolve, how.initial())


_ANALYSED = text("""
INSERT INTO app.analyses (analysis_id, tenant_id, repository_id, state, version, requested_at, record)
VALUES (:id, :tenant, :repository, 'ready', :version, now(), '{}')
""")


class _Silent:
    """Nothing is appended through it."""

    def appended(self) -> None:
        raise AssertionError("a look appends nothing")


async def measure(engine: AsyncEngine, envelopes: list[Envelope], looks: int) -> Run:
    """One run: folds in memory, then looks through the service's own reading of PostgreSQL."""
    load = os.getloadavg()[0]
    plain = _rate(envelopes, lambda: fold(envelopes, lambda count, _one: count + 1, 0))
    shown = _rate(envelopes, lambda: _fold(envelopes))
    decided = _rate(envelopes[:2_000], lambda: replay(envelopes[:2_000]))
    rows = TenantDatabase(engine)
    repositories = RepositoryPasts(ReadModels(rows).streams_of)
    inspection = Inspection(Journals(rows, cast("Wake", _Silent())), repositories, KeptPasts(rows))
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE es.snapshots"))
    began = time.process_time()
    await inspection.look(LOCAL_TENANT, _STREAM, At())
    whole = (time.process_time() - began) * 1_000
    began = time.process_time()
    while await Snapshots(engine).keep_next():
        pass
    kept = (time.process_time() - began) * 1_000
    took, own = [], []
    draw = random.Random(7)  # the same points in every run
    for _ in range(looks + 1):
        version = draw.randint(1, len(envelopes)) if took else len(envelopes)
        began, busy = time.perf_counter(), time.process_time()
        found = await inspection.look(LOCAL_TENANT, _STREAM, At(version=version))
        assert found is not None
        assert found.version == version
        json.dumps([found.after, [one._asdict() for one in difference(found.before, found.after)]])
        took.append((time.perf_counter() - began) * 1_000)
        own.append((time.process_time() - busy) * 1_000)
    return Run(yardstick(), plain, shown, decided, kept, whole, took[0], own[0], took[1:], own[1:], load)


async def _runs(engine: AsyncEngine, events: int, looks: int, rounds: int) -> list[Run]:
    drafts, journal = list(drawn(events)), PostgresJournal(engine)
    for first in range(0, len(drafts), _PER_APPEND):
        await journal.append(_STREAM, drafts[first : first + _PER_APPEND])
    await _in_its_read_model(engine, len(drafts))
    envelopes = [record(draft, _STREAM, number) for number, draft in enumerate(drafts, 1)]
    del drafts
    gc.collect()
    gc.freeze()  # the drawn history is the benchmark's own: a service has none in memory to go through
    return [await measure(engine, envelopes, looks) for _ in range(rounds)]


async def _in_its_read_model(engine: AsyncEngine, events: int) -> None:
    """What tells whoever keeps states that the analysis is there."""
    values = {"id": _ANALYSIS, "tenant": LOCAL_TENANT, "repository": UUID(int=2), "version": events}
    async with engine.begin() as connection:
        await connection.execute(_ANALYSED, values)


async def _all(events: int, looks: int, rounds: int) -> list[Run]:
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            url = postgres.start()
            upgrade(url)
            engine = create_engine(DatabaseSettings(url=SecretStr(url)), application="bench")
            found = await _runs(engine.execution_options(**{SEALER: Sealer(fresh_key())}), events, looks, rounds)
            await engine.dispose()
        finally:
            postgres.stop()
    return found


def _line(run: Run) -> str:
    slow, own = (statistics.quantiles(values, n=20)[-1] for values in (run.looks, run.own))
    return (
        f"| {run.load:.1f} | {run.yardstick:.1f} | {run.plain:,.0f} | {run.shown:,.0f} | {run.decided:,.0f} | "
        f"{run.kept:,.0f} | {run.whole:,.0f} | {run.first:,.0f} / {run.first_own:,.0f} | "
        f"{statistics.median(run.looks):,.0f} / {statistics.median(run.own):,.0f} | "
        f"{slow:,.0f} / {own:,.0f} | {max(run.looks):,.0f} / {max(run.own):,.0f} |"
    )


def report(found: list[Run], events: int, looks: int) -> str:
    """What is written down: all runs."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    rows = "\n".join(_line(run) for run in found)
    asked = f"python -m bench replay --events {events} --looks {looks} --runs {len(found)}"
    return f"""# Looking at the past

`{asked}` on {machine}, {datetime.now(UTC):%Y-%m-%d}, all runs.
One analysis of {events:,} events ({(events - 1) // 3:,} shards of one stage), its private fields sealed, in the
embedded PostgreSQL.

Folds are events a second of the process's own processor time, in memory, once each: *plain* counts them, *shown* makes
what people see of an analysis (aimed at: {_FOLDED:,}), *decided* what the workflow decides on (the first 2,000 events).
Looks are ms by the clock / of the process's own processor time, from the question to the state before and after with
their difference as JSON: *first* is at the newest event, the others are at {looks} random points; each begins at the
nearest state that is kept beside the log (aimed at: {_SOON}). *keep* is the processor time (ms) in which the states of
the whole analysis are made and kept, once, in the background; *whole* that of a look where none is kept yet. The
yardstick is millions of additions a second by the clock, on one core: where it is lower, other work had the machine.

| load | yardstick | plain | shown | decided | keep | whole | first | median | p95 | slowest |
|---|---|---|---|---|---|---|---|---|---|---|
{rows}
"""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench replay")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    found = asyncio.run(_all(asked.events, asked.looks, asked.runs))
    told = report(found, asked.events, asked.looks)
    _, steps, written = RESULTS.read_text("utf-8").partition(_STEPS)  # by hand, of looks in turn with the code before
    RESULTS.write_text(told + steps + written, "utf-8")
    print(told)
