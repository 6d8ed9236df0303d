"""`/api/v1` on the web pages' own origin: reading requests and event streams, passed on to the orchestrator.

So the browser needs one port and no cross-origin rules. In a cluster the ingress routes the same path to the API.
"""

from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

PREFIX = "/api/v1"
_ASKED = ("accept", "accept-language", "authorization", "cookie", "last-event-id", "traceparent", "if-none-match")
_TOLD = ("content-type", "cache-control", "etag", "last-modified", "retry-after", "x-accel-buffering")
_CONNECT = 5.0  # seconds
_SILENCE = 60.0  # seconds; the orchestrator's event streams say something every five


class ApiProxy:
    """Streams replies through as they come; holds one pool of connections to the orchestrator."""

    def __init__(self, orchestrator_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=orchestrator_url.rstrip("/"),
            timeout=httpx.Timeout(_SILENCE, connect=_CONNECT, pool=_CONNECT),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def route(self) -> Route:
        """The route to mount: GET alone, since whatever changes something goes through the pages' own session."""
        return Route(f"{PREFIX}/{{path:path}}", self.forward, methods=["GET"])

    async def forward(self, request: Request) -> Response:
        """Ask the orchestrator the same, and hand its reply on piece by piece; 502 where it does not answer."""
        asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
        asked["accept-encoding"] = "identity"
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        try:
            reply = await self._http.send(self._http.build_request("GET", url, headers=asked), stream=True)
        except httpx.HTTPError:
            return _unreachable(request)
        told = {name: reply.headers[name] for name in _TOLD if name in reply.headers}
        return StreamingResponse(_pieces(reply), reply.status_code, headers=told)

    async def reachable(self) -> bool:
        """Whether the orchestrator says it is up."""
        try:
            reply = await self._http.get("/healthz", timeout=2.0)
        except httpx.HTTPError:
            return False
        return reply.is_success

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()


async def _pieces(reply: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in reply.aiter_raw():
            yield piece
    except httpx.HTTPError:
        return  # cut off in the middle: the browser's event stream comes back by itself
    finally:
        await reply.aclose()


def _unreachable(request: Request) -> Response:
    problem = {
        "type": "about:blank",
        "title": "The analysis service does not answer",
        "status": 502,
        "detail": "It may be starting: try again in a few seconds.",
        "code": "orchestrator_unreachable",
        "correlation_id": request.headers.get("traceparent", ""),
    }
    return JSONResponse(problem, 502, media_type="application/problem+json")
