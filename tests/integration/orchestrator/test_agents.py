"""The Model Context Protocol by its own SDK's client: over HTTP behind the API's sign-in, and over stdio."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import uvicorn
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from events.question import Passage, SearchReply
from orchestrator.auth.identity import Identity
from runtime.agents.tools import LONGEST, TOOLS
from runtime.faults import Permanent
from tests.integration.orchestrator.test_questions import answer
from tests.support.orchestrator import System, a_system, eventually
from tests.support.service_keys import KEYS
from tests.support.two_tenants import HEADER, ByHeader, Tenant, identity_of, settle


class ByBearer(ByHeader):
    """Believes a bearer token that is a tenant's id; whoever shows nothing is nobody."""

    async def identify(self, connection: HTTPConnection) -> Identity:
        shown = connection.headers.get("authorization", "").removeprefix("Bearer ") or connection.headers.get(HEADER)
        if not shown:
            raise Permanent("not_signed_in", "Sign in first.")
        return identity_of(UUID(shown))


@asynccontextmanager
async def an_index(asked: list[Mapping[str, Any]]) -> AsyncIterator[str]:
    """The search service as the orchestrator knows it: its address. It finds one passage of whoever asks."""

    async def search(request: Request) -> JSONResponse:
        body = await request.json()
        asked.append({**body, "by": request.headers["authorization"]})
        if body["query"] == "too early":
            problem = {"code": "not_indexed_yet", "detail": "Nothing of this repository is indexed yet."}
            return JSONResponse(problem, 409)
        text = "x" * 900 if body["query"] != "long" else "\n".join(["y" * 1_000] * 60)
        passage = Passage(chunk_id="c", path="app/main.py", first_line=4, last_line=5, text=text)
        reply = SearchReply(
            analysis_id=uuid4(), commit="c0ffee", generation_id=uuid4(), generation_kind="quick", model="m",
            passages=(passage,) * body["limit"], took_ms=1.0,
        )  # fmt: skip
        return JSONResponse(reply.model_dump(mode="json"))

    app = Starlette(routes=[Route("/internal/search", search, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: asyncio.sleep(0, server.started), bool)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def searches() -> list[Mapping[str, Any]]:
    return []


@pytest.fixture
async def system(
    database_url: str,
    redis_url: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    searches: list[Mapping[str, Any]],
) -> AsyncIterator[System]:
    async with an_index(searches) as url:
        monkeypatch.setenv("REPOSTREAM_INTERNAL_RAG_MANAGER_URL", url)
        monkeypatch.setenv("REPOSTREAM_SERVICE_KEY", KEYS["orchestrator"])
        async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
            yield system


@asynccontextmanager
async def over_http(system: System, mode: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=dict(headers or {}), timeout=30, trust_env=False) as http:
        url = f"{str(system.client.base_url).rstrip('/')}/api/v1/mcp"
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            yield client


def said(result: CallToolResult) -> str:
    [block] = result.content
    assert block.type == "text"
    return str(block.text)


async def fails(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, said(result)
    assert isinstance(result.structured_content, dict)
    return str(result.structured_content["code"])


async def an_analysis(system: System) -> str:
    analysis = await system.begin()
    await system.until(analysis, "refined")
    await eventually(lambda: system.get(f"/analyses/{analysis}/connections"), lambda page: page["items"])
    return analysis


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_every_tool_answers_over_http_in_both_eras_of_the_protocol(
    system: System, mode: str, searches: list[Mapping[str, Any]]
) -> None:
    await an_analysis(system)
    async with over_http(system, mode) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS.keys()
        assert all(tool.input_schema["additionalProperties"] is False for tool in tools)
        assert "pallets/flask  https://github.com/pallets/flask" in said(await client.call_tool("repositories", {}))

        repository = {"repository": "pallets/flask"}
        found = said(await client.call_tool("search", {**repository, "query": "where", "limit": 2, "folder": "app"}))
        assert found.count("app/main.py:4-5") == 2
        assert searches[-1]["scope"] == {"folder": "app", "path": "", "language": "", "symbol": ""}
        assert [(one["query"], one["limit"]) for one in searches] == [("where", 2)]
        read = said(await client.call_tool("read", {**repository, "path": "app/util.py", "last_line": 1}))
        assert read.split("\n")[1:] == ["     1 def add(a, b):"]
        symbols = said(await client.call_tool("symbols", {**repository, "path": "app/util.py"}))
        called = next(line.split()[0] for line in symbols.split("\n") if "util.py.f1" in line)
        callers = said(await client.call_tool("callers", {**repository, "symbol": called}))
        assert "app/main.py:4  app/main.py.f0  (call, exact" in callers
        assert "## Main modules" in said(await client.call_tool("overview", {"repository": "flask"}))


async def test_a_question_is_answered_and_kept_as_a_conversation(system: System) -> None:
    await an_analysis(system)

    async def play() -> None:
        begun = await eventually(lambda: system.get("/conversations"), lambda page: page["items"])
        path = f"/conversations/{begun['items'][0]['conversation_id']}"
        talk = await eventually(lambda: system.get(path), lambda found: found["questions"])
        await answer(system, talk["questions"][0], "In app.py")

    async with over_http(system, "auto") as client:
        playing = asyncio.create_task(play())
        result = await client.call_tool("ask", {"repository": "flask", "question": "Where?"})
        await playing

    assert said(result).startswith("In app.py\n\n(put together without a model, at commit c0ffee")


async def test_what_cannot_be_done_is_a_code_and_what_is_long_is_cut(system: System) -> None:
    await an_analysis(system)
    flask = {"repository": "flask"}
    async with over_http(system, "auto") as client:
        assert await fails(client, "search", repository="nobody/nothing", query="x") == "repository_unknown"
        assert await fails(client, "search", **flask, query="too early") == "not_indexed_yet"
        assert await fails(client, "search", **flask, query="x", where="y") == "invalid_request"
        assert await fails(client, "search", **flask, query="x", limit=21) == "invalid_request"
        assert await fails(client, "read", **flask, path="no/such.py") == "file_not_found"
        assert await fails(client, "read", **flask, path="logo.png") == "file_skipped"
        assert await fails(client, "symbols", **flask) == "invalid_request"
        assert await fails(client, "shell", **flask) == "unknown_tool"
        long = said(await client.call_tool("search", {**flask, "query": "long"}))
        assert LONGEST < len(long) < LONGEST + 100
        assert long.endswith("(cut: ask for less at once)")


async def test_nothing_of_another_tenant_is_told_and_whoever_is_nobody_is_told_nothing(
    system: System, searches: list[Mapping[str, Any]]
) -> None:
    state = system.app.state
    state.services = replace(state.services, provider=ByBearer())
    mine, theirs = Tenant(UUID(int=0xA0), "amber-otter"), Tenant(UUID(int=0xB0), "cobalt-heron")
    for tenant in (mine, theirs):
        await settle(system, tenant)
    nobody = await system.client.post("/api/v1/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_signed_in")
    async with over_http(system, "auto", {"authorization": f"Bearer {mine.tenant_id}"}) as client:
        told = said(await client.call_tool("repositories", {}))
        assert mine.word in told
        assert theirs.word not in told
        for tool in ("overview", "search", "read", "symbols", "callers", "ask"):
            more = {"query": "x", "path": "app/main.py", "symbol": "0-0", "question": "x", "name": "f"}
            fields = TOOLS[tool].takes.model_fields
            arguments = {name: value for name, value in more.items() if name in fields}
            arguments["repository"] = theirs.ids["repository_id"]
            assert await fails(client, tool, **arguments) == "repository_unknown", tool
        await client.call_tool("search", {"repository": mine.ids["repository_id"], "query": "x"})
    assert {one["tenant_id"] for one in searches} == {str(mine.tenant_id)}


async def test_over_stdio_the_same_tools_answer_and_nothing_else_is_written(system: System) -> None:
    await an_analysis(system)
    command = "from cli.app import app; app(['mcp'])"
    where = {"REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": str(system.client.base_url)}
    started = StdioServerParameters(command=sys.executable, args=["-c", command], env={**os.environ, **where})
    async with Client(started) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS.keys()
        read = said(await client.call_tool("read", {"repository": "flask", "path": "app/util.py"}))
        assert "     2     return a + b" in read
        assert await fails(client, "read", repository="flask", path="nothing") == "file_not_found"


async def test_the_message_is_bounded_and_asked_for_with_a_post_alone(system: System) -> None:
    path = "/api/v1/mcp"
    said_headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    big = await system.client.post(path, content=b"[" + b" " * 70_000 + b"]", headers=said_headers)
    assert (big.status_code, big.json()["code"]) == (413, "body_too_large")
    assert (await system.client.get(path)).status_code == 405
    elsewhere = await system.client.post(path, content=b"{}", headers=said_headers | {"origin": "https://evil.test"})
    assert elsewhere.json()["code"] == "cross_site"
    nonsense = await system.client.post(path, content=json.dumps({"jsonrpc": "2.0"}), headers=said_headers)
    assert 400 <= nonsense.status_code < 500
