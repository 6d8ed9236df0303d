"""The one reader of a process for all answers that are watched while they are written."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.base import Envelope
from events.question import QuestionAnswered, QuestionFailed, QuestionStopped
from runtime.live import LiveChannels

_log = structlog.get_logger(__name__)
_ENDINGS = frozenset(cls.event_type for cls in (QuestionAnswered, QuestionFailed, QuestionStopped))
_BATCH = 500  # parts of one channel a read
_BLOCK_MS = 100  # by then whoever came meanwhile is read for too
_AHEAD = 1_000  # parts that a viewer may have before it took them: it is read for again once it did
_GATHER = 0.005  # seconds that parts gather after some were read: many answers at once are read together
_PAUSE = 0.5  # seconds, where Redis is away
_PATIENCE = 1.0  # seconds that it has to say what is left of an answer that the log has

Part = tuple[str, dict[Any, Any]]  # its id in the stream, and its fields


class Listener:
    """One viewer's parts of one channel after the part `after`."""

    def __init__(self, channel: str, after: str) -> None:
        self.channel = channel
        self.position = order_of(after)
        self.end: Envelope | None = None  # of what is written, as the log has it
        self._parts: list[Part] = []
        self._some = asyncio.Event()

    @property
    def waits(self) -> bool:
        """Whether it takes more parts now."""
        return len(self._parts) < _AHEAD

    def put(self, start: tuple[int, int], parts: list[Part]) -> None:
        """Take what was read after `start`, unless parts before that are missing here."""
        if start > self.position:
            return
        new = [part for part in parts if order_of(part[0]) > self.position]
        if new:
            self.position = order_of(new[-1][0])
            self._parts += new
            self._some.set()

    def close(self, end: Envelope) -> None:
        """The log has the end: whoever waits for parts waits no longer."""
        self.end = end
        self._some.set()

    async def next(self, seconds: float) -> list[Part]:
        """The parts that came; waits up to `seconds` for the first, or for the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._some.wait()
        except TimeoutError:
            return []
        parts, self._parts = self._parts, []
        self._some.clear()
        return parts


class Channels:
    """Reads every channel that somebody listens to, over one connection, however many listen."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: dict[str, set[Listener]] = {}
        self._somebody = asyncio.Event()

    @contextmanager
    def listen(self, channel: str, after: str) -> Iterator[Listener]:
        """Be handed the parts of `channel` after the part `after` (`0-0`: all), for as long as the block lasts."""
        listener = Listener(channel, after)
        self._listeners.setdefault(channel, set()).add(listener)
        self._somebody.set()
        try:
            yield listener
        finally:
            self._listeners[channel].discard(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]

    def publish(self, envelope: Envelope) -> None:
        """Tell those who listen to an answer that the log has its end; other events are nobody's here."""
        if envelope.event_type in _ENDINGS:
            channel = LiveChannels(envelope.tenant_id).answer(str(envelope.data.get("question_id")))
            for listener in self._listeners.get(channel, ()):
                listener.close(envelope)

    async def rest(self, channel: str, after: str) -> list[Part]:
        """The parts of `channel` after the part `after` that are there by now; a Redis that is away has none."""
        found: list[Part] = []
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    begin = f"({found[-1][0] if found else after}"
                    page: Any = await self._redis.xrange(channel, min=begin, count=_BATCH)
                    found += [(entry_id.decode(), fields) for entry_id, fields in page]
                    if len(page) < _BATCH:
                        return found
        except (RedisError, OSError) as error:
            _log.warning("answer_channel_unread", error=repr(error)[:300])
            return found

    async def run(self) -> None:
        """Read for ever. A Redis that is away costs the parts, not the answer: that is in the log."""
        while True:
            await self._somebody.wait()
            if not self._listeners:
                self._somebody.clear()
                continue
            try:
                await self._read()
                await asyncio.sleep(_GATHER)
            except (RedisError, OSError) as error:
                _log.warning("answer_channels_faulted", error=repr(error)[:300])
                await asyncio.sleep(_PAUSE)

    async def _read(self) -> None:
        starts = self._starts()
        if not starts:  # all have parts to take first
            await asyncio.sleep(_BLOCK_MS / 1_000)
            return
        asked: dict[Any, Any] = {channel: f"{first}-{second}" for channel, (first, second) in starts.items()}
        reply: Any = await self._redis.xread(asked, count=_BATCH, block=_BLOCK_MS)
        for channel, parts in channels_of(reply).items():
            for listener in self._listeners.get(channel, ()):
                listener.put(starts[channel], parts)

    def _starts(self) -> dict[str, tuple[int, int]]:
        """The position from which each channel is read: that of the listener who has least of it."""
        waiting = (listener for each in self._listeners.values() for listener in each if listener.waits)
        return {
            channel: min(one.position for one in ones) for channel, ones in groupby(waiting, lambda one: one.channel)
        }


def order_of(entry_id: str) -> tuple[int, int]:
    """A Redis stream id as what it is ordered by."""
    first, _, second = entry_id.partition("-")
    return int(first), int(second)


def channels_of(reply: Any) -> dict[str, list[Part]]:  # noqa: ANN401  # redis-py's shape depends on RESP
    """The parts of each stream of an XREAD reply, which is a list of pairs (RESP 2) or a mapping (RESP 3)."""
    pairs = reply.items() if isinstance(reply, dict) else (reply or [])
    return {
        channel.decode(): [(entry_id.decode(), fields) for entry_id, fields in _flat(found)] for channel, found in pairs
    }


def _flat(found: Any) -> Any:  # noqa: ANN401  # as above: RESP 3 has the entries in a list of their own
    return found[0] if found and isinstance(found[0], list) else found
