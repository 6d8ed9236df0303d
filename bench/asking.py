"""People who ask an installation over HTTP, and note when each part of the answer came."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.system import System

_LONGEST = 1 << 22  # bytes of a line: the last part has the whole answer
_PART = b'data: {"type": "'


@dataclass(frozen=True)
class Asked:
    """One question: milliseconds after it was sent, of each hop by when it was written, and when it was heard here."""

    written: dict[str, float]
    first: float
    whole: float
    refused: bool


@dataclass(frozen=True)
class Site:
    """Where is asked, and what: about one repository, in conversations that were begun and not used yet."""

    system: System
    repository_id: str
    questions: Iterator[str]
    begun: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The API's."""
        port = urlsplit(str(self.system.client.base_url)).port
        assert port is not None
        return port


class Asker:
    """One person's connection: begins conversations, asks, and listens to the answer."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def connect(self) -> None:
        """Open the connection."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._site.port, limit=_LONGEST)

    def close(self) -> None:
        """Give it back."""
        self._writer.close()

    async def begin(self) -> None:
        """Begin a conversation, for whoever asks next."""
        begun = await self._post("/api/v1/conversations", {"repository_id": self._site.repository_id})
        self._site.begun.append(begun["conversation_id"])

    async def ask(self) -> Asked | str:
        """Ask the next question in a conversation of its own; the code where no answer comes of it."""
        if not self._site.begun:
            await self.begin()
        path, query = f"/api/v1/conversations/{self._site.begun.pop()}/questions", next(self._site.questions)
        began, clock = time.perf_counter(), time.time()
        asked = await self._post(path, {"query": query})
        written = {"accepted": (time.perf_counter() - began) * 1_000}
        first, kind, line = 0.0, "", b"{}"
        async for at, kind, line in self._parts(f"/api/v1/questions/{asked['question_id']}/stream"):
            step = kind if kind != "status" else json.loads(line)["step"]
            # A part's id is Redis's clock, in whole milliseconds: the same machine's.
            written.setdefault(step, at - clock * 1_000)
            if kind == "token" and not first:
                first = (time.perf_counter() - began) * 1_000
        whole = (time.perf_counter() - began) * 1_000
        written["done"] = whole
        last = json.loads(line)
        if kind != "done" or not first:
            return str(last.get("code") or kind)
        return Asked(written, first, whole, refused=bool(last["question"]["refused"]))

    async def _post(self, path: str, body: dict[str, str]) -> dict[str, str]:
        text = json.dumps(body)
        head = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n"
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._host}{head}\r\n{text}".encode())
        status, length = await self._answered()
        answer = json.loads(await self._reader.readexactly(length))
        assert status < 300, answer
        return dict(answer)

    async def _parts(self, path: str) -> AsyncIterator[tuple[float, str, bytes]]:
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._host}Accept: text/event-stream\r\n\r\n".encode())
        status, _ = await self._answered()
        assert status == 200, status
        at = 0.0
        while (line := await self._reader.readline()) != b"0\r\n":
            if line.startswith(b"id: "):
                at = float(line[4:].partition(b"-")[0])
            elif line.startswith(_PART):
                yield at, line.removeprefix(_PART)[:40].split(b'"')[0].decode(), line[6:]
        await self._reader.readline()

    async def _answered(self) -> tuple[int, int]:
        """The status and length of the next answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        return int(lines[0].split()[1]), length

    @property
    def _host(self) -> str:
        return f"Host: 127.0.0.1:{self._site.port}\r\n"
