"""Responses that stay open for hours, without what their request needed for a moment."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_WAITING = "waiting_stream"


class Holder(Protocol):
    """By whose right streams are open."""

    def let_go(self, stream: "Stream") -> None:
        """Hear that a stream is over."""
        ...


class Stream(Response):
    """A response that the outermost middleware serves, after the application is done with the request.

    Served inside, it would keep the request, its dependencies and the frames of all middleware: 12 KB a viewer more.
    """

    ended: Callable[[], Awaitable[None]] | None = None
    holder: "Holder | None" = None

    def __init__(self) -> None:
        super().__init__(media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave itself to whoever asks for the `waiting_stream`."""
        scope["state"][_WAITING] = self

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve one viewer, and tell who wants to know that it is over."""
        try:
            await self.serve(receive, send)
        finally:
            if self.holder is not None:
                self.holder.let_go(self)
            if self.ended is not None:
                await self.ended()

    @abstractmethod
    def send_away(self) -> None:
        """End it soon; whoever may come back does so by themselves."""

    @abstractmethod
    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve one viewer, from the first byte to the last."""


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


def waiting_stream(scope: Scope) -> Stream | None:
    """The stream that a route answered with, to be served; None where it answered otherwise. `scope` has a `state`."""
    stream: Stream | None = scope["state"].pop(_WAITING, None)
    for name in [name for name in scope if name.startswith("fastapi_")] if stream is not None else ():
        del scope[name]  # its exit stacks, all closed by now
    return stream
