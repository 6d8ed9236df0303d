"""A text as lines: where each begins, and how much there is on it."""

from bisect import bisect_right
from io import BytesIO
from itertools import accumulate

_WHITESPACE = b" \t\r\f\v"


class Lines:
    """The lines of one source, 1-based; only `\\n` ends a line. Weights are bytes that are not white space.

    `starts` and `weights` are sums: of bytes, and of weights, before each line and at the end of the last one.
    """

    __slots__ = ("count", "source", "starts", "weights")

    def __init__(self, source: bytes) -> None:
        rows = list(BytesIO(source))  # each with the `\n` that ends it
        self.source = source
        self.count = len(rows)
        filled = source.translate(None, _WHITESPACE).split(b"\n")
        del filled[self.count :]
        self.starts: list[int] = list(accumulate(map(len, rows), initial=0))
        if rows and not source.endswith(b"\n"):
            self.starts[-1] += 1
        self.weights: list[int] = list(accumulate(map(len, filled), initial=0))

    def line_of(self, byte: int) -> int:
        """The line that holds the byte at this offset."""
        return bisect_right(self.starts, byte, 0, self.count) or 1

    def start_of(self, line: int) -> int:
        """The offset of the first byte of a line."""
        return self.starts[line - 1]

    def weight(self, first: int, last: int) -> int:
        """How many bytes other than white space the lines `first` to `last` hold."""
        return self.weights[last] - self.weights[first - 1]

    def trimmed(self, first: int, last: int) -> tuple[int, int]:
        """The same lines without the blank ones at both ends; `first > last` where all are blank."""
        weights = self.weights
        while first <= last and weights[first] == weights[first - 1]:
            first += 1
        while first <= last and weights[last] == weights[last - 1]:
            last -= 1
        return first, last

    def text(self, first: int, last: int) -> str:
        """The lines `first` to `last` as they stand, without the last newline."""
        return self.source[self.starts[first - 1] : self.starts[last] - 1].decode("utf-8", "replace")
