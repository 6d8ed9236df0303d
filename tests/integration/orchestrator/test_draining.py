"""The service is told to end under load: what it took is answered, streams are sent elsewhere, and nobody fails."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from runtime.embedded.child import free_port
from tests.support.orchestrator import configure, eventually

_SERVE = "from cli.services import load, serve; load('orchestrator'); serve('orchestrator')"
ROUNDS, CLIENTS, STREAMS = 3, 12, 5
_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)  # of a kept connection, under the request


@dataclass
class Load:
    """What the clients did: when each request began and ended, and how often they had to come again."""

    url: str
    spans: list[tuple[float, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    again: int = 0
    over: bool = False

    async def client(self, repository: dict[str, str]) -> None:
        """Read, and change something under a key, for as long as the test goes on."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as http:
            while not self.over:
                await self._ask(http, "GET", "/api/v1/analyses")
                await self._ask(http, "POST", "/api/v1/conversations", json=repository)

    async def _ask(self, http: httpx.AsyncClient, method: str, path: str, json: object = None) -> None:
        headers, began = {"Idempotency-Key": str(uuid4())}, time.monotonic()
        while True:
            try:
                reply = await http.request(method, path, json=json, headers=headers)
            except (httpx.ConnectError, *_LOST):
                self.again += 1
                await asyncio.sleep(0.05)
                continue
            if reply.status_code == 409 and reply.json()["code"] == "idempotency_in_flight":
                await asyncio.sleep(0.2)
                continue
            if not reply.is_success:
                self.failed.append(f"{reply.status_code} {reply.text}")
            self.spans.append((began, time.monotonic()))
            return


@asynccontextmanager
async def orchestrator(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as `up` runs it, in a process of its own; ended at the end."""
    environment = os.environ | {"REPOSTREAM_ORCHESTRATOR_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVE, env=environment)
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(600):
                try:
                    if (await http.get(f"http://127.0.0.1:{port}/healthz")).is_success:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _last_words(url: str, path: str, opened: asyncio.Semaphore) -> bytes:
    """All that a stream said until the service ended it."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http, http.stream("GET", path) as reply:
        said = b""
        async for piece in reply.aiter_raw():
            if not said:
                opened.release()
            said += piece
    return said


async def _counted(load: Load) -> int:
    return len(load.spans)


@pytest.mark.timeout(180)
async def test_three_ends_under_load_fail_no_request_and_send_every_stream_elsewhere(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> None:
    configure(monkeypatch, database_url=database_url, redis_url=redis_url, home=home)
    port = free_port()
    load = Load(f"http://127.0.0.1:{port}")
    clients: list[asyncio.Task[None]] = []
    for round_ in range(ROUNDS):
        async with orchestrator(port) as process:
            async with httpx.AsyncClient(base_url=load.url, trust_env=False) as http:
                begun = await http.post("/api/v1/analyses", json={"url": "https://github.com/pallets/flask"})
            analysis = begun.json()
            if not clients:
                what = {"repository_id": analysis["repository_id"]}
                clients += [asyncio.create_task(load.client(what)) for _ in range(CLIENTS)]
            opened = asyncio.Semaphore(0)
            path = f"/api/v1/analyses/{analysis['analysis_id']}/events"
            streams = [asyncio.create_task(_last_words(load.url, path, opened)) for _ in range(STREAMS)]
            for _ in range(STREAMS):
                await opened.acquire()
            await asyncio.sleep(0.5)
            told = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(process.wait(), 30)
            ended = time.monotonic()
            said = await asyncio.wait_for(asyncio.gather(*streams), 5)

        crossing = [span for span in load.spans if span[0] < told < span[1] <= ended]
        assert code in {0, -signal.SIGTERM}, round_
        assert ended - told < 30
        assert crossing, "no request was at work when the signal came: nothing is proved"
        assert all(words.endswith(b"event: resync\ndata: {}\n\n") for words in said), said
        assert all(b"retry: " in words for words in said)
    async with orchestrator(port):
        done = len(load.spans)
        await eventually(lambda: _counted(load), lambda count: count >= done + 2 * CLIENTS)
        load.over = True
        await asyncio.gather(*clients)

    assert load.failed == []
    assert load.again > 0
    assert len(load.spans) > 100
