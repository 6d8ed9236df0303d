"""The lines of a passage that are quoted: how its definition begins, and those that hold the question's terms.

In:  a passage, the question's terms, how many lines may be shown.
Out: lines with the numbers of the first and the last; what is left out between them is a line of its own, `…`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from events.question import Passage

LEFT_OUT = "…"
_SAID = 4  # lines of a docstring or comment
_SIGNATURE = 16  # lines in which a definition's head ends
_LOOKED_AT = 400  # characters of a line: what is written for machines has thousands
_SHOWN = 6  # lines of a head; of a longer one the first alone
_COMMENT = re.compile(
    r"\s*(?://[/!]*|/\*+!?|\*+/?|#+(?!\[|\s*(?:include|define|if|endif|pragma|import)\b)|--+|;+)(?:\s|$)"
)
_ATTRIBUTE = re.compile(r"\s*(?:@\w|#\[)")
_KEYWORD = (
    r"\b(?:def|defp|defmodule|class|func|function|fn|fun|interface|struct|enum|trait|type|module|object|record|impl|sub|macro"
    r"|const|let|var|val|public|private|protected|internal|static|async|export|abstract|override|final|void|extension"
    r"|namespace|union|typedef|template|inline|extern|protocol|mixin|procedure|create)\b"
)
_SIGNATURE_ENDS = re.compile(r"(?:[:{;]|=>|\bdo|->|=|\bthen|\))\s*$")
_DOCSTRING = re.compile(r"\s*[rRuU]?(\"\"\"|''')(.*)$")
_MARKS = re.compile(r"^\s*(?://[/!]*|/\*+!?|\*+/?|#+:?|--+|;+)\s?|\s*\*+/\s*$")
_TAG = re.compile(
    r"\s*(?:@\w+|:\w[\w ]*:|\.\. |[-=~*]{3,}|(?:Args|Arguments|Parameters|Returns|Raises|Examples?|Note)s?:?\s*$)"
)
_NOTICE = re.compile(r"copyright|licen[cs]e|SPDX|@generated|eslint|noqa|pylint|#!", re.IGNORECASE)


@dataclass(frozen=True)
class Quoted:
    """`first` and `last` are lines of the file, `left_out` those between them that are not quoted."""

    first: int
    last: int
    lines: tuple[str, ...]
    left_out: range = range(0)

    def has(self, other: "Quoted") -> bool:
        """Whether what the other one quotes is quoted here, too."""
        skipped = self.left_out
        return (
            self.first <= other.first
            and other.last <= self.last
            and not (skipped and other.first < skipped.stop and other.last >= skipped.start)
        )


def quote_passage(passage: Passage, terms: Sequence[str], most: int) -> Quoted:
    """About `most` lines: the window that holds most of the terms, behind how the definition around it begins. Pure."""
    lines = _lines_of(passage)
    starts = [start for name in passage.symbols if (start := _start(lines, name)) is not None]
    window = _window(lines, terms, most, starts)
    head = _head(lines, starts, window.start)
    if not head or window.start <= head.start:
        return _quoted(passage, lines, window)
    head = head if len(head) <= _SHOWN else head[:1]
    window = _window(lines, terms, max(1, most - len(head) - 1), starts, head.stop)
    if window.start <= head.stop + 1:  # a gap would take as much room as what it leaves out
        return _quoted(passage, lines, _trimmed(lines, range(head.start, min(len(lines), head.start + most))))
    return _quoted(passage, lines, range(head.start, window.stop), range(head.stop, window.start))


def said_of_it(passage: Passage, quoted: Quoted) -> Quoted | None:
    """What the definition that is quoted says of itself, in a docstring or a comment above it: a few lines. Pure.

    None where what is quoted does not begin with a definition, or has the words already.
    """
    lines, at = _lines_of(passage), quoted.first - passage.first_line
    starts = [start for name in passage.symbols if (start := _start(lines, name)) is not None]
    head = _head(lines, starts, at)
    if head.start != at or not head:
        return None
    numbered = _docstring(lines, head.stop) or _comment(lines, head.start)
    if not numbered or any(_NOTICE.search(text) for _, text in numbered):
        return None
    shown = [text for _, text in numbered[:_SAID]]
    if len(numbered) > _SAID:
        shown[-1] += f" {LEFT_OUT}"
    first, last = numbered[0][0], numbered[:_SAID][-1][0]
    said = Quoted(passage.first_line + first, passage.first_line + last, tuple(shown))
    return None if quoted.has(said) else said


def _quoted(passage: Passage, lines: Sequence[str], shown: range, left_out: range = range(0)) -> Quoted:
    if not left_out:
        return Quoted(passage.first_line + shown.start, passage.first_line + shown.stop - 1, _part(lines, shown))
    following = lines[left_out.stop]
    gap = following[: len(following) - len(following.lstrip())] + LEFT_OUT
    begin, end = _part(lines, range(shown.start, left_out.start)), _part(lines, range(left_out.stop, shown.stop))
    at = passage.first_line
    skipped = range(at + left_out.start, at + left_out.stop)
    return Quoted(at + shown.start, at + shown.stop - 1, (*begin, gap, *end), skipped)


def _lines_of(passage: Passage) -> list[str]:
    return passage.text.split("\n")[: passage.last_line - passage.first_line + 1]


def _part(lines: Sequence[str], at: range) -> tuple[str, ...]:
    return tuple(lines[at.start : at.stop])


def _window(lines: Sequence[str], terms: Sequence[str], most: int, starts: Sequence[int], begin: int = 0) -> range:
    """The lines that hold most of the terms, without blank ends; of equal ones those that a definition begins."""
    weights = [sum(term in line.lower() for term in terms) for line in lines]
    at = range(begin, max(begin + 1, len(lines) - most + 1))
    start = max(at, key=lambda first: (sum(weights[first : first + most]) + (first in starts) / 2, -first))
    return _trimmed(lines, range(start, min(len(lines), start + most)))


def _trimmed(lines: Sequence[str], window: range) -> range:
    start, stop = window.start, window.stop
    while stop - start > 1 and not lines[stop - 1].strip():
        stop -= 1
    while stop - start > 1 and not lines[start].strip():
        start += 1
    return range(start, stop)


def _head(lines: Sequence[str], starts: Sequence[int], at: int) -> range:
    """The first lines of the last definition that begins at line `at` or before; empty where none does."""
    start = max((start for start in starts if start <= at), default=None)
    if start is None:
        return range(0)
    ahead = range(start, min(len(lines), start + _SIGNATURE))
    end = next((number for number in ahead if _SIGNATURE_ENDS.search(lines[number])), start)
    return range(start, end + 1)


def _start(lines: Sequence[str], name: str) -> int | None:
    """The line that most likely begins the definition of a name: one that has a keyword before it, else the first."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    begun = [line[:_LOOKED_AT] for line in lines]
    having = [(number, line) for number, line in enumerate(begun) if word.search(line) and not _COMMENT.match(line)]
    defining = re.compile(rf"{_KEYWORD}[^=(]*?{word.pattern}")
    return min(having, key=lambda each: (defining.search(each[1]) is None, each[0]), default=(None, ""))[0]


def _docstring(lines: Sequence[str], at: int) -> list[tuple[int, str]]:
    opened = _DOCSTRING.match(lines[at]) if at < len(lines) else None
    if opened is None:
        return []
    found: list[tuple[int, str]] = []
    for number in range(at, len(lines)):
        text = opened[2] if number == at else lines[number]
        body, closed, _ = text.partition(opened[1])
        if found and (not body.strip() or _TAG.match(body)):
            break
        if body.strip():
            found.append((number, body.strip()))
        if closed:
            break
    return found


def _comment(lines: Sequence[str], stop: int) -> list[tuple[int, str]]:
    """The first paragraph of the comment that ends right above the line `stop`, attributes between them apart."""
    start = stop
    while start and (_COMMENT.match(lines[start - 1]) or _ATTRIBUTE.match(lines[start - 1])):
        start -= 1
    found: list[tuple[int, str]] = []
    for number in range(start, stop):
        if _ATTRIBUTE.match(lines[number]):
            continue
        text = _MARKS.sub("", lines[number]).strip()
        if found and (not text or _TAG.match(text)):
            break
        if text and not _TAG.match(text):
            found.append((number, text))
    return found
