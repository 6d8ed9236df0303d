"""Ten thousand people watch one analysis: how soon each sees an event, what it costs, and whether anybody misses one.

`python -m bench viewers [--viewers 10000] [--seconds 300]` starts an orchestrator on its own servers, opens that many
event streams, appends an event each second, breaks off one connection in five hundred each second (its viewer comes
back with `Last-Event-ID`), and writes what it measured to bench/results/viewers.md.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import psutil
import uvloop
from pydantic import SecretStr

from events.base import LOCAL_TENANT, Context, Draft
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from events.processing import Stage, StageStarted
from runtime.broker import create_redis
from runtime.database import create_engine
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey
from runtime.sealing import fresh_key
from runtime.settings import BrokerSettings, DatabaseSettings
from tests.support.system import free_port
from tests.support.up import Up

T = TypeVar("T")
RESULTS = Path(__file__).parent / "results" / "viewers.md"
_OPENING = 200  # connections begun at once
_LEAVING = 0.002  # of the viewers, each second
_SETTLE = 10.0  # seconds for the last events to arrive
_BROWSER = """Accept: text/event-stream\r
Accept-Encoding: gzip, deflate, br, zstd\r
Accept-Language: en-GB,en;q=0.9\r
Cache-Control: no-cache\r
Connection: keep-alive\r
Sec-Fetch-Dest: empty\r
Sec-Fetch-Mode: cors\r
Sec-Fetch-Site: same-origin\r
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r
"""
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass
class Board:
    """What all viewers write on: when each version was appended, and how long it took to each viewer."""

    appended: dict[int, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    returns: int = 0
    gaps: int = 0


class Viewer(asyncio.Protocol):
    """One open event stream. It remembers the last version it saw, and asks for what follows when it comes back."""

    def __init__(self, target: str, host: str, board: Board) -> None:
        self._target, self._host, self._board = target, host, board
        self.seen = 0
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._rest = cast("asyncio.Transport", transport), b""  # uvloop's has no such base
        self.lost.clear()
        head = f"GET {self._target} HTTP/1.1\r\nHost: {self._host}\r\nLast-Event-ID: {self.seen}\r\n{_BROWSER}\r\n"
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        whole, _, self._rest = (self._rest + data).rpartition(b"\n\n")
        for found in _ID.finditer(whole):
            version = int(found[1])
            self._board.gaps += version != self.seen + 1
            if version in self._board.appended and version > self.seen:
                self._board.delays.append(now - self._board.appended[version])
            self.seen = version

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        self.lost.set()

    def leave(self) -> None:
        """Break the connection off."""
        if self._transport is not None:
            self._transport.abort()


async def _watch(viewer: Viewer, port: int, board: Board, gate: asyncio.Semaphore) -> None:
    """Stay connected until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        async with gate:
            await loop.create_connection(lambda: viewer, "127.0.0.1", port)
        await viewer.lost.wait()
        board.returns += 1


async def _run(home: Path, api: str, analysis_id: str, count: int, seconds: int) -> tuple[Board, list[Viewer], float]:
    """Let them all watch; the board, the viewers, and how long the opening took."""
    parts, board, gate = urlsplit(api), Board(), asyncio.Semaphore(_OPENING)
    assert parts.port is not None
    target = f"/api/v1/analyses/{analysis_id}/events"
    viewers = [Viewer(target, parts.netloc, board) for _ in range(count)]
    began = time.perf_counter()
    tasks = [asyncio.create_task(_watch(viewer, parts.port, board, gate)) for viewer in viewers]
    await _all_saw(viewers, 1, within=300)
    opened = time.perf_counter() - began
    board.delays.clear()
    version = await _append(home, UUID(analysis_id), board, viewers, seconds)
    await _all_saw(viewers, version, within=_SETTLE)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return board, viewers, opened


async def _all_saw(viewers: list[Viewer], version: int, *, within: float) -> None:
    """Return once everybody has seen `version`, or time is up."""
    until = time.perf_counter() + within
    while min(viewer.seen for viewer in viewers) < version and time.perf_counter() < until:  # noqa: ASYNC110  # of thousands
        await asyncio.sleep(0.1)


async def _append(home: Path, analysis_id: UUID, board: Board, viewers: list[Viewer], seconds: int) -> int:
    """Append an event each second and break some connections off; the last version."""
    url = EmbeddedPostgres(home / "postgres").remembered_url()
    redis = create_redis(BrokerSettings(url=SecretStr(EmbeddedValkey(home / "valkey").remembered_url())))
    engine = create_engine(DatabaseSettings(url=SecretStr(url)), application="bench")
    journal, stream_id = PostgresJournal(engine, Wake(redis)), f"analysis/{analysis_id}"
    version = (await journal.read_stream(stream_id))[-1].version
    for _ in range(seconds):
        version += 1
        board.appended[version] = time.perf_counter()
        await journal.append(stream_id, [_draft()])
        for viewer in random.sample(viewers, int(len(viewers) * _LEAVING)):
            viewer.leave()
        await asyncio.sleep(1)
    await engine.dispose()
    await redis.aclose()
    return version


def _draft() -> Draft:
    event = StageStarted(run_id=uuid4(), stage=Stage.CLONE, shard=0, attempt=1, worker="bench")
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=uuid4())
    return Draft(event_id=uuid4(), occurred_at=datetime.now(UTC), context=context, event=event, stage="clone")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench viewers")
    parser.add_argument("--viewers", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=300)
    arguments = parser.parse_args()
    limit = arguments.viewers + 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-viewers-") as name:
        report = _measure(Path(name) / "home", arguments.viewers, arguments.seconds, load)
    RESULTS.write_text(report)
    print(report)


def _measure(home: Path, count: int, seconds: int, load: float) -> str:
    os.environ["REPOSTREAM_SECRET_KEY"] = key = fresh_key()  # this process appends to the same log
    settings = {
        "REPOSTREAM_INTAKE_LOOPBACK": "true",
        "REPOSTREAM_ORCHESTRATOR_PORT": str(free_port()),
        "REPOSTREAM_SECRET_KEY": key,
    }
    with Up(home, services=("orchestrator",), **settings) as up:
        api = up.wait_ready()["api"]
        orchestrator = up.child("orchestrator")
        asked = httpx.post(f"{api}/api/v1/analyses", json={"url": "http://127.0.0.1:9/team/project"})
        asked.raise_for_status()
        before = _resident(orchestrator)
        peaks: list[float] = []
        board, viewers, opened = uvloop.run(
            _with_peak(_run(home, api, asked.json()["analysis_id"], count, seconds), orchestrator, peaks)
        )
    behind = sum(viewer.seen < max(board.appended) for viewer in viewers)
    quantiles = statistics.quantiles(board.delays, n=100, method="inclusive")
    facts = {
        "viewers": count,
        "opened_seconds": round(opened, 1),
        "held_seconds": seconds,
        "events": len(board.appended),
        "returns": board.returns,
        "missed_or_doubled": board.gaps,
        "behind_at_the_end": behind,
        "p50_ms": round(quantiles[49] * 1_000),
        "p99_ms": round(quantiles[98] * 1_000),
        "resident_before_mib": round(before),
        "resident_peak_mib": round(max(peaks)),
        "deliveries": len(board.delays),
    }
    print(json.dumps(facts))
    return _report(facts, load)


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / (1 << 20)


async def _with_peak(work: Coroutine[Any, Any, T], process: psutil.Process, peaks: list[float]) -> T:
    """`work`, while the resident size of `process` is written down each second."""

    async def look() -> None:
        while True:
            peaks.append(_resident(process))
            await asyncio.sleep(1)

    looking = asyncio.create_task(look())
    try:
        return await work
    finally:
        looking.cancel()


def _report(facts: dict[str, float], load: float) -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"""# Ten thousand viewers of one analysis

`python -m bench viewers` on {machine}; load average before it, of other work: {load:.1f}. One orchestrator process; the
viewers share the cores with it. An event is appended each second, and one connection in five hundred broken off
each second, whose viewer comes back with `Last-Event-ID`.

| | measured | target |
|---|---|---|
| viewers connected, in {facts["opened_seconds"]} s | {facts["viewers"]:,} | 10,000 |
| held, with {facts["events"]:,} events and {facts["returns"]:,} returns | {facts["held_seconds"]} s | 300 s |
| append begun → viewer, p50 of {facts["deliveries"]:,} | {facts["p50_ms"]} ms | |
| … p99 (what a returning viewer missed counts too) | {facts["p99_ms"]:,} ms | ≤ 2,000 ms |
| milestones missed or doubled | {facts["missed_or_doubled"]} | 0 |
| viewers that had not seen the last event at the end | {facts["behind_at_the_end"]} | 0 |
| the orchestrator's resident size before | {facts["resident_before_mib"]} MiB | |
| … at its peak | {facts["resident_peak_mib"]} MiB | ≤ 300 MiB |
"""
