"""Live streams of the double of the API, and its problems."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Json = dict[str, Any]
Refused = dict[tuple[str, str], ASGIApp]  # method and end of the address → what answers it


def problem(status: int, code: str, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    return JSONResponse(body | {"correlation_id": "c0ffee"}, status, media_type="application/problem+json")


def frame(event: str, data: object, event_id: int | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def busy() -> Response:
    """The refusal of whoever asked too often."""
    return problem(429, "rate_limited", "Too many requests", "Try again in 7 seconds.")


async def follow(told: Callable[[], Json]) -> AsyncIterator[bytes]:
    """What is `told` of work, and whenever that is something else; to its end."""
    said: Json = {}
    while said.get("state") in {None, "asked"}:
        if (now := told()) != said:
            said = now
            yield frame("work", said)
        await asyncio.sleep(0.02)


class Refusing:
    """Answers what is refused at the moment in place of the double, and writes it down."""

    def __init__(self, app: ASGIApp, refused: Callable[[], Refused], requests: list[str]) -> None:
        self._app, self._refused, self._requests = app, refused, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for (method, end), refusal in self._refused().items():
            if scope["type"] == "http" and scope["method"] == method and scope["path"].endswith(end):
                self._requests.append(f"{method} {scope['path']}")
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Streams:
    """The open event streams of one subject; the test's thread sends, the server's loop delivers."""

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop
        self._queues: list[asyncio.Queue[bytes | None]] = []

    def send(self, piece: bytes | None, *, keep: Callable[[], None] | None = None) -> None:
        """Deliver a piece; `keep` records it in the same step, so that nobody gets it as missed and live."""

        def deliver() -> None:
            if keep is not None:
                keep()
            for queue in self._queues:
                queue.put_nowait(piece)

        self._loop().call_soon_threadsafe(deliver)

    async def follow(self, missed: Callable[[], list[bytes]]) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        so_far = missed()
        self._queues.append(queue)
        try:
            yield b"retry: 200\n\n"
            for piece in so_far:
                yield piece
            while (piece := await self._next(queue)) is not None:
                yield piece
        finally:
            self._queues.remove(queue)

    @property
    def open(self) -> int:
        return len(self._queues)

    @staticmethod
    async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
        try:
            return await asyncio.wait_for(queue.get(), 2.0)
        except TimeoutError:
            return frame("heartbeat", {})
