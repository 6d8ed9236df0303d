"""An answer as SSE while it is written: the parts of its Redis stream, and the stored answer when there is one.

The log is what is true. The last part is sent once the log has the answer, and says what it has: whoever hears `done`
and looks, finds it. Where Redis lost the parts, or the client comes late, it gets the stored answer all the same.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import Send

from events.base import Envelope
from orchestrator.api.models import QuestionView
from orchestrator.progress import frames
from orchestrator.progress.channels import Channels, Listener, Part
from orchestrator.progress.hub import Hub
from orchestrator.progress.telling import Telling, write
from orchestrator.projections.conversations import apply
from runtime.live import WRITTEN

_WAIT = 1.0  # seconds between two looks at the log, where nobody says that it has the end
_SOON = 0.05  # once the writer said that it wrote all: who comes late hears of no end; each look waits twice as long


@dataclass(frozen=True)
class Watched:
    """A question as its conversation had it up to a version; `stored` reads it again."""

    question: QuestionView
    version: int
    stored: Callable[[], Awaitable[QuestionView]]

    async def now(self, end: Envelope | None) -> QuestionView:
        """The question as it is; not read again where its `end` was told, and nothing lies between."""
        if end is not None and end.version == self.version + 1:
            return apply({self.question.question_id: self.question}, end) or self.question
        return await self.stored()


class AnswerStream(Telling):
    """One viewer of one answer, going on after the part `after`. Ends after the last part."""

    def __init__(  # what it reads from, and where it begins
        self,
        channel: str,
        channels: Channels,
        watched: Watched,
        hub: Hub,
        *,
        after: str | None,
        heartbeat: float = 5.0,
    ) -> None:
        super().__init__(hub)
        self._channel = channel
        self._channels = channels
        self._watched = watched
        self._after = read_entry_id(after)
        self._heartbeat = heartbeat
        self._written = False

    async def tell(self, send: Send) -> None:
        """Hand on all parts, then what the log has."""
        with self._channels.listen(self._channel, self._after) as listener:
            question = self._watched.question
            if question.state == "asked":
                question = await self._ended(listener, send)
        # They were all there before the log had the end, but perhaps not read yet.
        await self._hand_on(await self._channels.rest(self._channel, self._after), send)
        await write(send, frames.frame("part", last_part(question), id_=self._after))

    async def _ended(self, listener: Listener, send: Send) -> QuestionView:
        """Hand on parts until the log has the end; the question as it is there."""
        loop = asyncio.get_running_loop()
        spoke = looked = loop.time()
        pause = _WAIT
        while True:
            parts = await listener.next(pause)
            if await self._hand_on(parts, send):
                spoke = loop.time()
            if parts and listener.end is None and loop.time() - looked < _WAIT:
                pause = _SOON if self._written else _WAIT
                continue
            question, looked = await self._watched.now(listener.end), loop.time()
            if question.state != "asked":
                return question
            if loop.time() - spoke >= self._heartbeat:
                await write(send, frames.HEARTBEAT)
                spoke = loop.time()
            pause = min(pause * 2, _WAIT)

    async def _hand_on(self, parts: Sequence[Part], send: Send) -> bool:
        """Send parts; whether there were any that are the viewer's business."""
        is_heard = False
        for entry_id, fields in parts:
            part = read_part(fields)
            self._after = entry_id
            # A writer that dies between this and its commit is followed by one that begins anew.
            self._written = part.get("type") == WRITTEN
            if not self._written:
                await write(send, frames.frame("part", json.dumps(part), id_=entry_id))
                is_heard = True
        return is_heard


def last_part(question: QuestionView) -> str:
    """The last part as JSON, from what is stored."""
    kind = "done" if question.state == "answered" else "failed"
    more = {"code": question.code, "message": question.message} if kind == "failed" else {}
    head = json.dumps({"type": kind, **more})
    return f'{head[:-1]}, "question": {question.model_dump_json()}}}'


def read_part(fields: dict[Any, Any]) -> dict[str, Any]:
    """One part as its writer meant it; an unreadable one is an empty status."""
    try:
        part = json.loads(fields[b"part"])
    except (KeyError, ValueError):
        part = None
    return part if isinstance(part, dict) else {"type": "status"}


def read_entry_id(raw: str | None) -> str:
    """A Redis stream id, or the beginning where `raw` is none."""
    first, dash, second = (raw or "").strip().partition("-")
    ok = dash and first.isdecimal() and second.isdecimal() and max(len(first), len(second)) < 20
    return f"{first}-{second}" if ok else "0-0"


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
