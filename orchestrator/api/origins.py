"""Pages elsewhere that may ask (CORS): an exact list, without cookies. They show a key or a token of their own."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
_TAKEN = ("Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "Idempotency-Key", "X-Correlation-Id")
_SHOWN = (
    "ETag",
    "Location",
    "Retry-After",
    "Idempotency-Replayed",
    "X-Correlation-Id",
    "Deprecation",
    "Sunset",
    "Link",
)
_METHODS = ("GET", "POST", "PATCH", "DELETE")
_MAX_AGE = 600  # seconds that a browser remembers a preflight's answer


class Origins:
    """Which pages elsewhere may ask. Starlette's rules, applied where open streams pass as well."""

    def __init__(self, allowed: frozenset[str]) -> None:
        """Raises ValueError with a sentence where one is not an exact origin."""
        for origin in allowed:
            if _ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"{origin!r} is not an origin: write https://host or https://host:port, each exactly.")
        self.allowed = allowed
        self._rules = CORSMiddleware(
            _nowhere, allowed, _METHODS, _TAKEN, allow_credentials=False, expose_headers=_SHOWN, max_age=_MAX_AGE
        )

    def preflight(self, method: str, headers: Headers) -> Response | None:
        """The answer to a browser that asks first; None where it does not, or no page elsewhere may ask."""
        if not self.allowed or method != "OPTIONS":
            return None
        if "origin" not in headers or "access-control-request-method" not in headers:
            return None
        return self._rules.preflight_response(headers)

    def tell(self, origin: str, headers: MutableHeaders) -> None:
        """Say on an answer that the page it goes to may read it."""
        if not self.allowed:
            return
        headers.add_vary_header("Origin")
        if self._rules.is_allowed_origin(origin):
            headers.update({"Access-Control-Allow-Origin": origin, **self._rules.simple_headers})


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """The rules are asked, and serve nothing themselves."""
