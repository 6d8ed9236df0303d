"""Numbers by names, of which only hashes are kept: eight bytes for each, whatever the name. Pure."""

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterator

import numpy as np

_BITS = 0xFFFFFFFF  # of a hash that are kept: of a million names hardly two hundred then share theirs


class NameIndex:
    """Add all, close it, then ask. Two names may have one hash: whoever asks looks whether a number is of the name."""

    def __init__(self) -> None:
        self._hashes, self._numbers = array("I"), array("i")

    def add(self, name: Hashable, number: int) -> None:
        """One more number of a name."""
        self._hashes.append(hash(name) & _BITS)
        self._numbers.append(number)

    def close(self) -> None:
        """Nothing more is added."""
        hashes, numbers = np.frombuffer(self._hashes, np.uint32), np.frombuffer(self._numbers, np.int32)
        order = hashes.argsort(kind="stable")
        self._hashes, self._numbers = array("I", hashes[order].tobytes()), array("i", numbers[order].tobytes())

    def get(self, name: Hashable) -> Iterator[int]:
        """The numbers that were added with the name, in that order, and maybe some of another."""
        wanted, hashes = hash(name) & _BITS, self._hashes
        for place in range(bisect_left(hashes, wanted), len(hashes)):
            if hashes[place] != wanted:
                return
            yield self._numbers[place]
