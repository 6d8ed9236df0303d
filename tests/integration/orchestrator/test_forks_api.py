"""A history is forked beside the real one, which stays as it is, to the last row, stream and file."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from events.processing import FaultKind, Stage
from tests.support.orchestrator import System, a_system
from tests.support.untouched import live, only_connecting_to


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_a_fork_shows_what_would_have_been_and_touches_nothing(
    system: System, database_url: str, redis_url: str, home: Path
) -> None:
    system.workers.faults[Stage.STRUCTURE, 0, 1] = (FaultKind.TRANSIENT, "host_unreachable")
    analysis = await system.begin()
    await system.settled(analysis)
    stream = f"analysis/{analysis}"
    events = (await system.get("/events", stream_id=stream, limit=500))["items"]
    failed = next(one for one in events if one["event_type"] == "processing.stage.failed")
    servers = [database_url, redis_url, str(system.client.base_url)]
    before = await live(database_url, redis_url, home)

    async def forked(version: int, **changes: object) -> dict[str, Any]:
        body = {"stream_id": stream, "version": version, "changes": changes}
        reply = await system.client.post("/api/v1/forks", json=body)
        found: dict[str, Any] = reply.json()
        return found

    with only_connecting_to(servers) as refused:
        with pytest.raises(ConnectionRefusedError), socket.socket() as elsewhere:  # the guard is awake
            elsewhere.connect(("192.0.2.1", 443))
        same = await forked(1)
        other = await forked(failed["version"], kind="permanent")
        bad = [await forked(version, **changes) for version, changes in ((9_999, {}), (1, {"nonsense": 1}))]

    assert refused == [("192.0.2.1", 443)]
    assert (same["agrees"], same["not_recorded"], same["unused"]) == (True, [], [])
    assert same["decisions"]
    assert other["agrees"] is False
    assert {"path": "/kind", "kind": "changed", "before": "transient", "after": "permanent"} in other["edited"]
    differing = [one for one in other["decisions"] if not one["agrees"]]
    assert {one["event_type"] for one in differing if one["fork"] is None} >= {"processing.retry.scheduled"}
    assert other["unused"]
    assert {one["real_version"] for one in same["events"]} - {0} == {*range(2, len(events) + 1)}
    assert [one["version"] for one in other["real"]] == [*range(failed["version"] + 1, len(events) + 1)]
    assert {one["real_version"] for one in other["events"]}.isdisjoint(other["unused"])
    assert [one["code"] for one in bad] == ["fork_version_unknown", "fork_edit_refused"]
    after = await live(database_url, redis_url, home)
    assert {name: (before.get(name), what) for name, what in after.items() if before.get(name) != what} == {}
    assert before.keys() == after.keys()
    assert len(before) > 60  # tables, streams and files were looked at
