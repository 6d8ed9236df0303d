"""OpenAI and Anthropic on loopback: their real wire formats, and every way a stream can break.

The server writes bytes itself, so that it can end, cut, stall or garble a reply exactly where a test wants it.
"""

import asyncio
import json
import re
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

WORDS = ("Routes ", "are kept ", "in the map ", "[src/app.py:1-3].")
_GIVEN = re.compile(r"<<<[0-9a-f]{16} (?P<place>[^\n]*:\d+-\d+)>>>")


@dataclass
class StandIn:
    """A running server: where it is, which script the next calls follow, and what was asked."""

    url: str = ""
    script: list[str] = field(default_factory=list)
    requests: list[dict[str, object]] = field(default_factory=list)
    words: tuple[str, ...] = WORDS
    message: str = "no"  # what an error status says
    refuses: str = ""  # a parameter that its model does not take, as OpenAI's newer ones do `max_tokens`
    events: list[tuple[str, object]] = field(default_factory=list)  # what `raw` sends: an event's name and its data
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


Call = tuple[str, str]  # a tool's name and its arguments, as the model writes them


def openai_calls(calls: list[Call], *, finish: bool) -> list[str]:
    """A sentence, then the calls in pieces; without `finish` it ends in the middle of the last one's arguments."""

    def chunk(delta: dict[str, object], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        return f"data: {json.dumps(body)}\n\n"

    parts = [chunk({"role": "assistant", "content": "I look for it."})]
    for place, (name, arguments) in enumerate(calls):
        head = {"index": place, "id": f"call_{place}", "type": "function", "function": {"name": name, "arguments": ""}}
        half = len(arguments) // 2
        pieces = [{"index": place, "function": {"arguments": piece}} for piece in (arguments[:half], arguments[half:])]
        parts += [chunk({"tool_calls": [one]}) for one in (head, *pieces)]
    if not finish:
        return parts[:-1]
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    last = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    return [*parts, chunk({}, "tool_calls"), f"data: {json.dumps(last)}\n\n", "data: [DONE]\n\n"]


def anthropic_calls(calls: list[Call], *, finish: bool) -> list[str]:
    """As `openai_calls`."""

    def event(name: str, body: dict[str, object]) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n"

    parts = [*anthropic_events(("I look for it.",), finish=None), event("content_block_stop", {"index": 0})]
    for place, (name, arguments) in enumerate(calls, 1):
        block = {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": {}}
        half = len(arguments) // 2
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in (arguments[:half], arguments[half:])]
        parts.append(event("content_block_start", {"index": place, "content_block": block}))
        parts += [event("content_block_delta", {"index": place, "delta": delta}) for delta in pieces]
        if finish or place < len(calls):
            parts.append(event("content_block_stop", {"index": place}))
    if not finish:
        return parts[:-1]
    delta = {"stop_reason": "tool_use", "stop_sequence": None}
    return [*parts, event("message_delta", {"delta": delta, "usage": {"output_tokens": 7}}), event("message_stop", {})]


def calls_of(detail: str) -> list[Call]:
    """`search {"query": "x"};;tree {}` as calls."""
    return [(name, arguments) for name, _, arguments in (one.partition(" ") for one in detail.split(";;"))]


def cites(request: dict[str, object]) -> tuple[str, ...]:
    """The words of an answer that cites the first passage it was given."""
    turns = request.get("messages")
    assert isinstance(turns, list)
    found = _GIVEN.search(turns[-1]["content"])
    return ("It ", "is ", "done ", f"here [{found['place'] if found else 'nowhere:1-1'}].")


def may_call(request: dict[str, object]) -> bool:
    """Whether the request offers tools and lets the model ask them."""
    choice = request.get("tool_choice")
    return bool(request.get("tools")) and choice not in ("none", {"type": "none"})


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

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
            )
            request = json.loads(await reader.readexactly(length))
            stand_in.requests.append(request)
            if stand_in.script[0:1] and stand_in.script[0].startswith("slow:"):  # so that others ask meanwhile
                await asyncio.sleep(1.0)
            if stand_in.refuses in request:
                await _status(writer, 400, "", _refusal(stand_in.refuses))
            elif stand_in.script[0:1] == ["mute"]:  # not even the first byte
                await _hung_up_on(reader, stand_in)
            else:
                await _reply((reader, writer), stand_in, provider, request)
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


_ENDS = {"whole": "stop", "says": "stop", "cites": "stop", "length": "length"}


def _parts(
    stand_in: StandIn, provider: str, script: tuple[str, str], request: dict[str, object]
) -> tuple[list[str], str]:
    """What is sent before a fault, if there is one, and the fault's name."""
    name, detail = script
    if name == "raw":
        return [f"event: {event}\ndata: {json.dumps(data)}\n\n" for event, data in stand_in.events], name
    if name == "digs":  # asks for as long as it may, then answers
        name = "call" if may_call(request) else "whole"
    name, in_call, _ = name.partition("_call")
    if name == "call" or in_call:  # whole, or with a fault in the middle of it
        calls = {"openai": openai_calls, "anthropic": anthropic_calls}[provider]
        return calls(calls_of(detail), finish=name == "call"), name
    events = {"openai": openai_events, "anthropic": anthropic_events}[provider]
    words = (detail,) if name == "says" else cites(request) if name == "cites" else stand_in.words
    parts = events(words, finish=_ENDS.get(name))
    return parts if name in _ENDS else parts[:-2], name


async def _reply(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    stand_in: StandIn,
    provider: str,
    request: dict[str, object],
) -> None:
    reader, writer = streams
    name, _, detail = stand_in.next_script().removeprefix("slow:").partition(":")
    if name == "status":
        status, _, retry_after = detail.partition(",")
        dates = {"date": formatdate(usegmt=True), "later": formatdate(time.time() + 30, usegmt=True)}
        wait = dates.get(retry_after, retry_after)
        await _status(writer, int(status), wait, stand_in.message)
        return
    if name == "html":
        await _send(
            writer, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>Please sign in</html>"
        )
        return
    await _send(writer, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    parts, name = _parts(stand_in, provider, (name, detail), request)
    for part in parts:
        await _chunk(writer, part)
    if name == "error":
        await _chunk(writer, error_event(provider))
    elif name == "garbage":
        await _chunk(writer, 'event: content_block_delta\ndata: {"type": broken\n\n')
    elif name == "stall":
        await _hung_up_on(reader, stand_in)
    elif name == "reset":
        linger = struct.pack("ii", 1, 0)  # closing now sends RST instead of FIN
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return
    await _send(writer, "0\r\n\r\n")


def _refusal(name: str) -> str:
    return f"Unsupported parameter: '{name}' is not supported with this model. Use 'max_completion_tokens' instead."


async def _hung_up_on(reader: asyncio.StreamReader, stand_in: StandIn) -> None:
    async with asyncio.timeout(30):
        await reader.read()
    stand_in.hung_up += 1


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
