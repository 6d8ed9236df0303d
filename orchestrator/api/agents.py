"""The Model Context Protocol over HTTP: editors and agents use the index with the credential of whoever runs them.

Each tool asks this same API from the inside, by all that stands around the routes and with what the message showed: so
who may see what, the limits and the audit trail are those of every other request.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module

import httpx
from fastapi import APIRouter, Request, Response
from starlette.types import Message, Receive, Scope, Send

from orchestrator.api.dependencies import Reader
from orchestrator.api.guard import CORRELATION
from orchestrator.api.problems import correlation_of
from runtime.agents.asking import Asking
from runtime.service_tokens import ON_BEHALF

router = APIRouter(tags=["agents"])
_SHOWN = ("authorization", "cookie", "origin", "sec-fetch-site", "user-agent", "x-forwarded-for", ON_BEHALF.lower())
_SECONDS = 30.0  # of one request from the inside, which the API itself bounds
_NOBODY = ("127.0.0.1", 0)


class Handed(Response):
    """An answer that somebody else writes, once the body was read."""

    def __init__(self, serve: Callable[[Scope, Receive, Send], Awaitable[None]], body: bytes) -> None:
        super().__init__()
        self._serve = serve
        self._body: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand it on."""

        async def replay() -> Message:
            return self._body.pop() if self._body else await receive()

        await self._serve(scope, replay, send)


@router.post("/mcp", include_in_schema=False)
async def serve(request: Request, _who: Reader) -> Response:
    """One message of the streamable HTTP transport."""
    server = await asyncio.to_thread(import_module, "runtime.agents.server")  # a second, the first time
    return Handed(partial(server.serve_http, asking_as), await request.body())


@asynccontextmanager
async def asking_as(request: Request) -> AsyncIterator[Asking]:
    """Asks the application that the message came to, as whoever sent it."""
    headers = {name: request.headers[name] for name in _SHOWN if name in request.headers}
    headers[CORRELATION] = correlation_of(request)
    peer = (request.client.host, request.client.port) if request.client is not None else _NOBODY
    inside = httpx.ASGITransport(app=request.app, client=peer, raise_app_exceptions=False)
    host = request.headers.get("host", "localhost")
    async with httpx.AsyncClient(
        transport=inside, base_url=f"http://{host}", headers=headers, timeout=_SECONDS, trust_env=False
    ) as http:
        yield Asking(http)
