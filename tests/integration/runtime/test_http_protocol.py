"""A connection made small still answers pipelined requests in their order, and waits for a reader that is slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from runtime.http_protocol import ProblemProtocol

_PIECE = b"x" * 100_000
_PIECES = 300


class Application:
    """Answers with the path, after a moment; to `/much` with thirty megabytes, and counts what was taken of them."""

    def __init__(self) -> None:
        self.taken = 0
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/much":
            for _ in range(_PIECES):
                await send({"type": "http.response.body", "body": _PIECE, "more_body": True})
                self.taken += 1
            self.ended.set()
        else:
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": f"<{scope['path']}>".encode()})


@asynccontextmanager
async def _serving(app: Application) -> AsyncIterator[int]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, http=ProblemProtocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def _request(path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: here\r\n{more}\r\n".encode()


async def test_requests_sent_at_once_are_answered_in_their_order() -> None:
    async with _serving(Application()) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_request("/a") + _request("/b") + _request("/c", "connection: close\r\n"))
        replies = await reader.read()
        writer.close()
    places = [replies.index(f"<{path}>".encode()) for path in ("/a", "/b", "/c")]
    assert places == sorted(places)


@pytest.mark.parametrize("leaves", [False, True])
async def test_a_slow_reader_is_waited_for_and_nobody_is_left_waiting(leaves: bool) -> None:
    app = Application()
    async with _serving(app) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(_request("/much", "connection: close\r\n"))
        before = -1
        while before != app.taken or not app.taken:
            before = app.taken
            await asyncio.sleep(0.2)
        assert app.taken < _PIECES, "it did not wait for its reader"
        if leaves:
            writer.transport.abort()
        else:
            assert (await reader.read()).count(b"x") == len(_PIECE) * _PIECES
            writer.close()
        await app.ended.wait()
