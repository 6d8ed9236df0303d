"""The internal HTTP interface over a real index."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from events.base import LOCAL_TENANT
from rag_manager.api import add_problems, internal_routes
from runtime.service_tokens import ServiceVerifier
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, Index, an_index
from tests.support.service_keys import signer, verifier

FILES = {"src/cookies.py": "def sign_cookie(value):\n    return secret(value)\n"}


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as made:
        yield made


@pytest.fixture
async def client(index: Index) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(internal_routes(index.search(), index.lines(), verifier("rag_manager")))
    add_problems(app)
    headers = signer("ai_engine").headers("rag_manager")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag", headers=headers) as made:
        yield made


def a_search(**more: object) -> dict[str, object]:
    return {"tenant_id": str(LOCAL_TENANT), "repository_id": str(REPOSITORY), "query": "how is a cookie signed", **more}


async def test_a_search_gives_passages_with_their_places(index: Index, client: httpx.AsyncClient) -> None:
    analysis = await index.ready(FILES)

    reply = await client.post("/internal/search", json=a_search())

    assert reply.status_code == 200
    assert reply.json()["analysis_id"] == str(analysis.id)
    assert reply.json()["generation_kind"] == "quick"
    assert reply.json()["passages"][0]["path"] == "src/cookies.py"
    assert reply.json()["line_counts"] == {"src/cookies.py": 2}
    assert reply.json()["took_ms"] > 0
    assert [step["retriever"] for step in reply.json()["plan"]] == ["lexical", "dense"]
    assert reply.json()["passages"][0]["ranks"].keys() == reply.json()["passages"][0]["scores"].keys()


async def test_lines_are_given_as_stored(index: Index, client: httpx.AsyncClient) -> None:
    analysis = await index.ready(FILES)
    asked = {
        "tenant_id": str(LOCAL_TENANT),
        "analysis_id": str(analysis.id),
        "path": "src/cookies.py",
        "first_line": 2,
        "last_line": 2,
    }

    reply = await client.post("/internal/lines", json=asked)

    assert reply.json()["text"] == "    return secret(value)"
    assert reply.json()["line_count"] == 2


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer wrong", "Bearer größe"),
        signer("web_ui").headers("rag_manager")["Authorization"],  # has no business here
        signer("ai_engine").headers("orchestrator")["Authorization"],  # meant for somebody else
    ],
)
async def test_nobody_but_the_services_that_ask_is_let_in(client: httpx.AsyncClient, authorization: str) -> None:
    for path in ("/internal/search", "/internal/lines"):
        reply = await client.post(path, json={}, headers={"Authorization": authorization.encode()})

        assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")


async def test_no_keys_in_the_settings_let_nobody_in(index: Index) -> None:
    app = FastAPI()
    app.include_router(internal_routes(index.search(), index.lines(), ServiceVerifier("rag_manager", "")))
    add_problems(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag") as client:
        reply = await client.post(
            "/internal/search", json=a_search(), headers=signer("ai_engine").headers("rag_manager")
        )

    assert reply.status_code == 401


async def test_failures_are_problem_documents_with_a_code(index: Index, client: httpx.AsyncClient) -> None:
    early = await client.post("/internal/search", json=a_search())
    analysis = await index.ready(FILES)
    elsewhere = {"tenant_id": str(LOCAL_TENANT), "analysis_id": str(REPOSITORY), "path": "x"}
    missing = {"tenant_id": str(LOCAL_TENANT), "analysis_id": str(analysis.id), "path": "x"}

    replies = [
        early,
        await client.post("/internal/lines", json=elsewhere),
        await client.post("/internal/lines", json=missing),
        await client.post("/internal/search", json={"query": 5}),
    ]

    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [
        (409, "not_indexed_yet"),
        (404, "no_such_analysis"),
        (404, "no_such_file"),
        (422, "invalid_request"),
    ]
    assert {reply.headers["content-type"] for reply in replies} == {"application/problem+json"}


async def test_an_analysis_of_another_repository_is_not_searched(index: Index, client: httpx.AsyncClient) -> None:
    analysis = await index.ready(FILES)

    reply = await client.post(
        "/internal/search", json=a_search(repository_id=str(analysis.id), analysis_id=str(analysis.id))
    )

    assert reply.status_code == 404


async def test_empty_odd_and_huge_questions_are_answered(index: Index, client: httpx.AsyncClient) -> None:
    await index.ready(FILES)

    for query in ("", "???", "the of and", "cookie " * 50_000, "`'\"\\ )( AND OR NOT body:*", "\u0000\ud83d"):
        body = a_search(query=query.encode("utf-8", "replace").decode(), limit=10_000)
        reply = await client.post("/internal/search", json=body)

        assert reply.status_code == 200, query[:20]
