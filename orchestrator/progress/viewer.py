"""One viewer of one analysis. What its connection takes is sent at once, what it does not take waits in a mailbox.

There may be ten thousand: a viewer that keeps up has no task, no timer and no mailbox of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from types import coroutine
from typing import Any

import structlog
from starlette.types import Send

from orchestrator.progress import frames

_log = structlog.get_logger(__name__)
CAPACITY = 64
FillGap = Callable[[int], Awaitable[tuple[bytes, int]]]


@dataclass(frozen=True, slots=True)
class Message:
    """A frame to be sent. A milestone has a version, a tick the run it is about, a heartbeat neither."""

    frame: bytes
    version: int | None = None
    run_id: str | None = None


class Mailbox:
    """What waits for one viewer: at most `capacity` messages. Ticks are lost first; a lost milestone is noted."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._messages: list[Message] = []
        self.overflowed = False

    def __bool__(self) -> bool:
        return bool(self._messages)

    def put(self, message: Message) -> None:
        """Add a message. A tick replaces the waiting one of its run; where all is full, the oldest tick goes."""
        if message.run_id is not None:
            self._messages = [waiting for waiting in self._messages if waiting.run_id != message.run_id]
        if len(self._messages) >= self._capacity and not self._drop_tick():
            self.overflowed = self.overflowed or message.version is not None
        else:
            self._messages.append(message)

    def take(self) -> Message:
        """The oldest message. Raises IndexError where there is none."""
        return self._messages.pop(0)

    def _drop_tick(self) -> bool:
        for waiting in self._messages:
            if waiting.version is None:
                self._messages.remove(waiting)
                return True
        return False


class Viewer:
    """Sends what happens after version `sent`, each milestone once and in order; `fill` reads what a gap hides."""

    __slots__ = ("_ending", "_fill", "_mailbox", "_send", "_sent", "_task")

    def __init__(self, send: Send, sent: int, fill: FillGap) -> None:
        self._send = send
        self._sent = sent
        self._fill = fill
        self._mailbox: Mailbox | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: bytes | None = None  # its last words, once it is to be sent away

    async def begin(self, greeting: bytes) -> None:
        """Send `greeting` and what was missed; what is put meanwhile follows."""
        self._task = asyncio.current_task()
        await self._send_all(self._catch_up(greeting))

    def put(self, message: Message) -> None:
        """Send a message, now or as soon as the connection takes it."""
        if self._ending is not None:
            return
        if self._task is None and self._fits(message):
            self._sent = message.version or self._sent
            rest = start(self._write(message.frame))
            if rest is not None:
                self._go_on(rest)
            return
        self._mailbox = self._mailbox or Mailbox()
        self._mailbox.put(message)
        if self._task is None:
            self._go_on()

    def send_away(self, last_words: bytes = b"") -> None:
        """End the connection after what waits; the viewer comes back by itself."""
        if self._ending is None:
            self._ending = last_words
            if self._task is None:
                self._go_on()

    def stop(self) -> None:
        """Send nothing more: the connection is gone."""
        self._ending = self._ending or b""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def _go_on(self, rest: Awaitable[None] | None = None) -> None:
        self._task = asyncio.get_running_loop().create_task(self._send_all(rest))

    async def _send_all(self, rest: Awaitable[None] | None) -> None:
        try:
            if rest is not None:
                await rest
            await self._drain()
        except Exception as error:  # noqa: BLE001  # the log cannot be read: the viewer comes back, and asks again
            _log.warning("viewer_sent_away", error=repr(error)[:300])
            await self._send({"type": "http.response.body", "body": frames.RESYNC})

    def _fits(self, message: Message) -> bool:
        return message.version is None or message.version == self._sent + 1

    async def _drain(self) -> None:
        """Send what waits, until nothing does."""
        while mailbox := self._mailbox:
            message = mailbox.take()
            if self._fits(message):
                self._sent = message.version or self._sent
                await self._write(message.frame)
            elif message.version is not None and message.version > self._sent:
                await self._catch_up()
            if not mailbox and mailbox.overflowed:
                self._mailbox = None
                await self._catch_up()
        self._mailbox = self._task = None
        if self._ending is not None:
            await self._send({"type": "http.response.body", "body": self._ending})

    async def _catch_up(self, greeting: bytes = b"") -> None:
        missed, self._sent = await self._fill(self._sent)
        if greeting or missed:
            await self._write(greeting + missed)

    async def _write(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


def start(work: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run `work` to where it has to wait; the rest of it, or None where it never had to. It may not use its task.

    A task for each of thousands of writes that hardly ever wait would cost more than the writes.
    """
    try:
        waited = work.send(None)
    except StopIteration:
        return None
    return _rest(work, waited)


@coroutine
def _rest(work: Coroutine[Any, Any, None], waited: Any) -> Generator[Any, Any, None]:  # noqa: ANN401  # the loop's own
    try:
        yield waited
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is meant for the work
        work.throw(error)
    yield from work.__await__()
