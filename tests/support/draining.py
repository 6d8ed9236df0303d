"""A service in a process of its own that is told to end under load: clients, and people who watch event streams."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

_SERVE = "from cli.services import load, serve; load('{name}'); serve('{name}')"
_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)  # of a kept connection, under the request


@dataclass
class Load:
    """What the clients did: when each request began and ended, and how often they had to come again."""

    url: str
    spans: list[tuple[float, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    again: int = 0
    over: bool = False

    async def client(self, repository: dict[str, str] | None) -> None:
        """Read, and change something under a key where there is a repository, for as long as the test goes on."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as http:
            while not self.over:
                await self._ask(http, "GET", "/api/v1/analyses")
                if repository is not None:
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
async def serving(name: str, port: int, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as `up` runs it; ended at the end."""
    settings = os.environ | {f"REPOSTREAM_{name.upper()}_PORT": str(port)} | environment
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVE.format(name=name), env=settings)
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


async def last_words(url: str, path: str, opened: asyncio.Semaphore) -> bytes:
    """All that a stream said until the service ended it."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http, http.stream("GET", path) as reply:
        said = b""
        async for piece in reply.aiter_raw():
            if not said:
                opened.release()
            said += piece
    return said
