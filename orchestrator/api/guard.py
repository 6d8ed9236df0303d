"""What stands before every route: host and origin checks, the body's size, a deadline, correlation and headers.

Plain ASGI, so that a stream is not buffered. A refusal is a problem like any other.
"""

import asyncio
from collections.abc import Callable, Mapping
from uuid import UUID, uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.api.origins import Origins
from orchestrator.api.problems import MEDIA_TYPE, RETRY_AFTER, body_of
from orchestrator.auth.identity import is_loopback
from orchestrator.progress.stream import answered_stream, take_stream
from runtime.security_headers import PERMISSIONS, TRANSPORT

_log = structlog.get_logger(__name__)
MAX_BODY = 64 * 1024
TOOLS = "/api/v1/mcp"  # messages of agents: a question may take long, and what a tool asks has deadlines of its own
HOOKS = "/hooks/"  # what hosts of repositories call
DEADLINE = 15.0  # seconds to the first byte of an answer
PACKING = 600.0  # the same of a bundle, which is made whole before any of it is sent
CORRELATION = "x-correlation-id"
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "permissions-policy": PERMISSIONS,
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}


class Refused(Exception):
    """The request goes no further."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def host_of(header: str) -> str:
    """The name in a Host header, without its port; empty where there is none."""
    name = header.strip().lower()
    return name[1 : name.index("]")] if name.startswith("[") and "]" in name else name.partition(":")[0]


def check_host(headers: Headers, allowed: frozenset[str]) -> None:
    """Refuse a request for a name that is not ours: a page elsewhere may have pointed its own name at this machine."""
    hosts = headers.getlist("host")
    name = host_of(hosts[0]) if len(hosts) == 1 else ""
    if not name or not (is_loopback(name) or name in allowed):
        raise Refused("bad_host", "Call it by a name it is configured for, or as localhost.")


def check_target(scope: Scope) -> None:
    """Refuse NUL in an address: PostgreSQL has no such character, and nobody means it."""
    if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
        raise Refused("invalid_request", "The address holds a NUL character.")


def check_origin(method: str, headers: Headers, allowed: frozenset[str]) -> None:
    """Refuse a change that a browser was made to send by another site. Commands send neither header."""
    if method not in _CHANGING:
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin == "null" and site == "same-origin":  # a form of a page of ours that sends no referrer
        return
    if origin is not None and (origin.lower() in allowed or _is_own(origin.lower(), headers)):
        return
    if origin is not None or site not in {None, "same-origin", "none"}:
        raise Refused("cross_site", "Changes are accepted from this service's own pages only.")


def _is_own(origin: str, headers: Headers) -> bool:
    return origin.partition("://")[2] == headers.get("host", "").lower() and origin.startswith(("http://", "https://"))


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str],
        origins: frozenset[str],
        https: bool = False,
        deadline: float = DEADLINE,
    ) -> None:
        """`https`: people reach the installation by it alone, and browsers are told to keep to it."""
        self._app = app
        self._hosts = hosts
        self._origins = Origins(origins)
        self._headers = {**_SECURITY, **({"strict-transport-security": TRANSPORT} if https else {})}
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation_id = _correlation(headers)
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
        reply = _Reply(send, correlation_id, self._headers, self._origins, headers.get("origin", ""))
        await self._answer(scope, headers, receive, reply)
        stream = answered_stream(scope)
        if stream is not None and not reply.started:
            await stream.begin(reply)
        elif stream is not None:  # it came too late: something else was answered
            take_stream(scope)
            await stream.over()

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, reply: "_Reply") -> None:
        """Hand the request on, and see that it is answered, unless it is left to a stream."""
        try:
            check_host(headers, self._hosts)
            check_target(scope)
            if (preflight := self._origins.preflight(scope["method"], headers)) is not None:
                await preflight(scope, receive, reply)
                return
            check_origin(scope["method"], headers, self._origins.allowed)
            if is_streamed(scope):
                await self._app(scope, receive, reply)
                return
            await self._in_time(scope, headers, receive, reply)
        except Refused as refused:
            await reply.problem(refused.code, refused.detail)
        except TimeoutError:
            if reply.started:
                raise
            await reply.problem("timed_out", "The service is busy: try again in a moment.")
        except Exception as error:
            _log.error("request_faulted", path=scope["path"], error=repr(error)[:500], exc_info=error)
            if reply.started:
                raise
            await reply.problem("internal_error", "It was logged; please report the correlation id.")
        finally:
            reply.on_start = _nothing

    async def _in_time(self, scope: Scope, headers: Headers, receive: Receive, reply: "_Reply") -> None:
        """Read the body and hand the request on. Raises Refused, and TimeoutError where no answer begins in time."""
        async with asyncio.timeout(PACKING if is_packed(scope) else self._deadline) as deadline:
            reply.on_start = lambda: deadline.reschedule(None)
            received = await _bounded(scope["method"], headers, receive)
            if scope["path"] == TOOLS:
                deadline.reschedule(None)
            await self._app(scope, received, reply)


def is_streamed(scope: Scope) -> bool:
    """Whether the route reads the body as it comes, and bounds its size and its time by itself."""
    path: str = scope["path"]
    return scope["method"] == "POST" and (path in {"/api/v1/uploads", "/api/v1/bundles"} or path.startswith(HOOKS))


def is_packed(scope: Scope) -> bool:
    """Whether a bundle is asked for."""
    path: str = scope["path"]
    return scope["method"] == "GET" and path.startswith("/api/v1/") and path.endswith("/bundle")


def _nothing() -> None:
    """What is done at the start of an answer that has no deadline."""


def _correlation(headers: Headers) -> str:
    """The caller's id where it is a UUID, else a new one: it goes into events, so it is not free text."""
    try:
        return str(UUID(headers.get(CORRELATION, "")))
    except ValueError:
        return str(uuid4())


class _Reply:
    """`send`, with our headers on every answer."""

    __slots__ = ("_correlation_id", "_headers", "_origin", "_origins", "_send", "on_start", "started")

    def __init__(
        self, send: Send, correlation_id: str, headers: Mapping[str, str], origins: Origins, origin: str
    ) -> None:
        self._send = send
        self._correlation_id = correlation_id
        self._headers = headers
        self._origins = origins
        self._origin = origin
        self.started = False
        self.on_start: Callable[[], None] = _nothing

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.on_start()
            headers = MutableHeaders(scope=message)
            headers[CORRELATION] = self._correlation_id
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            self._origins.tell(self._origin, headers)
            headers.setdefault("cache-control", "no-store")
        await self._send(message)

    async def problem(self, code: str, detail: str) -> None:
        """Answer with a problem. The deadline is over by then."""
        self.on_start = _nothing
        body = body_of(code, detail, self._correlation_id)
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        if body.status == 503:
            headers += [(name.lower().encode(), value.encode()) for name, value in RETRY_AFTER.items()]
        await self({"type": "http.response.start", "status": body.status, "headers": headers})
        await self({"type": "http.response.body", "body": body.model_dump_json().encode()})


async def _bounded(method: str, headers: Headers, receive: Receive) -> Receive:
    """The body, read here and never more than MAX_BODY of it; then whatever else the connection says."""
    if method not in _CHANGING:
        return receive
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise Refused("body_too_large", f"Send at most {MAX_BODY // 1024} KiB.")
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return receive
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise Refused("body_too_large", f"Send at most {MAX_BODY // 1024} KiB.")
    first: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
