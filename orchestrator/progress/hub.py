"""Fan-out inside the process, by analysis. A viewer who is slow loses ticks first and is then asked to come back."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from events.base import Envelope
from orchestrator.progress import frames

CAPACITY = 64
_PREFIX = "analysis/"


class Closed(Exception):
    """The mailbox takes nothing any more: the process stops, or the client left."""


class Overflow(Exception):
    """The viewer was too slow and missed a milestone: it has to reconnect."""


@dataclass(frozen=True)
class Message:
    """A frame to be sent. A milestone has a version, a tick the run it is about."""

    frame: bytes
    version: int | None = None
    run_id: str | None = None


class Mailbox:
    """What waits for one viewer: at most `capacity` messages."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._messages: deque[Message] = deque()
        self._ready = asyncio.Event()
        self._overflowed = False
        self._closed = False

    def put(self, message: Message) -> None:
        """Add a message. A tick replaces the waiting one of its run; where all is full, the oldest tick goes."""
        if message.run_id is not None:
            self._forget(message.run_id)
        if len(self._messages) >= self._capacity and not self._drop_tick():
            self._overflowed = self._overflowed or message.version is not None
            self._ready.set()
            return
        self._messages.append(message)
        self._ready.set()

    def _forget(self, run_id: str) -> None:
        for waiting in self._messages:
            if waiting.run_id == run_id:
                self._messages.remove(waiting)
                return

    def _drop_tick(self) -> bool:
        for waiting in self._messages:
            if waiting.version is None:
                self._messages.remove(waiting)
                return True
        return False

    async def get(self, within: float) -> Message | None:
        """The next message, or None after `within` seconds. Raises Closed, or Overflow once all before it is taken."""
        if not self._messages and not self._overflowed and not self._closed:
            self._ready.clear()
            try:
                async with asyncio.timeout(within):
                    await self._ready.wait()
            except TimeoutError:
                return None
        if self._closed:
            raise Closed
        if self._messages:
            return self._messages.popleft()
        raise Overflow

    def recall(self) -> None:
        """Let the viewer reconnect after what waits here."""
        self._overflowed = True
        self._ready.set()

    def close(self) -> None:
        """Wake whoever waits, with Closed."""
        self._closed = True
        self._ready.set()


class Hub:
    """The viewers of each analysis. Frames are encoded once, however many watch."""

    def __init__(self) -> None:
        self._viewers: dict[UUID, set[Mailbox]] = {}
        self._ticks: dict[tuple[UUID, str], str] = {}
        self.closing = asyncio.Event()

    @property
    def viewers(self) -> int:
        """How many are connected."""
        return sum(len(mailboxes) for mailboxes in self._viewers.values())

    @contextmanager
    def subscribe(self, analysis_id: UUID) -> Iterator[Mailbox]:
        """A mailbox that receives what is published from now on."""
        mailbox = Mailbox()
        if self.closing.is_set():
            mailbox.close()
        self._viewers.setdefault(analysis_id, set()).add(mailbox)
        try:
            yield mailbox
        finally:
            mailboxes = self._viewers[analysis_id]
            mailboxes.discard(mailbox)
            if not mailboxes:
                del self._viewers[analysis_id]

    def publish(self, envelope: Envelope) -> None:
        """Hand an event of an analysis to its viewers; others are nobody's here."""
        if not envelope.stream_id.startswith(_PREFIX):
            return
        mailboxes = self._viewers.get(UUID(envelope.stream_id.removeprefix(_PREFIX)))
        if mailboxes:
            message = Message(frames.milestone(envelope), version=envelope.version)
            for mailbox in mailboxes:
                mailbox.put(message)

    def offer_tick(self, analysis_id: UUID, run_id: str, tick: str) -> None:
        """Keep the newest tick of a run until the next flush; dropped where nobody watches."""
        if analysis_id in self._viewers:
            self._ticks[analysis_id, run_id] = tick

    def flush_ticks(self) -> None:
        """Hand on the newest tick of each run. Called four times a second: that is the rate a viewer sees."""
        ticks, self._ticks = self._ticks, {}
        for (analysis_id, run_id), tick in ticks.items():
            message = Message(frames.frame("tick", tick), run_id=run_id)
            for mailbox in self._viewers.get(analysis_id, ()):
                mailbox.put(message)

    def recall(self) -> None:
        """Ask every viewer to come back: something may have happened that was not published."""
        for mailboxes in self._viewers.values():
            for mailbox in mailboxes:
                mailbox.recall()

    def close(self) -> None:
        """Send every viewer away; they come back to another process, and miss nothing."""
        self.closing.set()
        for mailboxes in self._viewers.values():
            for mailbox in mailboxes:
                mailbox.close()
