"""What is known of each file, kept as compressed bytes, of which a few are open at a time. Pure.

Who looks for a name mostly looks in the file that it stands in and in those that this one imports: a repository of any
size needs the same few open.
"""

import json
import zlib
from collections.abc import Callable
from typing import Generic, TypeVar

Card = TypeVar("Card")
_MOST_OPEN = 600_000  # compressed bytes of the cards that are open: some fifteen times as many as objects
_SHORT = json.JSONEncoder(separators=(",", ":"))


class Cards(Generic[Card]):
    """A card for each file, put once; `none` is that of the others. `read` makes one of the values that were put."""

    def __init__(self, files: int, read: Callable[..., Card], none: Card) -> None:
        self._read = read
        self._packed = [b""] * files
        self._open: dict[int, Card] = {}
        self._weight = 0
        self._none = none

    def put(self, file: int, *values: object) -> None:
        """Keep the card of a file, of what JSON has. Raises ValueError where it has one."""
        if self._packed[file]:
            raise ValueError(f"file {file} is told of twice")
        self._packed[file] = zlib.compress(_SHORT.encode(values).encode())

    def __getitem__(self, file: int) -> Card:
        card = self._open.get(file)
        return card if card is not None else self._opened(file)

    def _opened(self, file: int) -> Card:
        packed = self._packed[file]
        if not packed:
            return self._none
        while self._open and self._weight + len(packed) > _MOST_OPEN:
            oldest = next(iter(self._open))
            del self._open[oldest]
            self._weight -= len(self._packed[oldest])
        card = self._open[file] = self._read(*json.loads(zlib.decompress(packed)))
        self._weight += len(packed)
        return card
