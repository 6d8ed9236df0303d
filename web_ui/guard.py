"""What every reply of the web pages passes: the host check and the security headers.

The host check keeps a hostile page from reaching the API through a name that it lets point to this machine.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROBES = frozenset({"/healthz", "/readyz"})  # an orchestrator probes by address, whatever that is

# Streamlit styles elements inline and loads a component's script from a blob; nothing is fetched from elsewhere.
_SOURCES = {
    "default-src": "'self'",
    "script-src": "'self' blob: 'unsafe-inline' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {value}" for name, value in _SOURCES.items())
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


def host_of(header: str | None) -> str | None:
    """The name in a Host header, lower-case, without port and brackets; None where it is not one."""
    if not header:
        return None
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname.rstrip(".") if parts.hostname else None


class Guard:
    """Refuses foreign hosts with 400 and adds the security headers. `*` among the hosts allows any."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, refuse, or add to the reply."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if not self._allowed(scope):
            refusal: ASGIApp = (
                WebSocketClose(1008)
                if scope["type"] == "websocket"
                else PlainTextResponse("This name is not allowed here: see REPOSTREAM_WEB_UI_ALLOWED_HOSTS.", 400)
            )
            await refusal(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        await self._app(scope, receive, guarded)

    def _allowed(self, scope: MutableMapping[str, Any]) -> bool:
        if "*" in self._hosts or scope["path"] in _PROBES:
            return True
        return host_of(Headers(scope=scope).get("host")) in self._hosts


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
