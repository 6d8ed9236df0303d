"""What goes wrong is answered as a problem with a code: bad input, other sites, a database that is locked or down."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from orchestrator.api.problems import CODES
from tests.support.orchestrator import System, a_system, eventually

ID = "00000000-0000-4000-8000-00000000abcd"


@pytest.fixture
async def system(
    database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(
        monkeypatch, database_url=database_url, redis_url=redis_url, home=home, working=False
    ) as system:
        yield system


URL = "https://github.com/pallets/flask"
BAD: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("POST", "/analyses", {"json": {"url": "nonsense"}}, 422, "bad_url"),
    ("POST", "/analyses", {"json": {"url": "https://a:b@github.com/x/y"}}, 422, "credentials_in_url"),
    ("POST", "/analyses", {"json": {"url": "https://evil.example/x/y"}}, 422, "host_not_allowed"),
    ("POST", "/analyses", {"json": {"url": "http://169.254.169.254/x/y"}}, 422, "bad_url"),
    ("POST", "/analyses", {"json": {"url": URL, "ref": "--upload-pack=x"}}, 422, "bad_ref"),
    ("POST", "/analyses", {"json": {"url": URL, "ref": "x" * 300}}, 422, "invalid_request"),
    ("POST", "/analyses", {"json": {"url": "x" * 3_000}}, 422, "invalid_request"),
    ("POST", "/analyses", {"json": {}}, 422, "invalid_request"),
    ("POST", "/analyses", {"json": []}, 422, "invalid_request"),
    ("POST", "/analyses", {"json": {"url": 7}}, 422, "invalid_request"),
    ("POST", "/analyses", {"content": b"{", "headers": {"content-type": "application/json"}}, 422, "invalid_request"),
    (
        "POST",
        "/analyses",
        {"content": b"\xff\xfe", "headers": {"content-type": "application/json"}},
        422,
        "invalid_request",
    ),
    (
        "POST",
        "/analyses",
        {"content": b"[" * 60_000, "headers": {"content-type": "application/json"}},
        422,
        "invalid_request",
    ),
    ("POST", "/analyses", {"content": b"url=x", "headers": {"content-type": "text/plain"}}, 422, "invalid_request"),
    ("POST", "/analyses", {"content": b"x" * 70_000}, 413, "body_too_large"),
    ("POST", "/analyses", {"json": {"url": URL}, "headers": {"origin": "https://evil.example"}}, 403, "cross_site"),
    ("POST", "/analyses", {"json": {"url": URL}, "headers": {"sec-fetch-site": "cross-site"}}, 403, "cross_site"),
    ("POST", "/analyses", {"json": {"url": URL}, "headers": {"host": "evil.example"}}, 400, "bad_host"),
    ("POST", "/analyses", {"json": {"url": URL}, "headers": {"idempotency-key": "k" * 300}}, 422, "invalid_request"),
    ("GET", "/analyses/nonsense", {}, 422, "invalid_request"),
    ("GET", f"/analyses/{ID}", {}, 404, "not_found"),
    ("GET", f"/analyses/{ID}/events", {}, 404, "not_found"),
    ("GET", f"/analyses/{ID}/history", {}, 404, "not_found"),
    ("GET", f"/analyses/{ID}/files", {}, 404, "not_found"),
    ("GET", f"/analyses/{ID}/symbols", {}, 404, "not_found"),
    ("GET", f"/analyses/{ID}/lines?path=a", {}, 404, "not_found"),
    ("GET", f"/analyses/{ID}/lines", {}, 422, "invalid_request"),
    ("GET", f"/analyses/{ID}/lines?path=a&first_line=0", {}, 422, "invalid_request"),
    ("GET", f"/analyses/{ID}/history?after=-1", {}, 422, "invalid_request"),
    ("POST", f"/analyses/{ID}/cancel", {}, 404, "not_found"),
    ("POST", f"/analyses/{ID}/retry", {}, 404, "not_found"),
    ("GET", f"/repositories/{ID}", {}, 404, "not_found"),
    ("GET", f"/repositories/{ID}/skipped", {}, 404, "not_found"),
    ("POST", "/conversations", {"json": {"repository_id": ID}}, 404, "not_found"),
    ("POST", f"/conversations/{ID}/questions", {"json": {"query": "x"}}, 404, "not_found"),
    ("GET", f"/questions/{ID}", {}, 404, "not_found"),
    ("GET", f"/questions/{ID}/stream", {}, 404, "not_found"),
    ("GET", f"/shadows/{ID}/live", {}, 404, "not_found"),
    ("GET", f"/rebuilds/{ID}/live", {}, 404, "not_found"),
    ("GET", f"/events?stream_id=analysis/{ID}", {}, 404, "not_found"),
    ("GET", "/events?stream_id=a%00b", {}, 422, "invalid_request"),
    ("GET", "/events?limit=0", {}, 422, "invalid_request"),
    ("GET", "/events?after=99999999999999999999999", {}, 422, "invalid_request"),
    ("GET", "/analyses?cursor=yesterday", {}, 422, "bad_cursor"),
    ("GET", f"/analyses/{ID}/files?prefix=%00", {}, 422, "invalid_request"),
    ("DELETE", "/analyses", {}, 405, "method_not_allowed"),
    ("GET", "/questions/%00", {}, 422, "invalid_request"),
    ("GET", "/nothing", {}, 404, "not_found"),
    ("GET", "/../../etc/passwd", {}, 404, "not_found"),
]


async def test_malformed_input_is_answered_with_its_code_and_good_input_goes_on(system: System) -> None:
    wrong = []
    for method, path, more, status, code in BAD:
        reply = await system.client.request(method, f"/api/v1{path}", **more)
        problem = reply.json()
        if (reply.status_code, problem.get("code")) != (status, code):
            wrong.append((method, path, reply.status_code, problem))
            continue
        assert reply.headers["content-type"] == "application/problem+json"
        assert problem["status"] == status == CODES[code][0]
        assert problem["correlation_id"] == reply.headers["x-correlation-id"]
        assert "Traceback" not in reply.text
    assert wrong == []

    assert (await system.client.post("/api/v1/analyses", json={"url": URL})).status_code == 202


async def test_a_locked_table_is_answered_with_come_back_and_not_waited_for(system: System) -> None:
    analysis_id = await system.begin()
    async with system.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE es.events, es.streams IN ACCESS EXCLUSIVE MODE"))
        replies = await asyncio.gather(
            system.client.get(f"/api/v1/analyses/{analysis_id}"),
            system.client.post("/api/v1/analyses", json={"url": URL + "2"}),
            system.client.post(f"/api/v1/analyses/{analysis_id}/cancel"),
        )

    assert [reply.status_code for reply in replies] == [503] * 3
    assert {reply.json()["code"] for reply in replies} == {"database_unavailable"}
    assert all(reply.headers["retry-after"] == "2" for reply in replies)
    assert (await system.client.get(f"/api/v1/analyses/{analysis_id}")).status_code == 200


async def test_more_requests_than_connections_are_told_to_come_back(
    system: System,
) -> None:
    async with system.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE app.analyses IN ACCESS EXCLUSIVE MODE"))
        replies = await asyncio.gather(*(system.client.get("/api/v1/analyses") for _ in range(60)))

    assert {reply.status_code for reply in replies} == {503}
    assert (await system.client.get("/api/v1/analyses")).status_code == 200


async def test_another_tenants_analysis_is_not_there(system: System) -> None:
    from events.processing import ProcessingRequested
    from tests.support.kernel import a_draft

    theirs = uuid4()
    draft = a_draft(ProcessingRequested(analysis_id=theirs, url=URL))
    foreign = draft.model_copy(update={"context": draft.context.model_copy(update={"tenant_id": uuid4()})})
    await system.journal.append(f"analysis/{theirs}", [foreign])

    for path in ("", "/history", "/events", "/files", "/lines?path=a"):
        assert (await system.client.get(f"/api/v1/analyses/{theirs}{path}")).status_code == 404
    for verb in ("cancel", "retry"):
        assert (await system.client.post(f"/api/v1/analyses/{theirs}/{verb}")).status_code == 404
    page = await system.get("/events", limit=500)
    assert str(theirs) not in {event["stream_id"].partition("/")[2] for event in page["items"]}


async def test_the_installation_says_who_and_what_it_is(system: System) -> None:
    me, config = await system.get("/me"), await system.get("/config")
    ready = await eventually(lambda: system.client.get("/readyz"), lambda reply: reply.status_code == 200)

    assert (me["local"], me["name"]) == (True, "You")
    assert (config["models"], config["loopback_repositories"]) == ([], True)
    assert "github.com" in config["hosts"]
    assert ready.json()["status"] == "ready"
    assert (await system.client.get("/metrics")).status_code == 200
    assert (await system.client.get("/api/v1/openapi.json")).json()["info"]["title"] == "Repostream"
