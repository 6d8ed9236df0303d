"""The event kernel: how fast an appended event reaches its handler, and how many a second go through.

`python -m bench kernel [--events 20000] [--latencies 300] [--runs 5]` starts its own PostgreSQL (with fsync) and
Valkey, and writes what it measured, with the machine's size and load, to bench/results/kernel.md.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import LOCAL_TENANT, Context, Draft, Envelope, derived_id
from events.catalog import CONSUMERS, WORKFLOW
from events.delivery.pump import Pump
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Result
from events.log.feed import PostgresFeed
from events.log.postgres import PostgresJournal
from events.log.relay import Relay
from events.log.sequencer import sequence
from events.log.streams import RedisStreams
from events.log.wake import Wake
from events.processing import ProcessingRequested
from migrations import upgrade
from runtime.broker import create_broker, create_redis
from runtime.database import create_engine
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey
from runtime.settings import BrokerSettings, DatabaseSettings

RESULTS = Path(__file__).parent / "results" / "kernel.md"
_CONSUMER = "orchestrator.workflow"
_PER_APPEND = 50
_BATCH = 500
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Figures:
    """What was measured: milliseconds, and events a second."""

    p50: float
    p99: float
    append_p50: float
    appended: float
    relayed: float
    consumed: float


@dataclass(frozen=True)
class Bench:
    """Clients of the servers under measurement."""

    engine: AsyncEngine
    redis: Redis
    broker: BrokerSettings

    def subscriber(self) -> EventSubscriber:
        return EventSubscriber(create_broker(self.broker), self.engine, self.redis, worker="bench")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench kernel")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--latencies", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5, help="how often; the report has medians and ranges")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    figures = [_run(arguments.events, arguments.latencies) for _ in range(arguments.runs)]
    report = _report(figures, arguments.events, arguments.latencies, load)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(report)
    print(report)


def _run(events: int, latencies: int) -> Figures:
    """Everything once, on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-kernel-") as folder:
        postgres, valkey = EmbeddedPostgres(Path(folder) / "postgres"), EmbeddedValkey(Path(folder) / "valkey")
        try:
            urls = postgres.start(), valkey.start()
            upgrade(urls[0])
            return uvloop.run(_measure(*urls, events, latencies))
        finally:
            valkey.stop()
            postgres.stop()


async def _measure(database_url: str, redis_url: str, events: int, latencies: int) -> Figures:
    broker = BrokerSettings(url=SecretStr(redis_url))
    engine = create_engine(DatabaseSettings(url=SecretStr(database_url), pool_size=10), application="bench")
    bench = Bench(engine, create_redis(broker), broker)
    try:
        through, own = await _latencies(bench, latencies)
        appended = await _append(bench, events)
        relayed = await _relay(bench, events)
        consumed = await _consume(bench, events)
    finally:
        await bench.redis.aclose()
        await engine.dispose()
    return Figures(
        _percentile(through, 50), _percentile(through, 99), _percentile(own, 50), appended, relayed, consumed
    )


async def _latencies(bench: Bench, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the start of an append to its handler, and of the append itself; one event at a time."""
    handled: dict[str, float] = {}

    async def handle(envelope: Envelope, _: AsyncConnection) -> Result:
        handled[str(envelope.event_id)] = time.perf_counter()
        return Result()

    pump, subscriber = Pump(bench.engine, bench.redis), bench.subscriber()
    subscriber.short(WORKFLOW, _CONSUMER, handle)
    await pump.start()
    await subscriber.start()
    journal = PostgresJournal(bench.engine, Wake(bench.redis))
    through: list[float] = []
    own: list[float] = []
    await asyncio.sleep(1.0)  # connections are made, groups are there
    for number in range(count + 20):
        draft = _draft(-1 - number)
        began = time.perf_counter()
        await journal.append(f"analysis/latency-{number % 10}", [draft])
        own.append((time.perf_counter() - began) * 1_000)
        while str(draft.event_id) not in handled:  # noqa: ASYNC110  # an event would add its own delay
            await asyncio.sleep(0.0005)
        through.append((handled[str(draft.event_id)] - began) * 1_000)
        await asyncio.sleep(0.01)
    await subscriber.stop()
    await pump.stop()
    return through[20:], own[20:]  # without the first ones, which make connections and plans


async def _append(bench: Bench, count: int) -> float:
    """Events a second into the log: four writers, fifty events an append."""
    journal, began = PostgresJournal(bench.engine), time.perf_counter()

    async def write(writer: int) -> None:
        for first in range(writer * _PER_APPEND, count, 4 * _PER_APPEND):
            drafts = [_draft(number) for number in range(first, min(count, first + _PER_APPEND))]
            await journal.append(f"analysis/{first // _PER_APPEND}", drafts)

    await asyncio.gather(*(write(writer) for writer in range(4)))
    return count / (time.perf_counter() - began)


async def _relay(bench: Bench, count: int) -> float:
    """Events a second from the outbox to the stream: one sequencer and one relay, in one process."""
    relay, began, moved = (
        Relay(PostgresFeed(bench.engine), RedisStreams(bench.redis), CONSUMERS),
        time.perf_counter(),
        0,
    )

    async def place() -> None:
        while await sequence(bench.engine):
            pass

    async def carry() -> None:
        nonlocal moved
        while moved < count:
            moved += await relay.step()

    await relay.check()
    await asyncio.gather(place(), carry())
    return count / (time.perf_counter() - began)


async def _consume(bench: Bench, count: int) -> float:
    """Events a second through a batched consumer, each batch one transaction with its inbox rows."""
    done, finished = 0, asyncio.Event()

    async def handle(envelopes: Sequence[Envelope], _: AsyncConnection) -> Result:
        nonlocal done
        done += len(envelopes)
        if done >= count:
            finished.set()
        return Result()

    subscriber = bench.subscriber()
    subscriber.batch(WORKFLOW, _CONSUMER, handle, size=_BATCH, slots=2)
    began = time.perf_counter()
    await subscriber.start()
    await finished.wait()
    took = time.perf_counter() - began
    await subscriber.stop()
    async with bench.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT count(*) FROM es.inbox"))).scalar_one()
    assert rows >= count, f"{rows} inbox rows for {count} events"
    return count / took


def _draft(number: int) -> Draft:
    event = ProcessingRequested(
        analysis_id=derived_id("bench", number), url=f"https://example.org/{number}", ref="main"
    )
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=event.analysis_id)
    return Draft(event_id=derived_id("event", number), occurred_at=_NOW, context=context, event=event)


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _spread(runs: Sequence[Figures], name: str, unit: str) -> str:
    values = [getattr(figures, name) for figures in runs]
    digits = 1 if unit == "ms" else 0
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} {unit} ({low} to {high})"


def _report(runs: Sequence[Figures], events: int, latencies: int, load: float) -> str:
    rows = (
        ("append began → handler, p50", "p50", "ms", "≤ 10"),
        ("append began → handler, p99", "p99", "ms", "≤ 50"),
        ("… of which the append, p50", "append_p50", "ms", ""),
        (f"append, 4 writers x {_PER_APPEND} events", "appended", "events/s", ""),
        ("sequencer + relay, one process", "relayed", "events/s", "≥ 10,000"),
        (f"batched consumer, one process, 2 transactions of {_BATCH} side by side", "consumed", "events/s", "≥ 20,000"),
    )
    table = "\n".join(f"| {what} | {_spread(runs, name, unit)} | {target} |" for what, name, unit, target in rows)
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"""# The event kernel

`python -m bench kernel --events {events} --latencies {latencies} --runs {len(runs)}` on {machine},
uvloop (as the services run), PostgreSQL 18 with fsync and Valkey 9.1, all on that machine.
Load average before the run, of other work: {load:.1f}.

| | median (range) of {len(runs)} runs | target |
|---|---|---|
{table}

Latencies are of single events, one at a time, with pump and handler in one process; throughputs of {events:,} events.
"""
