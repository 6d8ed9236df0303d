"""What the tools tell of a repository is of the analysis that its searches go to."""

import asyncio

import httpx
import pytest
from anyio import create_task_group

from runtime.agents.asking import Asking
from runtime.agents.tools import call


@pytest.mark.parametrize(("serving", "told"), [("older", "older"), (None, "newest")])
async def test_definitions_are_those_of_the_analysis_that_is_searched(serving: str | None, told: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        one = {"repository_id": "r", "url": "https://h/o/n", "folder": "", "name": "o/n", "serving": serving}
        listed = [one | {"latest": {"analysis_id": "newest", "state": "running"}}]
        return httpx.Response(200, json={"items": listed if len(asked) == 1 else [], "total": 0, "next": None})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test") as http:
        await call(Asking(http), "symbols", {"repository": "o/n", "name": "x"})

    assert asked[-1] == f"/api/v1/analyses/{told}/symbols"


async def test_a_call_that_is_cancelled_stops_the_answer() -> None:
    asked: list[str] = []
    is_waiting = asyncio.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        if request.url.path == "/api/v1/repositories":
            one = {"repository_id": "r", "url": "https://h/o/n", "folder": "", "name": "o/n"}
            return httpx.Response(200, json={"items": [one], "total": 1, "next": None})
        if request.url.path == "/api/v1/questions/q":
            is_waiting.set()
        return httpx.Response(200, json={"conversation_id": "c", "question_id": "q", "state": "asked"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test")
    async with http, asyncio.timeout(5), create_task_group() as agent:
        agent.start_soon(call, Asking(http), "ask", {"repository": "o/n", "question": "Why?"})
        await is_waiting.wait()
        agent.cancel_scope.cancel()

    assert asked[-1] == "POST /api/v1/questions/q/stop"
    assert asked.count(asked[-1]) == 1
