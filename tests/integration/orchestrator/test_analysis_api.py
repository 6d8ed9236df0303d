"""An analysis through the real API, kernel and workflow; only the stages' work is made up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events.processing import FaultKind, Stage
from tests.support.orchestrator import FILES, System, a_system, eventually

URL = "https://github.com/pallets/flask"


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        yield system


async def test_an_accepted_request_is_carried_to_refined(system: System) -> None:
    analysis_id = await system.begin()
    view = await system.until(analysis_id, "refined")

    reached = [stage.value for stage in Stage if stage is not Stage.HISTORY]  # nobody asked for it
    assert {stage["stage"]: stage["state"] for stage in view["stages"]} == dict.fromkeys(reached, "completed")
    assert (view["commit"], view["ref"]) == ("c0ffee" * 6 + "c0ff", None)
    assert view["skipped"] == {"binary": 1}
    assert view["languages"] == {"python": 2, "markdown": 1}
    assert view["metadata"] == {"readme_found": True}
    assert view["totals"]["files"] == len(FILES)
    assert (view["partial"], view["damaged"]) == (False, [])


async def test_every_answer_has_correlation_and_security_headers(system: System) -> None:
    for path in ("/api/v1/me", "/api/v1/nothing", "/healthz"):
        reply = await system.client.get(path)
        assert reply.headers["x-correlation-id"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


async def test_the_events_of_an_analysis_carry_the_requests_correlation(system: System) -> None:
    mine = "7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b1234"
    reply = await system.client.post("/api/v1/analyses", json={"url": URL}, headers={"x-correlation-id": mine})
    analysis_id = reply.json()["analysis_id"]
    await system.until(analysis_id, "refined")
    page = (await system.client.get(f"/api/v1/analyses/{analysis_id}/history", params={"limit": 500})).json()

    assert {event["correlation_id"] for event in page["items"]} == {mine}
    assert [event["version"] for event in page["items"]] == list(range(1, len(page["items"]) + 1))


async def test_the_same_repository_and_ref_joins_what_is_running(system: System) -> None:
    system.workers.held = {Stage.INDEX}
    spelt = [URL, "https://github.com/Pallets/Flask"] * 4  # the host takes both for the same
    replies = await asyncio.gather(*(system.client.post("/api/v1/analyses", json={"url": url}) for url in spelt))
    assert [reply.text for reply in replies if "analysis_id" not in reply.json()] == []
    ids = {reply.json()["analysis_id"] for reply in replies}

    assert len(ids) == 1
    assert sorted(reply.status_code for reply in replies) == [200] * 7 + [202]
    other = await system.client.post("/api/v1/analyses", json={"url": URL, "ref": "stable"})
    assert other.status_code == 202
    assert other.json()["analysis_id"] not in ids


async def test_a_repository_of_before_keeps_its_id_under_any_spelling_and_so_does_each_folder(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.workers.held = {Stage.CLONE}
    with monkeypatch.context() as before:
        before.setattr("runtime.repository_url._CASELESS_HOSTS", frozenset())
        for folder in (None, "src"):
            asked = {"url": "https://github.com/Pallets/Flask", "folder": folder}
            assert (await system.client.post("/api/v1/analyses", json=asked)).status_code == 202
    await eventually(lambda: system.get("/repositories"), lambda page: len(page["items"]) == 2)
    await system.followed()
    for folder in (None, "src", "SRC"):
        asked = {"url": URL, "ref": "other", "folder": folder}
        assert (await system.client.post("/api/v1/analyses", json=asked)).status_code == 202
    monkeypatch.setattr(
        "orchestrator.adapters.intake._SPELT", text("SELECT NULL WHERE false")
    )  # as while it is built again
    asked = {"url": "https://github.com/Pallets/Flask", "ref": "third"}
    assert (await system.client.post("/api/v1/analyses", json=asked)).status_code == 202
    await system.followed()
    page = await eventually(lambda: system.get("/repositories"), lambda page: len(page["items"]) == 3)
    names = sorted(item["name"] for item in page["items"])
    assert names == ["Pallets/Flask", "Pallets/Flask:src", "pallets/flask:SRC"]


async def test_an_analysis_that_is_over_is_not_joined(system: System) -> None:
    first = await system.begin()
    await system.until(first, "refined")

    assert await system.begin() != first


async def test_an_idempotency_key_always_means_the_same_analysis(system: System) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await system.client.post("/api/v1/analyses", json={"url": URL}, headers=headers)
    await system.until(first.json()["analysis_id"], "refined")
    again = await system.client.post("/api/v1/analyses", json={"url": URL}, headers=headers)
    other = await system.client.post("/api/v1/analyses", json={"url": URL, "ref": "x"}, headers=headers)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["analysis_id"] == first.json()["analysis_id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_failed_analysis_says_why_and_goes_on_when_asked(system: System) -> None:
    system.workers.faults[Stage.INDEX, 0, 1] = (FaultKind.RESOURCE, "disk_full")
    analysis_id = await system.begin()
    failed = await system.until(analysis_id, "failed")
    assert (failed["code"], failed["message"]) == ("disk_full", "It broke.")

    reply = await system.client.post(f"/api/v1/analyses/{analysis_id}/retry")

    assert reply.status_code == 202
    refined = await system.until(analysis_id, "refined")
    assert refined["code"] is None
    assert next(stage["attempt"] for stage in refined["stages"] if stage["stage"] == "index") == 2


async def test_a_transient_fault_is_retried_by_a_timer(system: System) -> None:
    system.workers.faults[Stage.CLONE, 0, 1] = (FaultKind.TRANSIENT, "host_down")
    analysis_id = await system.begin()

    refined = await system.until(analysis_id, "refined", seconds=30)

    page = (await system.client.get("/api/v1/events", params={"stream_id": f"analysis/{analysis_id}"})).json()
    types = [event["event_type"] for event in page["items"]]
    assert types.count("processing.retry.scheduled") == types.count("timer.fired") == 1
    assert refined["partial"] is False


async def test_one_lost_parse_shard_leaves_it_ready_and_partial(system: System) -> None:
    system.workers.faults[Stage.PARSE, 1, 1] = (FaultKind.PERMANENT, "parser_killed")
    view = await system.until(await system.begin(), "refined")

    assert view["partial"] is True
    assert view["failed"] == {"parser_killed": 1}


async def test_a_lost_structure_of_a_refined_analysis_is_read_again(system: System) -> None:
    system.workers.faults[Stage.STRUCTURE, 0, 1] = (FaultKind.PERMANENT, "artifact_missing")
    analysis_id = await system.begin()
    lost = await system.until(analysis_id, "refined")
    assert (lost["partial"], lost["failed"]) == (True, {"structure.artifact_missing": 1})

    reply = await system.client.post(f"/api/v1/analyses/{analysis_id}/retry")
    assert (reply.status_code, reply.json()["state"]) == (202, "ready")
    view = await system.until(analysis_id, "refined")

    assert (view["partial"], view["failed"], view["languages"]) == (False, {}, {"python": 2, "markdown": 1})
    again = await system.client.post(f"/api/v1/analyses/{analysis_id}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "analysis_not_failed")
    await a_shard_that_succeeded_runs_again(system, analysis_id)


async def a_shard_that_succeeded_runs_again(system: System, analysis_id: UUID) -> None:
    async def retry(**scope: object) -> tuple[int, str | None]:
        reply = await system.client.post(f"/api/v1/analyses/{analysis_id}/retry", json=scope)
        return reply.status_code, reply.json().get("code")

    assert await retry(stage="clone") == (409, "nothing_to_run_again")
    assert await retry(stage="parse", shard=9) == (409, "nothing_to_run_again")
    assert await retry(files=True) == (409, "nothing_to_run_again")
    assert [await retry(shard=1), await retry(stage="parse", files=True)] == [(422, "invalid_request")] * 2
    assert await retry(stage="refine", shard=1, reason="a better model") == (202, None)
    view = await system.until(analysis_id, "refined")
    assert {stage["stage"]: stage["attempt"] for stage in view["stages"] if stage["attempt"] > 1} == {
        "structure": 2,
        "refine": 2,
        "promote": 2,
    }
    events = (await system.get("/events", stream_id=f"analysis/{analysis_id}", limit=500))["items"]
    told = [event for event in events if event["event_type"].endswith("retry_requested")][-1]
    assert told["user_id"] == (await system.get("/me"))["user_id"]
    assert told["data"] == {"stage": "refine", "shard": 1, "files": False, "reason": "a better model"}


async def test_what_was_stopped_right_after_it_was_ready_goes_on(system: System) -> None:
    system.workers.held = {Stage.REFINE, Stage.LINK}
    analysis_id = await system.begin()
    await system.until(analysis_id, "ready")
    await system.client.post(f"/api/v1/analyses/{analysis_id}/cancel")
    system.workers.held = set()
    reply = await system.client.post(f"/api/v1/analyses/{analysis_id}/retry")

    assert (reply.status_code, reply.json()["state"], reply.json()["ended_at"]) == (202, "ready", None)
    view = await system.until(analysis_id, "refined")
    assert {stage["stage"] for stage in view["stages"] if stage["state"] != "completed"} == set()


async def test_a_stopped_analysis_is_cancelled_and_cannot_be_stopped_twice(system: System) -> None:
    system.workers.held = {Stage.PARSE}
    analysis_id = await system.begin()
    await system.until(analysis_id, "running")
    reply = await system.client.post(f"/api/v1/analyses/{analysis_id}/cancel", json={"reason": "wrong one"})
    assert reply.status_code == 202
    view = await system.until(analysis_id, "cancelled")

    assert view["message"] == "wrong one"
    again = await system.client.post(f"/api/v1/analyses/{analysis_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "analysis_over")
    retry = await system.client.post(f"/api/v1/analyses/{analysis_id}/retry")
    assert (retry.status_code, retry.json()["code"]) == (409, "analysis_not_failed")


async def test_contents_are_listed_by_page_and_lines_come_from_the_sources(system: System) -> None:
    analysis_id = await system.begin()
    await system.until(analysis_id, "refined")
    base = f"/api/v1/analyses/{analysis_id}"
    await eventually(
        lambda: system.get(f"/analyses/{analysis_id}/symbols"), lambda page: page["total"] == 2 * len(FILES)
    )
    first = (await system.client.get(f"{base}/files", params={"limit": 2})).json()
    rest = (await system.client.get(f"{base}/files", params={"limit": 9, "cursor": first["next"]})).json()
    skipped = (await system.client.get(f"{base}/skipped")).json()
    named = (await system.client.get(f"{base}/symbols", params={"path": "app/util.py", "name": "F1"})).json()
    lines = (
        await system.client.get(f"{base}/lines", params={"path": "app/main.py", "first_line": 4, "last_line": 99})
    ).json()

    assert [item["path"] for item in first["items"] + rest["items"]] == sorted([*FILES, "logo.png"])
    assert (first["total"], rest["next"]) == (len(FILES) + 1, None)
    assert [(item["path"], item["skipped"]) for item in skipped["items"]] == [("logo.png", "binary")]
    assert [item["name"] for item in named["items"]] == ["f1"]
    assert (lines["first_line"], lines["last_line"], lines["line_count"]) == (4, 5, 5)
    assert lines["text"] == "def main():\n    return os.getcwd()"
    for path, code in (("logo.png", "file_skipped"), ("../../etc/passwd", "file_not_found")):
        reply = await system.client.get(f"{base}/lines", params={"path": path})
        assert (reply.status_code, reply.json()["code"]) == (404, code)

    async def called(name: str, limit: int = 100) -> list[str]:
        """The qualified names of what is found, over all pages."""
        page = await system.get(f"/analyses/{analysis_id}/symbols", name=name, limit=limit)
        found = [item["qualified_name"] for item in page["items"]]
        while page["next"]:
            page = await system.get(f"/analyses/{analysis_id}/symbols", name=name, limit=limit, cursor=page["next"])
            found += [item["qualified_name"] for item in page["items"]]
        assert page["total"] == len(found)
        return found

    assert await called("app/util.py.F1") == await called("app/util.py::f1") == ["app/util.py.f1"]
    assert await called("util.py.f1") == []  # no word of it begins so
    shortest_first = sorted((f"{path}.f1" for path in FILES), key=lambda name: (len(name), name))
    assert sorted(await called("py.f1", 2)) == sorted(name for name in shortest_first if name.endswith(".py.f1"))
    assert [len(name) for name in await called("f1", 2)] == [len(name) for name in shortest_first]
    async with system.engine.begin() as connection:
        longer = "UPDATE app.part_symbols SET name = 'f12' WHERE name = 'f1' AND qualified_name = :shortest"
        await connection.execute(text(longer), {"shortest": shortest_first[0]})
    assert (await called("f1"))[-1] == shortest_first[0], "what is called just so comes first"


async def test_dependencies_are_listed_by_page_and_filter_with_the_lines_of_their_manifests(system: System) -> None:
    analysis_id = await system.begin()
    view = await system.until(analysis_id, "refined")
    of = f"/analyses/{analysis_id}/dependencies"
    whole = await eventually(lambda: system.get(of), lambda page: page["total"] == 3)
    first = await system.get(of, limit=2)
    rest = await system.get(of, limit=2, cursor=first["next"])
    named = await system.get(of, name="FLA", locked=False)
    newest = await system.get(f"/repositories/{view['repository_id']}/dependencies", scope="dev", ecosystem="python")

    assert first["items"] + rest["items"] == whole["items"]
    assert rest["next"] is None
    assert named["items"] == [
        {
            "ecosystem": "python",
            "name": "Flask",
            "constraint": ">=3",
            "version": "3.1",
            "scope": "runtime",
            "group": "",
            "path": "pyproject.toml",
            "line": 4,
            "locked": False,
        }
    ]
    assert [item["name"] for item in newest["items"]] == ["ruff"]
    locked = (await system.client.get(f"/api/v1{of}", params={"path": "uv.lock"})).json()
    assert locked["total"] == 1


async def test_repositories_are_listed_with_their_newest_analysis(system: System) -> None:
    analysis_id = await system.begin()
    await system.until(analysis_id, "refined")
    found = await eventually(
        lambda: system.get("/repositories"),
        lambda page: page["items"] and page["items"][0]["latest"]["state"] == "refined",
    )
    [repository] = found["items"]

    assert (repository["name"], repository["host"], repository["url"]) == ("pallets/flask", "github.com", URL)
    assert repository["latest"]["analysis_id"] == str(analysis_id)
    await system.followed()  # each read model has a cursor of its own
    one = (await system.client.get(f"/api/v1/repositories/{repository['repository_id']}")).json()
    assert one == repository
    skipped = (await system.client.get(f"/api/v1/repositories/{repository['repository_id']}/skipped")).json()
    assert [item["path"] for item in skipped["items"]] == ["logo.png"]
    listed = (await system.client.get("/api/v1/analyses")).json()
    assert [item["analysis_id"] for item in listed["items"]] == [str(analysis_id)]


async def test_every_list_is_read_page_by_page_without_a_gap_or_a_double(system: System) -> None:
    system.workers.held = {Stage.CLONE}
    ids = {str(await system.begin(f"https://github.com/pallets/flask-{n}")) for n in range(5)}
    some = min(ids)
    await eventually(lambda: system.get(f"/analyses/{some}/history"), lambda page: len(page["items"]) > 1)
    await system.followed()
    lists = ("/analyses", "/repositories", "/events", f"/analyses/{some}/history", f"/events?stream_id=analysis/{some}")
    for path in lists:
        whole = await system.get(path, limit=500) if "?" not in path else await system.get(f"{path}&limit=500")
        sign = "&" if "?" in path else "?"
        pages, cursor = [], None
        while cursor is not None or not pages:
            pages.append(await system.get(f"{path}{sign}limit=2" + (f"&cursor={cursor}" if cursor else "")))
            cursor = pages[-1]["next"]

        listed = [name_of(item) for page in pages for item in page["items"]]
        known = [name_of(item) for item in whole["items"]]  # more events may have come since
        assert listed[: len(known)] == known, path
        assert len(set(listed)) == len(listed) >= len(known) >= 2, path
        assert whole["next"] is None
        assert all(len(page["items"]) == 2 for page in pages[:-1])


def name_of(item: dict[str, Any]) -> str:
    return str(item.get("event_id") or item.get("analysis_id") or item["repository_id"])


async def test_the_cursor_of_another_list_is_refused(system: System) -> None:
    for n in range(2):
        await system.begin(f"https://github.com/pallets/flask-{n}")
    page = await eventually(lambda: system.get("/analyses", limit=1), lambda page: page["next"])
    for path, cursor in (("/repositories", page["next"]), ("/analyses", "nonsense"), ("/events", page["next"])):
        reply = await system.client.get(f"/api/v1{path}", params={"cursor": cursor})
        assert (reply.status_code, reply.json()["code"]) == (422, "bad_cursor")
