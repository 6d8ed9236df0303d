"""The API holds to its own description whatever is sent: no 5xx, no undeclared status, no other shape."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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

    fuzzed = await asyncio.to_thread(fuzz, url, tmp_path, phases="coverage", examples=2, seconds=120)

    assert not fuzzed.failed, fuzzed.said[-12_000:]
    assert fuzzed.cases >= 500
