"""A stream as it was, over HTTP: states, differences, times, causes, filters; for whom it is and for nobody else."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from events.processing import FaultKind, Stage
from tests.support.orchestrator import System, a_system


@pytest.fixture
async def system(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, home: Path
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_an_analysis_is_seen_as_it_was_from_all_sides(system: System) -> None:
    """One analysis for all of it: the same events, looked at by state, by time, by run, by cause, by filter."""
    system.workers.faults[Stage.STRUCTURE, 0, 1] = (FaultKind.TRANSIENT, "host_unreachable")
    analysis = await system.begin()
    view = await system.until(analysis, "refined")
    stream = {"stream_id": f"analysis/{analysis}"}
    events = (await system.get("/events", **stream, limit=500))["items"]

    now = await system.get("/events/state", **stream)
    assert (now["newest"], now["version"], now["against"]) == (len(events), len(events), len(events) - 1)
    assert now["state"]["state"] == view["state"] == "refined"
    assert now["event"] == events[-1]
    assert {"path": "/state", "kind": "changed", "before": "ready", "after": "refined"} in now["changes"]
    first = await system.get("/events/state", **stream, version=1)
    assert (first["state"]["state"], first["against"]) == ("requested", 0)
    assert {change["kind"] for change in first["changes"]} == {"added"}
    nothing = await system.get("/events/state", **stream, version=0)
    assert (nothing["state"], nothing["event"], nothing["changes"]) == ({}, None, [])
    cloned = next(one for one in events if one["event_type"] == "repository.processing.started")
    then = await system.get("/events/state", **stream, at=cloned["timestamp"], with_state=False)
    assert then["version"] >= cloned["version"]
    assert then["state"] is None
    back = await system.get("/events/state", **stream, version=1, against=len(events))
    assert {"path": "/state", "kind": "changed", "before": "refined", "after": "requested"} in back["changes"]

    timeline = await system.get("/events/timeline", **stream)
    tried = [run for run in timeline["runs"] if run["stage"] == "structure"]
    assert [(run["attempt"], run["outcome"], run["code"]) for run in tried] == [
        (1, "failed", "host_unreachable"),
        (2, "completed", ""),
    ]
    for run in timeline["runs"]:
        asked, taken, ended = (datetime.fromisoformat(run[f"{when}_at"]) for when in ("requested", "started", "ended"))
        assert (run["waited"], run["worked"]) == (
            pytest.approx(max(0, (taken - asked) / timedelta(seconds=1))),
            pytest.approx((ended - taken) / timedelta(seconds=1)),
        )
        assert events[run["ended_in"] - 1]["data"]["run_id"] == events[run["requested_in"] - 1]["data"]["run_id"]
    assert {one["stage"] for one in timeline["stages"]} >= {"clone", "parse", "embed", "promote"}

    causes = (await system.get("/events/causes", **stream))["items"]
    assert [one["version"] for one in causes] == [one["version"] for one in events]
    ids = {one["event_id"]: one["version"] for one in events}
    assert [one["cause"] for one in causes] == [ids.get(one["causation_id"], 0) for one in events]
    assert sum(one["cause"] == 0 for one in causes) < len(causes) / 4
    assert max(one["depth"] for one in causes) > 8  # from the request to the promotion

    only = {"stage": "structure", "text": "HOST_unreachable"}
    failed = (await system.get("/events", **stream, **only))["items"]
    assert {one["event_type"] for one in failed} == {"processing.stage.failed", "processing.stage.requested"}
    since = (await system.get("/events", **stream, since=cloned["timestamp"], limit=500))["items"]
    assert since == [one for one in events if one["timestamp"] >= cloned["timestamp"]]
    await system.followed()
    of_all = (await system.get("/events", stage="structure", until=events[-1]["timestamp"], limit=500))["items"]
    assert of_all == [one for one in events if one["stage"] == "structure"]

    whole = {"stream_id": f"repository/{view['repository_id']}"}
    moments = (await system.get("/events/moments", **whole))["items"]
    assert [one["event_type"] for one in moments][:2] == ["repository.registered", "repository.processing.requested"]
    assert {one["stream_id"] for one in moments} == {whole["stream_id"], stream["stream_id"]}
    for before, one in pairwise(moments[1:]):
        at = {"at": one["at"], "against_at": before["at"], "with_state": True}
        then = await system.get("/events/state", **whole, **at)
        stood = (await system.get("/events/state", **stream, at=one["at"]))["state"]
        there = then["state"]["analyses"][str(analysis)]
        assert [there[name] for name in ("state", "commit", "totals")] == [
            stood[name] for name in ("state", "commit", "totals")
        ]
        assert all(change["path"].startswith(f"/analyses/{analysis}/") for change in then["changes"])
    assert (await system.get("/events/state", **whole))["state"]["analyses"][str(analysis)]["state"] == "refined"

    again = {"url": view["url"], "after": str(analysis)}
    elsewhere = await system.client.post("/api/v1/analyses", json=again | {"url": "https://github.com/pallets/click"})
    nobodys = await system.client.post("/api/v1/analyses", json=again | {"after": str(uuid4())})
    assert [each.json()["code"] for each in (elsewhere, nobodys)] == ["invalid_request", "not_found"]
    renewed = (await system.client.post("/api/v1/analyses", json=again)).json()["analysis_id"]
    [first, *_] = (await system.get("/events/causes", stream_id=f"analysis/{renewed}"))["items"]
    assert (first["cause"], first["from_outside"]) == (0, True)
    assert first["elsewhere"] == {**stream, "version": 1, "event_type": "repository.processing.requested"}
    caused = {"stream_id": f"analysis/{renewed}", "version": 1, "event_type": "repository.processing.requested"}
    known = (await system.get("/events/causes", **stream))["items"]
    assert [one["led_to"] for one in known] == [[caused], *([] for _ in known[1:])]
    async with system.engine.begin() as connection:  # as its deletion would
        gone = {"stream": f"analysis/{renewed}"}
        await connection.execute(text("UPDATE es.streams SET archived_at = now() WHERE stream_id = :stream"), gone)
    assert not (await system.get("/events/causes", **stream))["items"][0]["led_to"]


async def test_what_cannot_be_looked_at_is_refused_by_its_name(system: System) -> None:
    analysis = await system.begin()
    stream = {"stream_id": f"analysis/{analysis}"}
    for path, params, code in (
        ("/events/state", {"stream_id": "analysis/none"}, "not_found"),
        ("/events/timeline", {"stream_id": "analysis/none"}, "not_found"),
        ("/events/causes", {"stream_id": "analysis/none"}, "not_found"),
        ("/events/state", {**stream, "version": 1, "at": "2026-01-01T00:00:00Z"}, "invalid_request"),
        ("/events/state", {**stream, "version": -1}, "invalid_request"),
        ("/events/state", {**stream, "at": "yesterday"}, "invalid_request"),
        ("/events/state", {**stream, "against": 1, "against_at": "2026-01-01T00:00:00Z"}, "invalid_request"),
        ("/events/moments", stream, "not_found"),
        ("/events/moments", {"stream_id": "repository/none"}, "not_found"),
        ("/events", {"text": "anything"}, "invalid_request"),
    ):
        assert (await system.get(path, **params))["code"] == code, (path, params)
    await system.until(analysis, "refined")
    repository = (await system.get(f"/analyses/{analysis}"))["repository_id"]
    assert (await system.get("/events/state", **stream))["state"]["state"] == "refined"
    assert (await system.client.delete(f"/api/v1/repositories/{repository}")).status_code in {202, 204}

    for path in ("state", "timeline", "causes"):
        assert (await system.get(f"/events/{path}", **stream))["code"] == "not_found"
    for path in ("state", "moments"):
        assert (await system.get(f"/events/{path}", stream_id=f"repository/{repository}"))["code"] == "not_found"
