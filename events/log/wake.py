"""Wake-ups after a commit: best effort, never waited for. Whoever misses one polls a moment later."""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

CHANNEL = "es.wake"
APPENDED = b"appended"  # something is in the outbox: for the sequencer
SEQUENCED = b"sequenced"  # the feed has grown: for the relay, for projections and for live pages
WORKED = b"worked"  # a shadow or a rebuild, which no event tells of, went on: for whoever looks at one
_LONGER = 4  # times as long, at most, is waited where nothing was heard for a while: an idle installation rests


class Wake:
    """Publishes wake-ups in the background; many asked for in one moment become one."""

    def __init__(self, redis: Redis, name: bytes = b"") -> None:
        """`name` is who says so, for whoever does not want to hear of itself."""
        self._redis = redis
        self._name = name
        self._pending: set[bytes] = set()
        self._task: asyncio.Task[None] | None = None

    def appended(self) -> None:
        """Say that events were committed."""
        self._send(APPENDED)

    def sequenced(self) -> None:
        """Say that events got their place in the feed."""
        self._send(SEQUENCED)

    def worked(self) -> None:
        """Say that a shadow or a rebuild went on."""
        self._send(WORKED)

    def _send(self, message: bytes) -> None:
        self._pending.add(message)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._drain(), name="es.wake")

    async def _drain(self) -> None:
        while self._pending:
            message = self._pending.pop()
            try:
                async with asyncio.timeout(2):
                    await self._redis.publish(CHANNEL, b"%b %b" % (message, self._name) if self._name else message)
            except (RedisError, OSError, TimeoutError):
                self._pending.clear()


class Signal:
    """One waiter's ear: set by a wake-up, cleared by waiting. One that `rests` waits longer while it hears nothing."""

    def __init__(self, *, rests: bool = False) -> None:
        self._event = asyncio.Event()
        self._growth = 1.25 if rests else 1.0
        self._longer = 1.0

    def set(self) -> None:
        """Wake the waiter, or let its next wait end at once."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Return at a wake-up since the last wait (True), or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds * self._longer):
                await self._event.wait()
        was_woken = self._event.is_set()
        self._event.clear()
        self._longer = 1.0 if was_woken else min(_LONGER, self._longer * self._growth)
        return was_woken


class Wakeups:
    """Hears the wake-ups of all processes: one Redis subscription, any number of waiters."""

    def __init__(self, redis: Redis, own: bytes = b"") -> None:
        """What the `Wake` of the name `own` says is not listened to: whoever has both rings at once."""
        self._redis = redis
        self._own = own
        self._signals: dict[bytes, list[Signal]] = {APPENDED: [], SEQUENCED: [], WORKED: []}

    def signal(self, message: bytes) -> Signal:
        """A new waiter for `APPENDED`, `SEQUENCED` or `WORKED`."""
        signal = Signal(rests=True)
        self._signals[message].append(signal)
        return signal

    def ring(self, message: bytes) -> None:
        """Wake the waiters of this process."""
        for signal in self._signals.get(message, ()):
            signal.set()

    async def run(self) -> None:
        """Listen until cancelled. Raises RedisError and OSError where the connection ends: call it again."""
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            async for message in pubsub.listen():
                if isinstance(message["data"], bytes):
                    self.hear(message["data"])

    def hear(self, said: bytes) -> None:
        """Wake the waiters for what somebody else said."""
        message, _, name = said.partition(b" ")
        if not name or name != self._own:
            self.ring(message)
