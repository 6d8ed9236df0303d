"""The items of lists as JSON, kept for as long as they are true, so that a list makes only those that changed."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

_CAPACITY = 2_000  # items of about one kilobyte
_SECONDS = 50.0  # none outlives a deletion by a minute


class KeptItems:
    """Each item under its key, with all that it was made of: made of something else, it is not the same item."""

    def __init__(
        self, capacity: int = _CAPACITY, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = capacity
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Hashable, tuple[float, object, bytes]] = OrderedDict()  # the oldest first

    def get(self, key: Hashable, made_of: object) -> bytes | None:
        """The item under `key`, where one is kept that was made of this."""
        kept = self._kept.get(key)
        return kept[2] if kept is not None and kept[1] == made_of and kept[0] >= self._clock() - self._seconds else None

    def keep(self, key: Hashable, made_of: object, item: bytes) -> None:
        """Keep an item in place of the one before it, and let go of those that are over."""
        self._kept.pop(key, None)
        self._kept[key] = self._clock(), made_of, item
        self.forget()

    def forget(self) -> None:
        """Let go of the items that are too old, and of the oldest where there are too many."""
        oldest = self._clock() - self._seconds
        while self._kept and (len(self._kept) > self._capacity or next(iter(self._kept.values()))[0] < oldest):
            self._kept.popitem(last=False)


def page_of(items: list[bytes], following: str | None) -> bytes:
    """A page as JSON, of items that are JSON already; a cursor holds nothing that JSON would escape."""
    cursor = b"null" if following is None else b'"' + following.encode() + b'"'
    return b'{"items":[' + b",".join(items) + b'],"next":' + cursor + b"}"
