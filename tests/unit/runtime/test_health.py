import asyncio

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.health import Check, health_routes
from runtime.metrics import MeasureRequests


async def _answers() -> None:
    return


async def _get(path: str, checks: dict[str, Check]) -> httpx.Response:
    async def item(_request: Request) -> Response:
        return PlainTextResponse("here")

    routes = [*health_routes(checks, timeout=0.05), Route("/items/{number}", item)]
    app = Starlette(routes=routes, middleware=[Middleware(MeasureRequests)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/items/7")
        return await client.get(path)


async def test_a_service_is_healthy_whatever_it_needs_does() -> None:
    async def refuses() -> None:
        raise ConnectionRefusedError

    assert (await _get("/healthz", {"database": refuses})).status_code == 200


async def test_ready_when_all_checks_pass() -> None:
    reply = await _get("/readyz", {"database": _answers, "broker": _answers})

    assert reply.status_code == 200
    assert {name: check["ok"] for name, check in reply.json()["checks"].items()} == {"database": True, "broker": True}


async def test_not_ready_names_the_check_and_its_reason_without_the_password() -> None:
    async def refuses() -> None:
        raise ConnectionError("cannot reach postgresql://app:hunter2@db/x")

    reply = await _get("/readyz", {"database": refuses, "broker": _answers})

    assert reply.status_code == 503
    assert reply.json()["checks"]["broker"]["ok"] is True
    assert "cannot reach" in reply.json()["checks"]["database"]["reason"]
    assert "hunter2" not in reply.text


async def test_a_check_that_hangs_fails_in_time_and_holds_up_no_other() -> None:
    async def hangs() -> None:
        await asyncio.sleep(60)

    reply = await asyncio.wait_for(_get("/readyz", {"slow": hangs, "broker": _answers}), 2)

    assert reply.json()["checks"]["slow"]["reason"] == "no answer within 0.05 s"
    assert reply.json()["checks"]["broker"]["ok"] is True


async def test_metrics_count_requests_by_route_and_tell_the_memory() -> None:
    text = (await _get("/metrics", {})).text

    assert 'repostream_http_request_seconds_count{method="GET",route="/items/{number}",status="2xx"}' in text
    memory = next(line for line in text.splitlines() if line.startswith("repostream_rss_bytes "))
    assert float(memory.split()[1]) > 10_000_000
