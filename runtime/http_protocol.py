"""HTTP off the wire, with a problem (RFC 9457) even for what is no HTTP: the application never sees that.

A connection that only waits is made small: an empty deque takes 624 bytes, and each of ten thousand viewers had three.
"""

import asyncio
import json
from typing import TypeVar

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

T = TypeVar("T")

_BODY = json.dumps(
    {
        "type": "urn:repostream:problem:invalid_request",
        "title": "The request cannot be read",
        "status": 400,
        "detail": "It is not HTTP, or its first line and headers are longer than 64 KiB.",
        "code": "invalid_request",
        "correlation_id": "",
    }
).encode()
_HEAD = (
    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n"
    f"content-length: {len(_BODY)}\r\nconnection: close\r\n\r\n"
).encode()


_WRITABLE = asyncio.Event()  # of every connection that takes what is written
_WRITABLE.set()


class Flow(FlowControl):
    """uvicorn's own, with an event of its own only while somebody may have to wait for it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = False
        self.write_paused = False
        self._is_writable_event = _WRITABLE

    def pause_writing(self) -> None:
        """Let whoever writes wait from now on."""
        if not self.write_paused:
            self.write_paused = True
            self._is_writable_event = asyncio.Event()

    def resume_writing(self) -> None:
        """Let go of whoever waits."""
        if self.write_paused:
            self.write_paused = False
            self._is_writable_event.set()
            self._is_writable_event = _WRITABLE


class Pipeline(list[T]):
    """Requests that came before the one at work was answered: as good as never any."""

    def appendleft(self, request: T) -> None:
        """Put a request behind those that wait: the next one is taken from the right."""
        self.insert(0, request)


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's own, but for its size and for what it says to a request that it cannot read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a new connection."""
        super().connection_made(transport)
        self.flow = Flow(transport)
        self.pipeline = Pipeline()  # type: ignore[assignment]  # all of a deque that uvicorn uses

    def send_400_response(self, msg: str) -> None:
        """Say that it cannot be read, and hang up."""
        self.transport.write(_HEAD + _BODY)
        self.transport.close()
