"""Patterns as git writes them, matched in time that is linear in the path: a stranger wrote them.

pathspec says what a pattern means, RE2 looks for all patterns of a file at once and never backtracks. What a pattern
means for the files below a folder is left out here: whoever asks looks at the folders first, as git does.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

import re2
from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_OR_BELOW = rb"(?:(?P<ps_d>/)|$)"  # how pathspec ends a pattern of a file or a folder
_ANYTHING = b"."
_MEMORY = 64 << 20  # bytes that RE2 may use for one set of patterns

# The classes of POSIX, which pathspec hands on as they are.
_CLASSES = {
    b"alnum": b"a-zA-Z0-9",
    b"alpha": b"a-zA-Z",
    b"blank": b" \\t",
    b"digit": b"0-9",
    b"lower": b"a-z",
    b"space": b" \\t\\r\\f\\v",
    b"upper": b"A-Z",
    b"xdigit": b"0-9A-Fa-f",
}
_CLASS = re.compile(rb"\[:(" + b"|".join(_CLASSES) + rb"):\]")


class Patterns:
    """Numbered patterns, each of which matches a path or does not. Paths are bytes; a folder's ends with a slash."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        """`lines` as a file has them; comments, empty and meaningless lines match nothing."""
        read = [(number, expression_of(line)) for number, line in enumerate(lines)]
        self._numbers: list[int] = []
        self.negated: frozenset[int] = frozenset(n for n, found in read if found is not None and not found[1])
        self._set = _searching()
        for number, found in read:
            if found is not None and self._add(found[0]):
                self._numbers.append(number)
        if self._numbers:
            self._set.Compile()

    def __len__(self) -> int:
        return len(self._numbers)

    def matching(self, path: bytes) -> list[int]:
        """The numbers of the patterns that match `path`, the first line's first."""
        return sorted(self._numbers[found] for found in self._set.Match(path) or ()) if self._numbers else []

    def _add(self, expression: bytes) -> bool:
        try:
            self._set.Add(expression)
        except re2.error:
            return False
        return True


def folders_above(path: bytes) -> Iterator[bytes]:
    """The folders that `path` is in, each with a slash at its end, the nearest first; the top is empty."""
    end = len(path.rstrip(b"/"))
    while end > 0:
        end = path.rfind(b"/", 0, end) + 1
        yield path[:end]
        end -= 1


def expression_of(line: bytes) -> tuple[bytes, bool] | None:
    """A line as a regular expression of exactly what it names, and whether it stands without `!`.

    None for a line that git passes over.
    """
    pattern = _CLASS.sub(lambda found: _CLASSES[found[1]], _trimmed(line))
    is_folder = pattern.endswith(b"/")
    pattern = pattern[:-1] if is_folder else pattern
    if not pattern or pattern.endswith((b"/", b"!")):
        return None
    try:
        expression, plain = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    except GitIgnorePatternError:
        return None
    if expression is None or plain is None:
        return None
    return _exactly(expression, is_folder=is_folder), plain


def _exactly(expression: bytes, *, is_folder: bool) -> bytes:
    """pathspec's expression also matches all that is below a folder; the same without that."""
    if expression == _ANYTHING:
        return b"/$" if is_folder else _ANYTHING
    if expression.endswith(b"/"):  # `folder/**`: what is below it, not the folder
        return expression + (rb".*[^/]/$" if is_folder else _ANYTHING)
    return expression.removesuffix(_OR_BELOW) + (b"/$" if is_folder else b"/?$")


def _trimmed(line: bytes) -> bytes:
    """Without the spaces at its end, but for one that a backslash keeps."""
    bare = line.rstrip(b" ")
    kept = len(bare) < len(line) and (len(bare) - len(bare.rstrip(b"\\"))) % 2 == 1
    return bare + b" " if kept else bare


@cache
def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes, as git matches them
    options.dot_nl = True
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    return options


def _searching() -> re2.Set:
    return re2.Set.SearchSet(_options())
