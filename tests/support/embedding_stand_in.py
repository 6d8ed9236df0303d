"""OpenAI's and Voyage's embeddings on loopback: their real wire formats, and every way a reply can be wrong.

A text's vector is as `tests.fakes.embedder` has it, three times as long, so that whoever asks has to normalise it. The
server writes bytes itself, so that it can refuse, stall, cut or garble a reply exactly where a test wants it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

from tests.fakes.embedder import WordEmbedder

REFUSED = "unspeakable"  # a text with this word is refused, with its whole request
ZERO = "nowhere"  # a text with this word has a vector of zeros


@dataclass
class StandIn:
    """A running server: where it is, which script the next calls follow, and what was asked, with which key."""

    words: WordEmbedder
    url: str = ""
    script: list[str] = field(default_factory=list)  # the last one stays
    requests: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hung_up: int = 0  # calls that their caller ended while the server was silent

    @property
    def texts(self) -> list[str]:
        """All texts that were asked for, in order."""
        return [text for request in self.requests for text in _input(request)]

    def next_script(self) -> str:
        return self.script.pop(0) if len(self.script) > 1 else (self.script or ["whole"])[0]


@asynccontextmanager
async def embedding_stand_in(provider: str, stand_in: StandIn) -> AsyncIterator[None]:
    """Serve `provider` (openai or voyage) on a free loopback port until the block ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
                stand_in.keys.append(headers.get("authorization", ""))
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                stand_in.requests.append(body)
                if not await _reply(reader, writer, stand_in, provider):
                    break
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    stand_in.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield
    finally:
        server.close()


def _input(request: dict[str, object]) -> list[str]:
    texts = request["input"]
    assert isinstance(texts, list)
    return texts


async def _reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stand_in: StandIn, provider: str) -> bool:
    """Answer one request as the script says; whether the connection may be used again."""
    name, _, detail = stand_in.next_script().partition(":")
    texts = _input(stand_in.requests[-1])
    if name == "stall":
        async with asyncio.timeout(30):
            await reader.read()
        stand_in.hung_up += 1
        return False
    if name == "reset":
        writer.transport.abort()
        return False
    if name == "status":
        status, _, wait = detail.partition(",")
        await _send(writer, int(status), _error(provider), formatdate(usegmt=True) if wait == "date" else wait)
    elif any(REFUSED in text for text in texts):
        await _send(writer, 400, _error(provider))
    elif name == "html":
        await _send(writer, 200, b"<html>Please sign in</html>")
    else:
        content = json.dumps(_body(stand_in, texts, name)).encode()
        await _send(writer, 200, content[: len(content) // 2] if name == "garbage" else content)
    return True


def _body(stand_in: StandIn, texts: list[str], name: str) -> dict[str, object]:
    rows: list[list[float]] = (stand_in.words.embed(texts) * 3).tolist()
    fixed = [0.0 if ZERO in text else None if text.strip() else 1.0 for text in texts]
    rows = [row if value is None else [value] * len(row) for row, value in zip(rows, fixed, strict=True)]
    if name == "nan":
        rows[-1][0] = float("nan")
    if name == "narrow":
        rows = [row[:-1] for row in rows]
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    data.reverse()  # the place is told by `index` alone
    if name == "short":
        data = data[1:]
    if name == "null":
        data[0]["embedding"] = None
    tokens = sum(len(text.split()) for text in texts)
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def _error(provider: str) -> bytes:
    said = {"detail": "no"} if provider == "voyage" else {"error": {"message": "no", "type": "invalid_request_error"}}
    return json.dumps(said).encode()


async def _send(writer: asyncio.StreamWriter, status: int, content: bytes, retry_after: str = "") -> None:
    wait = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{wait}Content-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)
    await writer.drain()
