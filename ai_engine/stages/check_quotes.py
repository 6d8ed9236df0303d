"""Hold what an answer quotes against the lines that it cites for it.

In:  an answer's Markdown whose citations are spelled alike, the passages that were in the prompt, and how many lines
     each cited file has.
Out: the answer without the quotations that are not in their lines, and how many these were.

A quotation is text in quotation marks, code of several words, a fenced block or a block of `>` lines, with its citation
right behind it or right before it. Blanks and letter case do not count; `…` and `...` leave something out.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from events.question import Passage
from runtime.citation_form import CITATION, FORM, PATH, path_of
from runtime.redaction import redact_lines

REMOVED = "[quotation removed]"
_NO_CITATION = rf"(?!\[{PATH}:\d)"
_ELEMENT = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})(?P<language>[^\n]*)(?:\n(?P<body>.*?)(?:^[ \t]*(?P=fence)[`~]*|\Z)|\Z)"
    r"|^(?P<block>[ \t]*>[^\n]*(?:\n[ \t]*>[^\n]*)*)"
    rf"|{FORM}"
    r"|`(?P<code>[^`\n]+)`"
    rf'|"(?P<straight>(?:{_NO_CITATION}[^"\n]){{2,2000}})"'
    rf"|\u201c(?P<curly>(?:{_NO_CITATION}[^\u201c\u201d\n]){{2,2000}})\u201d",
    re.MULTILINE | re.DOTALL,
)
_LEAST = 12  # characters of a quotation that is one word
_DIAGRAMS = frozenset({"mermaid", "dot", "graphviz"})  # drawn, never quoted
# What may stand between a quotation and its citation.
_BEHIND = re.compile(r"[ \t]*[.,;:(\u2013\u2014-]{0,3}[ \t]*")
_BEFORE = re.compile(r"\)?[ \t]*(?:says|reads|has|is)?[ \t]*[:,\u2013\u2014-]{0,2}[ \t]*", re.IGNORECASE)
_BLOCK_BEHIND = re.compile(r"[ \t]*\n?[ \t]*\n?[ \t]*[(\u2013\u2014-]{0,3}[ \t]*")
_BLOCK_BEFORE = re.compile(r"[^\n]*\n\s*")
_LEFT_OUT = re.compile(r"\u2026|\[?\.\.\.\]?|\n")
_LIKE = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u00a0", "''\"\"-- ")


@dataclass(frozen=True)
class Quoted:
    """An answer whose quotations all stand; how many did not, and how many citations went with them."""

    text: str
    removed: int
    citations: int


@dataclass(frozen=True)
class _Bound:
    """A quotation and the citation that it rests on, which may stand inside it."""

    words: str
    quotation: re.Match[str]
    citation: re.Match[str]


def check_quotes(answer: str, passages: Sequence[Passage], line_counts: Mapping[str, int]) -> Quoted:
    """Replace each quotation that its lines do not have, and drop its citation; count both. Pure."""
    given, removed, citations = _given(passages), 0, 0
    while fallen := [bound for bound in _bound(answer) if not _holds(bound, given, line_counts)]:
        quotations = {bound.quotation.span() for bound in fallen}
        cited = {bound.citation.span() for bound in fallen}
        outside = {span for span in cited if not any(start <= span[0] < end for start, end in quotations)}
        for start, end in sorted(quotations | outside, reverse=True):
            before = answer[:start].rstrip(" \t") if (start, end) in outside else answer[:start] + REMOVED
            answer = before + answer[end:]
        removed, citations = removed + len(quotations), citations + len(cited)
    return Quoted(answer, removed, citations)


def unsupported_quotes(answer: str, passages: Sequence[Passage], line_counts: Mapping[str, int]) -> tuple[str, ...]:
    """The quotations that their lines do not have, as they are written. Pure."""
    given = _given(passages)
    return tuple(bound.quotation[0] for bound in _bound(answer) if not _holds(bound, given, line_counts))


def _bound(answer: str) -> Iterator[_Bound]:
    """Every quotation that has a citation."""
    elements = [found for found in _ELEMENT.finditer(answer) if found["path"] is not None or _words(found)]
    for place, found in enumerate(elements):
        if found["path"] is not None:
            continue
        around = (elements[place - 1] if place else None, elements[place + 1] if place + 1 < len(elements) else None)
        citation = _inside(found) or _beside(found, *around, answer)
        if citation is not None:
            yield _Bound(_words(found), found, citation)


def _inside(found: re.Match[str]) -> re.Match[str] | None:
    """The last citation within a block of `>` lines."""
    within = list(CITATION.finditer(found.string, *found.span("block"))) if found["block"] else []
    return within[-1] if within else None


def _beside(
    found: re.Match[str], before: re.Match[str] | None, after: re.Match[str] | None, answer: str
) -> re.Match[str] | None:
    """The citation next to a quotation: words are followed by theirs, a block is announced with its own."""
    is_block = found["fence"] is not None or found["block"] is not None
    ahead, behind = (_BLOCK_BEFORE, _BLOCK_BEHIND) if is_block else (_BEFORE, _BEHIND)
    leads = before is not None and before["path"] and ahead.fullmatch(answer, before.end(), found.start())
    follows = after is not None and after["path"] and behind.fullmatch(answer, found.end(), after.start())
    if is_block:
        return before if leads else after if follows else None
    return after if follows else before if leads else None


def _words(found: re.Match[str]) -> str:
    """What is quoted; empty where it is a name, a diagram or nothing."""
    if found["fence"] is not None:
        return "" if found["language"].strip().lower() in _DIAGRAMS else found["body"] or ""
    if found["block"] is not None:
        return re.sub(r"^[ \t]*>+[ \t]?", "", CITATION.sub("", found["block"]), flags=re.MULTILINE)
    words = (found["straight"] or found["curly"] or "").strip()
    code = (found["code"] or "").strip()
    return words if " " in words or len(words) >= _LEAST else code if " " in code else ""


def _given(passages: Sequence[Passage]) -> dict[str, dict[int, str | None]]:
    """The lines of each file that were given; None where only their numbers are known."""
    given: dict[str, dict[int, str | None]] = {}
    for passage in passages:
        of_file = given.setdefault(passage.path, {})
        if not passage.text:
            for number in range(passage.first_line, passage.last_line + 1):
                of_file.setdefault(number)
        for number, line in enumerate(passage.text.split("\n") if passage.text else (), passage.first_line):
            if number <= passage.last_line:
                of_file[number] = line
    return given


def _holds(bound: _Bound, given: Mapping[str, Mapping[int, str | None]], line_counts: Mapping[str, int]) -> bool:
    path, first = path_of(bound.citation["path"]), int(bound.citation["first"])
    last = int(bound.citation["last"])
    of_file = given.get(path, {})
    if not 1 <= first <= last <= line_counts.get(path, 0) or last - first > len(of_file):
        return False
    lines = [of_file.get(number, "") for number in range(first, last + 1)]
    known = [line for line in lines if line is not None]
    if len(known) < len(lines):  # a place without its text: nothing can be said of it
        return True
    source = "\n".join(known)
    return any(_is_in(bound.words, text) for text in (source, redact_lines(source, path)))


def _is_in(words: str, source: str) -> bool:
    """Whether every piece of `words` is in `source`, in their order."""
    text, at = _like(source), 0
    for piece in _LEFT_OUT.split(words):
        wanted = _like(piece).strip(" .,;:!?*")
        found = text.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True


def _like(text: str) -> str:
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(visible.translate(_LIKE).casefold().split())
