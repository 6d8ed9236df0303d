"""What is written about a definition: the string in its body, or the comment above it. Pure."""

import re
from collections.abc import Iterable
from inspect import cleandoc

from tree_sitter import Node

from processor.languages.lines import Lines
from processor.languages.uses import Captures

DOCUMENTED_INSIDE = frozenset({"python"})  # by a string that begins the body
_MAX_DOCSTRING = 2_000
_MAX_COMMENT_LINES = 200
_MARKS = re.compile(r"^\s*(?://[/!]?|/\*[*!]?|\*/|\*(?!\*)|#+!?|--)\s?|\s*\*/\s*$", re.MULTILINE)
_STRING = re.compile(r"^[A-Za-z]{0,2}(\"\"\"|'''|\"|')(.*)\1$", re.DOTALL)


class Comments:
    """The comments of a file by the line they end on, to find the one that stands right above a definition."""

    def __init__(self, lines: Lines, comments: Iterable[Captures], glue: Iterable[Captures]) -> None:
        """Take in the matches of comments, and of attributes: a comment above one belongs to what stands below it.

        `doc` is the part of a comment that is its text, where there are no marks to take off.
        """
        self._lines = lines
        self._ending: dict[int, int] = {}  # line → offset of the comment that ends on it
        self._glue: dict[int, int] = {}
        self._said: dict[int, Node] = {}
        self.ranges: list[tuple[int, int]] = []  # of bytes
        for captures in comments:
            start, end = captures["comment"][0].byte_range
            self.ranges.append((start, end))
            last = self._last_line(start, end)
            if self._lines.source[end : self._lines.starts[last]].strip():
                continue  # it stands before code on its line: no comment on what comes below
            self._ending[last] = start
            if "doc" in captures:
                self._said[last] = captures["doc"][0]
        for captures in glue:
            start, end = captures["glue"][0].byte_range
            self._glue[self._last_line(start, end)] = start

    def above(self, line: int) -> str:
        """The text of the comment that ends on the line before, without its marks."""
        at = line - 1
        while at in self._glue:
            at = self._lines.line_of(self._glue[at]) - 1
        last = at
        if (said := self._said.get(at)) is not None:
            return clean_doc(self._lines.source[said.start_byte : said.end_byte].decode("utf-8", "replace"))
        while (start := self._ending.get(at)) is not None and last - at < _MAX_COMMENT_LINES:
            first = self._lines.line_of(start)
            if self._lines.source[self._lines.start_of(first) : start].strip():
                break  # it follows code on its line: no comment on what comes below
            at = first - 1
        if at == last:
            return ""
        first = max(at + 1, last - _MAX_COMMENT_LINES)
        return clean_doc(_MARKS.sub("", self._lines.text(first, last)))

    def _last_line(self, start: int, end: int) -> int:
        if self._lines.source[end - 1 : end] == b"\n":
            end -= 1
        return self._lines.line_of(max(start, end - 1))


def docstring_of(body: Node | None, source: bytes) -> str:
    """The string that begins a body (Python), cleaned; empty where the body begins with something else."""
    if body is None or body.type != "block":
        return ""
    statement = body.named_child(0) if body.named_child_count else None
    if statement is None or statement.type != "expression_statement":
        return ""
    string = statement.named_child(0) if statement.named_child_count else None
    if string is None or string.type != "string":
        return ""
    written = _STRING.match(source[string.start_byte : string.end_byte].decode("utf-8", "replace"))
    return clean_doc(written.group(2)) if written else ""


def clean_doc(text: str) -> str:
    """The text without its indentation, shortened."""
    return cleandoc(text)[:_MAX_DOCSTRING].strip()
