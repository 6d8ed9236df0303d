"""A text as lines: where each begins, and how much there is on it."""

from bisect import bisect_right
from itertools import accumulate

_WHITESPACE = b" \t\r\f\v"


class Lines:
    """The lines of one source, 1-based; only `\\n` ends a line. Weights are bytes that are not white space."""

    def __init__(self, source: bytes) -> None:
        rows = source.split(b"\n")
        if not rows[-1]:
            rows.pop()  # the last newline ends a line, it does not begin one
        self.source = source
        self.count = len(rows)
        self._starts = list(accumulate([len(row) + 1 for row in rows], initial=0))
        self._weights = list(accumulate([len(row.translate(None, _WHITESPACE)) for row in rows], initial=0))

    def line_of(self, byte: int) -> int:
        """The line that holds the byte at this offset."""
        return bisect_right(self._starts, byte, 0, self.count) or 1

    def start_of(self, line: int) -> int:
        """The offset of the first byte of a line."""
        return self._starts[line - 1]

    def weight(self, first: int, last: int) -> int:
        """How many bytes other than white space the lines `first` to `last` hold."""
        return self._weights[last] - self._weights[first - 1]

    def trimmed(self, first: int, last: int) -> tuple[int, int]:
        """The same lines without the blank ones at both ends; `first > last` where all are blank."""
        while first <= last and self.weight(first, first) == 0:
            first += 1
        while first <= last and self.weight(last, last) == 0:
            last -= 1
        return first, last

    def text(self, first: int, last: int) -> str:
        """The lines `first` to `last` as they stand, without the last newline."""
        return self.source[self._starts[first - 1] : self._starts[last] - 1].decode("utf-8", "replace")
