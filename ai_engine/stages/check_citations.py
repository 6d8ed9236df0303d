"""Check every citation of an answer against what was given and what is stored.

In:  an answer's Markdown, the passages that were in the prompt, and how many lines each cited file has.
Out: the answer without the citations and quotations that nothing supports, the citations that stand, and how many of
     both were removed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_engine.stages.check_quotes import check_quotes, unsupported_quotes
from ai_engine.stages.read_prose import is_plain, read_prose
from ai_engine.stages.spell_citations import mentions, spell_citations
from ai_engine.stages.spell_given import open_given, spell_given
from ai_engine.stages.tell_overview import FACTS
from events.question import Citation, Passage
from runtime.citation_form import FORM, path_form, path_of

# A citation, or code: what is quoted is left as it is.
_PIECE = re.compile(
    rf"^[ \t]*(?P<fence>`{{3,}}|~{{3,}})[^\n]*(?:\n.*?(?:^[ \t]*(?P=fence)[`~]*|\Z)|\Z)|{FORM}|`[^`\n]+`",
    re.MULTILINE | re.DOTALL,
)
_INSIDE = r"[^\[\]\u3010\u3011\uff3b\uff3d\n]"
_DEEP = rf"\[(?:{_INSIDE}|\[{_INSIDE}{{0,200}}\]){{0,200}}\]"
# At the end of what is written so far: the beginning of what may become a citation, and the spaces before it.
_OPEN = re.compile(
    r"[ \t]*(?:`[^`\n]*`?"
    rf"|[\[\u3010\uff3b](?:{_INSIDE}|{_DEEP}){{0,1100}}(?:\[(?:{_INSIDE}|\[{_INSIDE}{{0,200}}\]){{0,200}}(?:\[{_INSIDE}{{0,200}})?)?"
    r"(?:[\]\u3011\uff3d]+`?(?:\([^()\n]{0,1100}(?:\([^()\n]{0,200}\)?)?\)?)?)?"
    r"|[^\s`\[\]]{1,300})?\Z"
)
_GONE = "\x00"  # stands where a citation was removed; no answer has a NUL
_SCAR = re.compile(r"[ \t]*\x00")


@dataclass(frozen=True)
class Checked:
    """An answer whose citations and quotations all stand. A citation that goes with its quotation counts in both."""

    text: str
    citations: tuple[Citation, ...]
    removed: int
    removed_quotes: int = 0


def cited_paths(answer: str, passages: Sequence[Passage] = ()) -> tuple[str, ...]:
    """The paths that an answer cites, each once, in order."""
    spelled = spell_given(answer, [passage.path for passage in passages])
    return tuple(dict.fromkeys(path for mention in mentions(spelled) for path, _, _ in mention.places))


def checked_so_far(written: str, passages: Sequence[Passage]) -> str:
    """What of an unfinished answer can be shown: no citation but of given lines, nor the beginning of one. Pure."""
    reach: dict[str, int] = {}
    for passage in passages:
        reach[passage.path] = max(passage.last_line, reach.get(passage.path, 0))
    written = spell_given(written[: open_given(written, list(reach))], list(reach))
    line = written.rfind("\n") + 1  # what is open begins in the last one
    return check_citations(written[:line] + _OPEN.sub("", written[line:], count=1), passages, reach).text


def check_citations(answer: str, passages: Sequence[Passage], line_counts: Mapping[str, int]) -> Checked:
    """Keep the citations whose lines were in the prompt, exist at the commit and have what is quoted of them. Pure.

    The others are removed and counted. An answer that cannot be cleared of them is empty.
    """
    spelled = spell_citations(spell_given(answer.replace(_GONE, ""), [passage.path for passage in passages]))
    quoted = check_quotes(spelled, passages, line_counts)
    kept: dict[tuple[str, int, int], Citation] = {}
    removed = quoted.citations

    def judge(match: re.Match[str]) -> str:
        nonlocal removed
        if match["path"] is None:
            return match[0]
        place = (path_of(match["path"]), int(match["first"]), int(match["last"]))
        citation = _supported(place, passages, line_counts)
        if citation is None:
            removed += 1
            return _GONE
        kept.setdefault((citation.path, citation.first_line, citation.last_line), citation)
        return f"[{path_form(citation.path)}:{citation.first_line}-{citation.last_line}]"

    text = spelled if quoted.text == spelled else spell_citations(quoted.text)
    while _GONE in (judged := _PIECE.sub(judge, text)):  # what stood around one may have become another
        text = spell_citations(_SCAR.sub("", judged))
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
        for mention in mentions(prose):
            named = prose[mention.start : mention.end]
            for place in mention.places if not mention.is_bare or _is_said(named, text) else ():
                citation = _supported(place, passages, line_counts)
                if citation is None:
                    wrong.add(named)
                else:
                    kept.setdefault(place, citation)
        unheld = set(unsupported_quotes(prose, passages, line_counts))
        if not wrong | unheld:
            return Checked(text, tuple(kept.values()), removed, quotes)
        shorter = text
        for piece in wrong | unheld:
            shorter = _as_written(piece).sub("", shorter)
        if shorter == text:  # written with escapes
            return Checked("", (), removed + len(wrong), quotes + len(unheld))
        text, removed, quotes = shorter.strip(), removed + len(wrong), quotes + len(unheld)


def _is_said(piece: str, text: str) -> bool:
    """Whether a text has it outside what it quotes in a block of `>` lines."""
    written = _as_written(piece)
    return any(written.search(line) for line in text.split("\n") if not line.lstrip().startswith(">"))


def _as_written(piece: str) -> re.Pattern[str]:
    """What a reader sees as `piece`, with the marks that may stand in it unseen."""
    return re.compile(r"[\\*_~]*".join(map(re.escape, piece)))


def _supported(
    place: tuple[str, int, int], passages: Sequence[Passage], line_counts: Mapping[str, int]
) -> Citation | None:
    path, first, last = place
    if path == FACTS or not 1 <= first <= last <= line_counts.get(path, 0):
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
