"""`/api/v1`, `/auth` and `/hooks` on the pages' own origin: reads, event streams, uploads, a person's way in and out,
and what hosts of repositories call.

So the browser needs one port and no cross-origin rules. In a cluster the ingress routes the same path to the API.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runtime.service_tokens import ServiceSigner

PREFIX = "/api/v1"
UPLOADS, BUNDLES = f"{PREFIX}/uploads", f"{PREFIX}/bundles"
HOOKS = "/hooks/{repository_id}"  # what hosts of repositories call
_SAID_BY_HOSTS = ("x-hub-", "x-github-", "x-gitea-", "x-forgejo-", "x-gitlab-", "webhook-")
_SENT = ("content-type", "content-length", "idempotency-key")
_WAYS = {"/auth/login": "GET", "/auth/callback": "GET", "/auth/logout": "POST"}  # tokens are not for browsers
_ASKED = ("accept", "accept-language", "authorization", "cookie", "last-event-id", "traceparent", "if-none-match")
_TOLD = (
    "content-type",
    "content-disposition",
    "cache-control",
    "etag",
    "last-modified",
    "retry-after",
    "x-accel-buffering",
)
_SIGNING = ("content-type", "cache-control", "location", "set-cookie", "retry-after")
_CONNECT = 5.0  # seconds
_RESYNC = b"event: resync\ndata: {}\n\n"  # as the orchestrator says it: come back, by another connection
_SILENCE = 60.0  # seconds; the orchestrator's event streams say something every five
_WORK = 620.0  # the same of a bundle that is made, and of what is looked through once it has come


class ApiProxy:
    """Streams replies through as they come; holds one pool of connections to the orchestrator."""

    def __init__(
        self,
        orchestrator_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        signer: ServiceSigner | None = None,
    ) -> None:
        """By `signer` the orchestrator knows who says for whom it asks; without, it takes this process for all."""
        self._signer = signer
        self._ending = asyncio.Event()
        self._http = httpx.AsyncClient(
            base_url=orchestrator_url.rstrip("/"),
            timeout=_patience(_SILENCE),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    def routes(self) -> list[Route]:
        """The routes to mount. Of the API GET alone: whatever changes something goes through the pages' own session,

        but for uploads and bundles, which are too large for it.
        """
        api = Route(f"{PREFIX}/{{path:path}}", self.forward, methods=["GET"])
        uploads = [Route(path, self.upload, methods=["POST"]) for path in (UPLOADS, BUNDLES)]
        hook = Route(HOOKS, self.call_hook, methods=["POST"])
        return [*uploads, hook, api, *(Route(path, self.sign, methods=[method]) for path, method in _WAYS.items())]

    async def sign(self, request: Request) -> Response:
        """Hand on a step of signing in or out, with its cookies and redirects; 403 for what another site began."""
        if request.method != "GET" and not _is_own(request):
            return _problem(
                request, 403, "cross_site", "The request comes from another site", "Sign out on a page here."
            )
        asked = {name: request.headers[name] for name in ("cookie", "user-agent") if name in request.headers}
        asked |= self._on_behalf(request)
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        try:
            reply = await self._http.request(request.method, url, headers=asked)
        except httpx.HTTPError:
            return _unreachable(request)
        told = Response(reply.content, reply.status_code)
        for name, value in reply.headers.multi_items():
            if name in _SIGNING:
                told.headers.append(name, value)
        return told

    async def forward(self, request: Request) -> Response:
        """Ask the orchestrator the same, and hand its reply on piece by piece; 502 where it does not answer."""
        asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
        asked |= {"accept-encoding": "identity", **self._on_behalf(request)}
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        try:
            patience = _patience(_WORK if request.url.path.endswith("/bundle") else _SILENCE)
            asking = self._http.build_request("GET", url, headers=asked, timeout=patience)
            reply = await self._http.send(asking, stream=True)
        except httpx.HTTPError:
            return _unreachable(request)
        told = {name: reply.headers[name] for name in _TOLD if name in reply.headers}
        is_stream = told.get("content-type", "").startswith("text/event-stream")
        pieces = _until(self._ending, reply) if is_stream else _pieces(reply)
        return StreamingResponse(pieces, reply.status_code, headers=told)

    async def upload(self, request: Request) -> Response:
        """Hand an upload or a bundle on as it comes, with the session's cookie; 403 for what another site began."""
        if not _is_own(request):
            return _problem(request, 403, "cross_site", "The request comes from another site", "Upload on a page here.")
        asked = {name: request.headers[name] for name in (*_ASKED, *_SENT) if name in request.headers}
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        return await self._hand_on(request, url, asked, silence=_WORK)

    async def call_hook(self, request: Request) -> Response:
        """Hand a call of a repository's host on as it comes; its signature is looked at by the orchestrator."""
        asked = {name: request.headers[name] for name in (*_SENT, "user-agent") if name in request.headers}
        asked |= {name: value for name, value in request.headers.items() if name.startswith(_SAID_BY_HOSTS)}
        url = httpx.URL(path=request.url.path)
        return await self._hand_on(request, url, asked)

    async def _hand_on(
        self, request: Request, url: httpx.URL, asked: dict[str, str], *, silence: float = _SILENCE
    ) -> Response:
        """The orchestrator's answer to what a request brings, which goes on as it comes; 502 after so much silence."""
        sent, patience = asked | self._on_behalf(request), _patience(silence)
        try:
            reply = await self._http.post(url, headers=sent, content=request.stream(), timeout=patience)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to hear it
        except httpx.HTTPError:
            return _unreachable(request)
        told = {name: reply.headers[name] for name in _TOLD if name in reply.headers}
        return Response(reply.content, reply.status_code, headers=told)

    def _on_behalf(self, request: Request) -> dict[str, str]:
        """Headers that say for whose address it is asked, and that it is the page server who says so."""
        peer = request.client.host if request.client is not None else ""
        chain = ", ".join(filter(None, (*request.headers.getlist("x-forwarded-for"), peer)))
        return {"x-forwarded-for": chain} | (self._signer.on_behalf("orchestrator") if self._signer is not None else {})

    async def reachable(self) -> bool:
        """Whether the orchestrator says it is up."""
        try:
            reply = await self._http.get("/healthz", timeout=2.0)
        except httpx.HTTPError:
            return False
        return reply.is_success

    def end_streams(self) -> None:
        """Send everybody who watches an event stream elsewhere: this process is about to end."""
        self._ending.set()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()


def _patience(silence: float) -> httpx.Timeout:
    return httpx.Timeout(_SILENCE, connect=_CONNECT, pool=_CONNECT, read=silence)


async def _pieces(reply: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in reply.aiter_raw():
            yield piece
    except httpx.HTTPError:
        return  # cut off in the middle: the browser's event stream comes back by itself
    finally:
        await reply.aclose()


async def _until(ending: asyncio.Event, reply: httpx.Response) -> AsyncIterator[bytes]:
    """An event stream until `ending`, and then a word to come back; not in the middle of a message."""
    pieces, is_between = _pieces(reply), True
    leaving = asyncio.create_task(ending.wait())
    coming: asyncio.Future[bytes | None] | None = None
    try:
        while not ending.is_set():
            coming = asyncio.ensure_future(anext(pieces, None))
            await asyncio.wait({coming, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                break
            if (piece := coming.result()) is None:
                return
            is_between = piece.endswith(b"\n\n")
            yield piece
        if is_between:
            yield _RESYNC
    finally:
        leaving.cancel()
        leave = asyncio.create_task(_leave(reply, coming))
        _LEAVING.add(leave)
        leave.add_done_callback(_LEAVING.discard)


_LEAVING: set[asyncio.Task[None]] = set()  # a loop keeps no task alive by itself


async def _leave(reply: httpx.Response, coming: asyncio.Future[bytes | None] | None) -> None:
    """Give a stream's connection back, in a task of its own.

    A response whose browser left is cancelled anew at each of its awaits: done there, the second cancelling would end
    the closing in its middle, and the orchestrator would go on telling a connection that nobody hears.
    """
    if coming is not None:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    await reply.aclose()


def _is_own(request: Request) -> bool:
    """Whether a page of this origin sent it. Without a referrer a form's Origin is `null`, and Sec-Fetch-Site tells."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    if site is not None:
        return site == "same-origin"
    return origin.partition("://")[2] == request.headers.get("host")


def _unreachable(request: Request) -> Response:
    title, detail = "The analysis service does not answer", "It may be starting: try again in a few seconds."
    return _problem(request, 502, "orchestrator_unreachable", title, detail)


def _problem(request: Request, status: int, code: str, title: str, detail: str) -> Response:
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "correlation_id": request.headers.get("traceparent", ""),
    }
    return JSONResponse(problem, status, media_type="application/problem+json")
