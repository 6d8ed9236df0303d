"""Check every citation of an answer against what was given and what is stored.

In:  an answer's Markdown, the passages that were in the prompt, and how many lines each cited file has.
Out: the answer without the citations and quotations that nothing supports, the citations that stand, and how many of
     both were removed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_engine.stages.check_quotes import CITED, check_quotes, unsupported_quotes
from ai_engine.stages.read_prose import is_plain, read_prose
from events.question import Citation, Passage

# [path:first-last] or [path:line], also as the whole of a code span; a path has no brackets, line breaks or colons.
# Other code is quoted and left as it is: a slice looks like a citation.
_PIECE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?(?:^[ \t]*(?P=fence)[`~]*|\Z)|\Z)"
    r"|(?P<tick>`)?\[(?P<path>[^\[\]\n:`]{1,1024}):L?(?P<first>\d{1,9})"
    r"(?:[ \t]?[-\u2013][ \t]?L?(?P<last>\d{1,9}))?\](?!\()(?(tick)`)"
    r"|`[^`\n]+`",
    re.MULTILINE | re.DOTALL,
)
# At the end of what is written so far: the beginning of what may become a citation, and the spaces before it.
_OPEN = re.compile(r"[ \t]*(?:`[^`\n]*`?|\[[^\[\]\n]{0,1100}\]?)?\Z")
_GONE = "\x00"  # stands where a citation was removed; no answer has a NUL
_SCAR = re.compile(r"[ \t]*\x00")


@dataclass(frozen=True)
class Checked:
    """An answer whose citations and quotations all stand. A citation that goes with its quotation counts in both."""

    text: str
    citations: tuple[Citation, ...]
    removed: int
    removed_quotes: int = 0


def cited_paths(answer: str) -> tuple[str, ...]:
    """The paths that an answer cites, each once, in order."""
    return tuple(dict.fromkeys(match["path"].strip() for match in _PIECE.finditer(answer) if match["path"]))


def checked_so_far(written: str, passages: Sequence[Passage]) -> str:
    """What of an unfinished answer can be shown: no citation but of given lines, nor the beginning of one. Pure."""
    reach: dict[str, int] = {}
    for passage in passages:
        reach[passage.path] = max(passage.last_line, reach.get(passage.path, 0))
    return check_citations(_OPEN.sub("", written, count=1), passages, reach).text


def check_citations(answer: str, passages: Sequence[Passage], line_counts: Mapping[str, int]) -> Checked:
    """Keep the citations whose lines were in the prompt, exist at the commit and have what is quoted of them. Pure.

    The others are removed and counted. An answer that cannot be cleared of them is empty.
    """
    quoted = check_quotes(answer.replace(_GONE, ""), passages, line_counts)
    kept: dict[tuple[str, int, int], Citation] = {}
    removed = quoted.citations

    def judge(match: re.Match[str]) -> str:
        nonlocal removed
        if match["path"] is None:
            return match[0]
        citation = _supported(match, passages, line_counts)
        if citation is None:
            removed += 1
            return _GONE
        kept.setdefault((citation.path, citation.first_line, citation.last_line), citation)
        return f"[{citation.path}:{citation.first_line}-{citation.last_line}]"

    text = quoted.text
    while _GONE in (judged := _PIECE.sub(judge, text)):  # what stood around one may have become another
        text = _SCAR.sub("", judged)
        kept.clear()
    text = judged.strip()
    checked = Checked(text, tuple(kept.values()), removed, quoted.removed)
    return checked if is_plain(text) else _as_read(checked, passages, line_counts)


def _as_read(checked: Checked, passages: Sequence[Passage], line_counts: Mapping[str, int]) -> Checked:
    """Clear an answer of what only a reader of its Markdown sees: code by its looks that is none."""
    text, removed, quotes = checked.text, checked.removed, checked.removed_quotes
    while True:
        kept = {(c.path, c.first_line, c.last_line): c for c in checked.citations}
        prose, wrong = read_prose(text), set()
        for match in CITED.finditer(prose):
            citation = _supported(match, passages, line_counts)
            if citation is None:
                wrong.add(match[0])
            else:
                kept.setdefault((citation.path, citation.first_line, citation.last_line), citation)
        unheld = set(unsupported_quotes(prose, passages, line_counts))
        if not wrong | unheld:
            return Checked(text, tuple(kept.values()), removed, quotes)
        shorter = text
        for piece in wrong | unheld:
            shorter = shorter.replace(piece, "")
        if shorter == text:  # written with escapes
            return Checked("", (), removed + len(wrong), quotes + len(unheld))
        text, removed, quotes = shorter.strip(), removed + len(wrong), quotes + len(unheld)


def _supported(match: re.Match[str], passages: Sequence[Passage], line_counts: Mapping[str, int]) -> Citation | None:
    path, first = match["path"].strip(), int(match["first"])
    last = int(match["last"] or first)
    if not 1 <= first <= last <= line_counts.get(path, 0):
        return None
    holder = next((p for p in passages if p.path == path and p.first_line <= first <= p.last_line), None)
    if holder is None or not _covered(path, first, last, passages):
        return None
    return Citation(path=path, first_line=first, last_line=last, chunk_id=holder.chunk_id)


def _covered(path: str, first: int, last: int, passages: Sequence[Passage]) -> bool:
    """Whether every line of the range is in some passage of that file."""
    reached = first
    for start, end in sorted((p.first_line, p.last_line) for p in passages if p.path == path):
        if start > reached:
            break
        reached = max(reached, end + 1)
    return reached > last
