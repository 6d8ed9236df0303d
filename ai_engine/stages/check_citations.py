"""Check every citation of an answer against what was given and what is stored.

In:  an answer's Markdown, the passages that were in the prompt, and how many lines each cited file has.
Out: the answer without the citations that nothing supports, the citations that stand, and how many were removed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """An answer whose citations all stand."""

    text: str
    citations: tuple[Citation, ...]
    removed: int


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
    """Keep the citations whose lines were in the prompt and exist at the commit; remove and count the others. Pure."""
    kept: dict[tuple[str, int, int], Citation] = {}
    removed = 0

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

    text = _PIECE.sub(judge, answer.replace(_GONE, ""))
    return Checked(_SCAR.sub("", text).strip(), tuple(kept.values()), removed)


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
