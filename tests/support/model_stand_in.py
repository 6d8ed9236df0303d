"""OpenAI and Anthropic on loopback: their real wire formats, and every way a stream can break.

The server writes bytes itself, so that it can end, cut, stall or garble a reply exactly where a test wants it.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

WORDS = ("Routes ", "are kept ", "in the map ", "[src/app.py:1-3].")


@dataclass
class StandIn:
    """A running server: where it is, which script the next calls follow, and what was asked."""

    url: str = ""
    script: list[str] = field(default_factory=list)
    requests: list[dict[str, object]] = field(default_factory=list)
    words: tuple[str, ...] = WORDS
    message: str = "no"  # what an error status says
    hung_up: int = 0  # calls that their caller ended while the model was silent

    def next_script(self) -> str:
        return self.script.pop(0) if len(self.script) > 1 else (self.script or ["whole"])[0]


def openai_events(words: tuple[str, ...], *, finish: str | None) -> list[str]:
    def chunk(delta: dict[str, object], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return f"data: {json.dumps(body)}\n\n"

    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    last = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    parts = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in words)]
    if finish:
        parts += [chunk({}, finish), f"data: {json.dumps(last)}\n\n", "data: [DONE]\n\n"]
    return parts


def anthropic_events(words: tuple[str, ...], *, finish: str | None) -> list[str]:
    def event(name: str, body: dict[str, object]) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n"

    message = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    }
    parts = [
        event("message_start", {"message": message}),
        event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        *(event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word}}) for word in words),
    ]
    if finish:
        reason = {"stop": "end_turn", "length": "max_tokens"}[finish]
        parts += [
            event("content_block_stop", {"index": 0}),
            event(
                "message_delta",
                {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 7}},
            ),
            event("message_stop", {}),
        ]
    return parts


def error_event(provider: str) -> str:
    body = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    return f"event: error\ndata: {json.dumps({'type': 'error', **body} if provider == 'anthropic' else body)}\n\n"


@asynccontextmanager
async def model_stand_in(provider: str) -> AsyncIterator[StandIn]:
    """Serve `provider` (openai or anthropic) on a free loopback port until the block ends."""
    stand_in = StandIn()
    events = {"openai": openai_events, "anthropic": anthropic_events}[provider]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
            )
            stand_in.requests.append(json.loads(await reader.readexactly(length)))
            await _reply((reader, writer), stand_in, events, provider)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stand_in.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" + ("/v1" if provider == "openai" else "")
    try:
        yield stand_in
    finally:
        server.close()


async def _reply(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    stand_in: StandIn,
    events: Callable[..., list[str]],
    provider: str,
) -> None:
    reader, writer = streams
    name, _, detail = stand_in.next_script().partition(":")
    if name == "status":
        status, _, retry_after = detail.partition(",")
        wait = formatdate(usegmt=True) if retry_after == "date" else retry_after
        await _status(writer, int(status), wait, stand_in.message)
        return
    if name == "html":
        await _send(
            writer, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>Please sign in</html>"
        )
        return
    await _send(writer, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    whole = name in {"whole", "length", "says"}
    words = (detail,) if name == "says" else stand_in.words
    parts = events(words, finish={"whole": "stop", "says": "stop", "length": "length"}.get(name))
    for part in parts if whole else parts[:-2]:
        await _chunk(writer, part)
    if name == "error":
        await _chunk(writer, error_event(provider))
    elif name == "garbage":
        await _chunk(writer, 'event: content_block_delta\ndata: {"type": broken\n\n')
    elif name == "stall":
        async with asyncio.timeout(30):
            await reader.read()
        stand_in.hung_up += 1
    elif name == "reset":
        linger = struct.pack("ii", 1, 0)  # closing now sends RST instead of FIN
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return
    await _send(writer, "0\r\n\r\n")


async def _status(writer: asyncio.StreamWriter, status: int, retry_after: str, message: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": "api_error", "message": message}})
    wait = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{wait}Content-Length: {len(body)}\r\n\r\n"
    await _send(writer, head + body)


async def _chunk(writer: asyncio.StreamWriter, text: str) -> None:
    await _send(writer, f"{len(text.encode()):x}\r\n{text}\r\n")


async def _send(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode())
    await writer.drain()
