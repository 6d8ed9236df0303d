"""Responses that stay open for hours, without what their request needed for a moment."""

from abc import abstractmethod

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_WAITING = "waiting_stream"


class Stream(Response):
    """A response that the outermost middleware serves, after the application is done with the request.

    Served inside, it would keep the request, its dependencies and the frames of all middleware: 12 KB a viewer more.
    """

    def __init__(self) -> None:
        super().__init__(media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave itself to whoever asks for the `waiting_stream`."""
        scope["state"][_WAITING] = self

    @abstractmethod
    async def serve(self, receive: Receive, send: Send) -> None:
        """Serve one viewer, from the first byte to the last."""


def waiting_stream(scope: Scope) -> Stream | None:
    """The stream that a route answered with, to be served; None where it answered otherwise. `scope` has a `state`."""
    stream: Stream | None = scope["state"].pop(_WAITING, None)
    for name in [name for name in scope if name.startswith("fastapi_")] if stream is not None else ():
        del scope[name]  # its exit stacks, all closed by now
    return stream
