"""An analysis over a limit waits, is confirmed, cancelled or let go: over HTTP, with real timers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.orchestrator import System, a_system


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    monkeypatch.setenv("REPOSTREAM_PREFLIGHT_FILES", "1")
    monkeypatch.setenv("REPOSTREAM_PREFLIGHT_PRICE", "3")
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_over_a_limit_it_waits_until_somebody_confirms_or_cancels_it(system: System) -> None:
    first = await system.begin()
    other = await system.begin("https://github.com/pallets/click")
    waiting = await system.until(first, "unconfirmed")
    await system.until(other, "unconfirmed")

    assert (waiting["estimate"]["over"], waiting["estimate"]["measured"]) == (["files"], 0)
    assert (waiting["estimate"]["seconds"], waiting["estimate"]["currency"]) == (None, "USD")
    assert {stage["stage"] for stage in waiting["stages"] if stage["state"] != "waiting"} == {"clone"}
    joined = await system.client.post("/api/v1/analyses", json={"url": "https://github.com/pallets/flask"})
    assert (joined.status_code, joined.json()["state"]) == (200, "unconfirmed")

    cancelled = await system.client.post(f"/api/v1/analyses/{other}/cancel")
    confirmed = await system.client.post(f"/api/v1/analyses/{first}/confirm")
    again = await system.client.post(f"/api/v1/analyses/{first}/confirm")

    assert (cancelled.status_code, confirmed.status_code, confirmed.json()["state"]) == (202, 202, "running")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_confirm")
    assert (await system.until(first, "refined"))["estimate"]["confirmed_at"] is not None
    assert (await system.until(other, "cancelled"))["code"] == "cancelled"


async def test_what_nobody_confirms_is_let_go_by_a_timer(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSTREAM_PREFLIGHT_BYTES", "1")
    monkeypatch.setenv("REPOSTREAM_PREFLIGHT_HOURS", "0.0001")
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        analysis = await system.begin()
        ended = await system.until(analysis, "failed")
        assert (ended["code"], ended["estimate"]["over"]) == ("not_confirmed", ["bytes"])

        await system.client.post(f"/api/v1/analyses/{analysis}/retry")
        await system.until(analysis, "refined")
