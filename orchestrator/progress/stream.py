"""Responses that stay open for hours, without what their request needed for a moment."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_WAITING = "waiting_stream"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_LEFT = frozenset({"type", "method", "path", "http_version"})  # of a request, for the server until it ends


class Holder(Protocol):
    """By whose right streams are open."""

    def let_go(self, stream: "Stream") -> None:
        """Hear that a stream is over."""
        ...


class Stream(Response):
    """A response that the application serves after all else is done with its request.

    Served inside, it would keep the request, its dependencies and the frames of all middleware: 17 KB a viewer more.
    """

    ended: Callable[[], Awaitable[None]] | None = None
    holder: "Holder | None" = None

    def __init__(self) -> None:
        self.background = None  # all that FastAPI wants of a response that it is to call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave itself to whoever takes the stream of `scope`."""
        scope["state"][_WAITING] = self

    async def begin(self, send: Send) -> None:
        """Send what stands before the first byte; not part of `run`, so that all middleware sees it."""
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve one viewer, and tell who wants to know that it is over."""
        try:
            await self.serve(receive, send)
        finally:
            await self.over()

    async def over(self) -> None:
        """Tell who wants to know that it is over, also where it was never served."""
        if self.holder is not None:
            self.holder.let_go(self)
        if self.ended is not None:
            await self.ended()

    @abstractmethod
    def send_away(self) -> None:
        """End it soon; whoever may come back does so by themselves."""

    @abstractmethod
    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve one viewer after `begin`, to the last byte."""


async def when_over(scope: Scope, then: Callable[[], Awaitable[None]]) -> None:
    """Call `then` once the stream is over that a route answered with; now where it answered otherwise."""
    stream = answered_stream(scope)
    if stream is None:
        await then()
    else:
        stream.ended = then


def answered_stream(scope: Scope) -> Stream | None:
    """The stream that a route answered with; None where it answered otherwise."""
    stream: Stream | None = scope["state"].get(_WAITING)
    return stream


def take_stream(scope: Scope) -> Stream | None:
    """The stream that a route answered with, to be served, and gone from `scope`; None where it answered otherwise."""
    stream: Stream | None = scope.get("state", {}).pop(_WAITING, None)
    return stream


def only_needed(scope: Scope, received: object) -> None:
    """Let go of what a request brought along, its headers as they were `received` too: its stream may be long."""
    kept = {name: scope[name] for name in _LEFT & scope.keys()}
    scope.clear()  # and not name by name: that would leave its table as large as it was
    scope.update(kept)
    if isinstance(received, list):  # the server's own
        received.clear()
