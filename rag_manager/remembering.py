"""What was made a moment ago, kept in memory: bounded, for a while, and made once however many ask at the same time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from runtime.metrics import cache_lookups

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Remembered(Generic[Key, Made]):
    """At most `most` things under `name` (of the metric), each for `seconds`; those that were asked for last stay."""

    def __init__(self, name: str, *, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[float, Made]] = OrderedDict()
        self._making: dict[Key, asyncio.Task[Made]] = {}

    async def get(
        self, key: Key, make: Callable[[], Awaitable[Made]], *, keeps: Callable[[Made], bool] = lambda _: True
    ) -> Made:
        """What is kept under `key`, or what `make` gives, which is then kept where `keeps` says so.

        Who asks while it is being made waits for the same; a failure is everybody's, and not kept.
        """
        until, made = self._kept.get(key, (0.0, None))
        if made is not None and until > self._clock():
            self._kept.move_to_end(key)
            cache_lookups.labels(self._name, "hit").inc()
            return made
        making = self._making.get(key)
        cache_lookups.labels(self._name, "miss" if making is None else "shared").inc()
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, make, keeps))
            making.add_done_callback(_looked_at)
        return await asyncio.shield(making)  # whoever gives up leaves it to the others

    def forget(self, gone: Callable[[Key], bool]) -> None:
        """Let go of what is kept under keys that are `gone`."""
        for key in [key for key in self._kept if gone(key)]:
            del self._kept[key]

    async def _make(self, key: Key, make: Callable[[], Awaitable[Made]], keeps: Callable[[Made], bool]) -> Made:
        try:
            made = await make()
        finally:
            del self._making[key]
        if keeps(made):
            self._kept[key] = (self._clock() + self._seconds, made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


def _looked_at(task: "asyncio.Task[object]") -> None:
    if not task.cancelled():
        task.exception()  # nobody may be left to hear of it
