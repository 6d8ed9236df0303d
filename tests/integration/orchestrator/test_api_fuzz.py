"""The API holds to its own description whatever is sent: no 5xx, no undeclared status, no other shape."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tests.support.fuzz import fuzz
from tests.support.orchestrator import System, a_system


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    for name in ("REQUESTS", "ANALYSES", "QUESTIONS"):  # or most requests would meet the limit and nothing behind it
        monkeypatch.setenv(f"REPOSTREAM_LIMITS_{name}", "user:1000000/minute")
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_no_request_breaks_the_description(system: System, tmp_path: Path) -> None:
    await system.begin()
    url = str(system.client.base_url).rstrip("/")

    fuzzed = await asyncio.to_thread(fuzz, url, tmp_path, phases="coverage", examples=2, seconds=240)

    assert not fuzzed.failed, fuzzed.said[-12_000:]
    assert fuzzed.cases >= 500


async def test_what_is_no_http_at_all_is_answered_with_a_problem(system: System) -> None:
    reader, writer = await asyncio.open_connection(system.client.base_url.host, system.client.base_url.port)
    writer.write(b"HELO example\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "invalid_request"


@pytest.mark.long
@pytest.mark.timeout(3_600)
async def test_ten_thousand_requests_that_build_on_each_other_break_nothing(system: System, tmp_path: Path) -> None:
    """`make fuzz`: every phase, stateful ones too. SEED and SPEND (seconds) may be set."""
    seed, spend = int(os.environ.get("SEED", "1")), int(os.environ.get("SPEND", "600"))
    inner, statuses = system.app.middleware_stack, dict[int, int]()
    assert inner is not None

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses[message["status"]] = statuses.get(message["status"], 0) + 1
            await send(message)

        await inner(scope, receive, told)

    system.app.middleware_stack = counting
    await system.until(await system.begin(), "refined")
    url, began = str(system.client.base_url).rstrip("/"), time.monotonic()

    phases = "examples,coverage,fuzzing,stateful"
    fuzzed = await asyncio.to_thread(
        fuzz, url, tmp_path, phases=phases, examples=100, seconds=3_000, seed=seed, workers=4, spend=spend
    )

    sent = sum(statuses.values())
    seconds = time.monotonic() - began
    print(fuzzed.said[-20_000:])  # noqa: T201  # what the run is for
    print(f"{sent} requests in {seconds:.0f} s; answers by status: {dict(sorted(statuses.items()))}")  # noqa: T201  # the figure
    assert not fuzzed.failed
    assert not [status for status in statuses if status >= 500]
    assert sent >= 10_000
