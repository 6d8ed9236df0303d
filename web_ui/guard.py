"""What every reply of the web pages passes: the host check and the security headers.

The host check keeps a hostile page from reaching the API through a name that it lets point to this machine.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, MutableMapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from runtime.security_headers import PERMISSIONS, TRANSPORT

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PROBES = frozenset({"/healthz", "/readyz"})  # an orchestrator probes by address, whatever that is

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policy(index: str) -> str:
    """The content security policy for Streamlit's `index` page: its own inline scripts, by their hashes, and no others.

    Streamlit styles elements inline, loads a component's script from a blob and compiles WebAssembly; nothing comes
    from elsewhere.
    """
    hashes = (b64encode(sha256(script.encode()).digest()).decode() for script in _INLINE.findall(index))
    inline = " ".join(f"'sha256-{digest}'" for digest in hashes)
    sources = {
        "default-src": "'none'",
        "script-src": f"'self' blob: 'wasm-unsafe-eval' {inline}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "frame-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in sources.items())


def headers_for(index: str, *, https: bool) -> dict[str, str]:
    """What every reply says. `https`: people come by it alone."""
    return {
        "content-security-policy": policy(index),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": PERMISSIONS,
    } | ({"strict-transport-security": TRANSPORT} if https else {})


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

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers
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
                said = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    said.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)

    def _allowed(self, scope: MutableMapping[str, Any]) -> bool:
        if "*" in self._hosts or scope["path"] in _PROBES:
            return True
        return host_of(Headers(scope=scope).get("host")) in self._hosts
