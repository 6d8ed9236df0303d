"""How many requests one orchestrator process answers, how soon, and what sign-in and limits cost each of them.

`python -m bench requests [--seconds 20]` starts an orchestrator on its own servers, and writes what it measured to
bench/results/requests.md. Every request carries an API key. The yardstick is `/healthz`, which passes the same guard
and nothing else.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx
import uvloop

from tests.support.system import free_port
from tests.support.up import Up

RESULTS = Path(__file__).parent / "results" / "requests.md"
_TOGETHER = 16  # connections that ask without a pause
_REPOSITORIES = 50
_READS, _ACCEPTS = 100, 5  # a second, while analyses are accepted
_ALONE = 2_000  # requests one after the other, for the cost of one
_SCOPES = ["read:repositories", "write:analysis"]
# As many as the machine can do: what is measured is the cost of counting them, not the refusals.
_MANY = "key:1000000/second user:1000000/second tenant:1000000/second"
_LIMITS = {
    "REPOSTREAM_LIMITS_REQUESTS": _MANY,
    "REPOSTREAM_LIMITS_ANALYSES": _MANY,
    "REPOSTREAM_LIMITS_BYTES": _MANY.replace("1000000", "1000000000000"),
    "REPOSTREAM_QUOTA_RUNNING": "1000000",
    "REPOSTREAM_QUOTA_REPOSITORIES": "1000000",
}


@dataclass
class Tally:
    """Seconds that each answer took, and how many answers were not a success."""

    took: list[float] = field(default_factory=list)
    refused: int = 0

    def at(self, percent: int) -> float:
        """A percentile in milliseconds."""
        return statistics.quantiles(self.took, n=100, method="inclusive")[percent - 1] * 1_000


class Connection(asyncio.Protocol):
    """One connection, kept alive; `ask` sends a request and returns once its answer is whole."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer = b""
        self._done: asyncio.Future[int] | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be asked over it any more."""
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no such base

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if found and self._done is not None and len(body) >= _length(head):
            self._done.set_result(int(head[9:12]))
            self._done = None

    def connection_lost(self, error: Exception | None) -> None:
        if self._done is not None:
            self._done.set_exception(error or ConnectionResetError())

    async def ask(self, request: bytes) -> int:
        """The status of the answer."""
        assert self._transport is not None
        self._answer, self._done = b"", asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._done


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@dataclass(frozen=True)
class Api:
    """Where requests go, and with which key."""

    port: int
    key: str

    def get(self, path: str) -> bytes:
        """A reading request."""
        return f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode()

    def post(self, path: str, body: str) -> bytes:
        """A changing request."""
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST {path} HTTP/1.1\r\n{self._head}{length}\r\n{body}".encode()

    @property
    def _head(self) -> str:
        return f"Host: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.key}\r\nAccept: application/json\r\n"

    async def connect(self) -> Connection:
        """A connection of its own."""
        return (await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port))[1]


async def _timed(connection: Connection, request: bytes, tally: Tally) -> None:
    began = time.perf_counter()
    status = await connection.ask(request)
    tally.took.append(time.perf_counter() - began)
    tally.refused += status >= 300


async def _flat_out(api: Api, request: bytes, seconds: float) -> Tally:
    """Ask over several connections, each as fast as it is answered."""
    tally, until = Tally(), time.perf_counter() + seconds

    async def one() -> None:
        connection = await api.connect()
        while time.perf_counter() < until:
            await _timed(connection, request, tally)

    await asyncio.gather(*(one() for _ in range(_TOGETHER)))
    return tally


async def _paced(api: Api, requests: Callable[[int], bytes], rate: int, seconds: float) -> Tally:
    """Ask `rate` times a second, however long the answers take; a late one counts from when it was due."""
    tally, free = Tally(), [await api.connect() for _ in range(_TOGETHER)]
    began, asked = time.perf_counter(), []

    async def one(number: int) -> None:
        while free and free[-1].is_closed:  # the server ends what says nothing for some seconds
            free.pop()
        connection = free.pop() if free else await api.connect()
        await _timed(connection, requests(number), tally)
        free.append(connection)

    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        asked.append(asyncio.create_task(one(number)))
    await asyncio.gather(*asked)
    return tally


async def _in_turn(api: Api, requests: Sequence[bytes]) -> list[Tally]:
    """Ask for each in turn, again and again, over one connection, so that all meet the same weather."""
    connection, tallies = await api.connect(), [Tally() for _ in requests]
    for _ in range(_ALONE):
        for request, tally in zip(requests, tallies, strict=True):
            await _timed(connection, request, tally)
    return tallies


async def _measure(api: Api, seconds: float) -> dict[str, Tally]:
    repositories = api.get("/api/v1/repositories")
    for number in range(_REPOSITORIES):
        await (await api.connect()).ask(_begin(api, f"seed-{number}"))
    await asyncio.sleep(2)  # the read model follows
    await _flat_out(api, repositories, 3)  # warm
    reads = await _flat_out(api, repositories, seconds)
    bare, signed = await _in_turn(api, [api.get("/healthz"), api.get("/api/v1/config")])
    accepts, beside = await asyncio.gather(
        _paced(api, lambda number: _begin(api, f"load-{number}"), _ACCEPTS, seconds),
        _paced(api, lambda _: repositories, _READS, seconds),
    )
    return {"reads": reads, "bare": bare, "signed": signed, "accepts": accepts, "beside": beside}


def _begin(api: Api, name: str) -> bytes:
    return api.post("/api/v1/analyses", f'{{"url": "http://127.0.0.1:9/bench/{name}"}}')


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench requests")
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-requests-") as name:
        port = free_port()
        settings = {"REPOSTREAM_INTAKE_LOOPBACK": "true", "REPOSTREAM_ORCHESTRATOR_PORT": str(port), **_LIMITS}
        with Up(Path(name) / "home", services=("orchestrator",), **settings) as up:
            url = up.wait_ready()["api"]
            key = httpx.post(f"{url}/api/v1/me/keys", json={"name": "bench", "scopes": _SCOPES}).raise_for_status()
            api = Api(urlsplit(url).port or port, key.json()["secret"])
            tallies = uvloop.run(_measure(api, arguments.seconds))
    report = _report(tallies, arguments.seconds, load)
    RESULTS.write_text(report)
    print(report)


def _report(tallies: dict[str, Tally], seconds: float, load: float) -> str:
    reads, bare, signed, accepts = (tallies[name] for name in ("reads", "bare", "signed", "accepts"))
    refused = sum(tally.refused for tally in tallies.values())
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    rate = f"{len(reads.took) / seconds:,.0f} a second"
    rows = (
        (f"list of {_REPOSITORIES} repositories, {_TOGETHER} connections flat out for {seconds:.0f} s", rate, "≥ 500"),
        ("… p50 / p95", f"{reads.at(50):.1f} / {reads.at(95):.1f} ms", "p95 ≤ 50 ms"),
        (f"`/healthz` (the yardstick), p50 of {len(bare.took):,}", f"{bare.at(50):.2f} ms", ""),
        ("`/api/v1/config`, a signed-in request that reads nothing, p50", f"{signed.at(50):.2f} ms", ""),
        ("… what sign-in, scope, limits and routing add", f"{signed.at(50) - bare.at(50):.2f} ms", "≤ 1.5 ms"),
        (
            f"accept an analysis (committed), {_ACCEPTS} a second beside {_READS} reads a second, p50 / p95",
            f"{accepts.at(50):.1f} / {accepts.at(95):.1f} ms",
            "p95 ≤ 60 ms",
        ),
    )
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""# Requests to one orchestrator process

`python -m bench requests` on {machine}; load average before it, of other work: {load:.1f}. Every request carries an API
key; the client and PostgreSQL share the cores. {refused} of all requests were refused.

| | measured | target |
|---|---|---|
{table}
"""
