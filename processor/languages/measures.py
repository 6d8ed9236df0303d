"""How large and how branched definitions are. Pure.

Complexity is McCabe's: one, and one more for each place where the flow divides (the queries name them `branch`); what
stands in a function within a function counts for the inner one. Size is lines that hold code: neither blank, nor a
comment alone.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from operator import gt

from processor.languages.lines import Lines
from processor.languages.uses import Scope

_FUNCTIONS = frozenset({"function", "method"})


class Measures:
    """What of a file is branch and what is comment, to be asked of each definition."""

    def __init__(self, branches: list[int], comments: Sequence[tuple[int, int]], lines: Lines) -> None:
        self._branches = sorted(branches)
        self._inner: dict[tuple[int, int], int] = {}
        filled = list(map(gt, lines.weights[1:], lines.weights))
        for first, last in _lines_of(comments, lines):
            for line in range(first, last + 1):
                filled[line - 1] = False
        self._filled: list[int] = list(accumulate(filled, initial=0))

    def nest(self, scopes: Sequence[Scope]) -> None:
        """Know which functions stand in which, so that branches of inner ones are not counted for the outer one."""
        open_functions: list[Scope] = []
        for scope in scopes:
            if scope.kind not in _FUNCTIONS:
                continue
            while open_functions and open_functions[-1].last <= scope.first:
                open_functions.pop()
            if open_functions:
                outer = (open_functions[-1].first, open_functions[-1].last)
                self._inner[outer] = self._inner.get(outer, 0) + self._between(scope.first, scope.last)
            open_functions.append(scope)

    def complexity(self, kind: str, first: int, last: int) -> int:
        """Of a function or method; 0 for anything else."""
        if kind not in _FUNCTIONS:
            return 0
        return 1 + self._between(first, last) - self._inner.get((first, last), 0)

    def code_lines(self, first_line: int, last_line: int) -> int:
        """How many of the lines hold code."""
        return self._filled[last_line] - self._filled[first_line - 1]

    def _between(self, first: int, last: int) -> int:
        return bisect_left(self._branches, last) - bisect_left(self._branches, first)


def _lines_of(comments: Sequence[tuple[int, int]], lines: Lines) -> Sequence[tuple[int, int]]:
    """The lines that each comment has for itself."""
    found = []
    for start, end in comments:
        first = lines.line_of(start)
        last = lines.line_of(max(start, end - 1))
        if lines.source[lines.start_of(first) : start].strip():
            first += 1
        if lines.source[end : lines.start_of(last + 1) if last < lines.count else None].strip():
            last -= 1
        found.append((first, last))
    return found
