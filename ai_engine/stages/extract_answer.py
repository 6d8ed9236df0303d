"""Answer without a language model: the best passages, the symbols they define, what the README says.

In:  a question, the passages found, the first lines of the README.
Out: Markdown whose every statement is quoted from the repository and cited.
"""

import re
from collections.abc import Iterable, Sequence

from ai_engine.stages.terms import terms_of
from events.looking import LinesReply
from events.question import Passage

_SHOWN = 5
_EXCERPT = 14  # lines
_README_CHARACTERS = 700
_HEADING_AFTER = 200  # characters: a title and its first section stay together
_ASK_MORE = "Ask about a feature, a file or a name to be shown the code."
_OVERVIEW = re.compile(
    r"\b(what (does|is|can)|overview|purpose|about|summar|introduc|describe|getting started|readme|worum)\b",
    re.IGNORECASE,
)
_NAMES = 2  # terms: the name of the project itself, in its parts
_WHOLE = re.compile(
    r"project|repo|package|library|overview|purpose|summar|introduc|describe|getting|start|readme|worum"
)
_NOISE = re.compile(r"^\s*(\[!\[|!\[|<[^>]+>|\.\. (image|_|\|)|:target:|:alt:|=+\s*$|-{3,}\s*$|\[[^\]]+\]:)")


def extract_answer(question: str, passages: Sequence[Passage], readme: LinesReply | None) -> str:
    """The best of what was found, as Markdown with `[path:first-last]` citations. Pure."""
    terms = terms_of(question)
    parts: list[str] = []
    intro = _introduction(readme) if readme and (_is_about_the_whole(question, terms) or not passages) else None
    if intro:
        parts.append(intro)
        if not terms:  # then the passages were found by words like "does" and "it"
            parts.append(_ASK_MORE)
            return "\n\n".join(parts)
    shown = passages[:_SHOWN]
    if not shown:
        parts.append("No passage of this repository matches the question.")
        return "\n\n".join(parts)
    parts.append("These places match the question best:")
    parts.extend(_place(number, passage, terms) for number, passage in enumerate(shown, 1))
    return "\n\n".join(parts)


def _is_about_the_whole(question: str, terms: Sequence[str]) -> bool:
    """Whether a question is about the project: it says so, and names little besides."""
    named = [term for term in terms if not _WHOLE.match(term)]
    return _OVERVIEW.search(question) is not None and len(named) <= _NAMES


def _place(number: int, passage: Passage, terms: Sequence[str]) -> str:
    first, lines = excerpt(passage, terms)
    last = first + len(lines) - 1
    names = ", ".join(f"`{name}`" for name in passage.symbols[:4])
    more = f" and {len(passage.symbols) - 4} more" if len(passage.symbols) > 4 else ""
    defines = f" defines {names}{more}" if names else ""
    body = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    return f"{number}. [{passage.path}:{first}-{last}]{defines}\n\n{fence}{passage.language or ''}\n{body}\n{fence}"


def excerpt(passage: Passage, terms: Sequence[str]) -> tuple[int, list[str]]:
    """The few lines of a passage that hold most of the terms, and the number of the first. Earlier lines win ties."""
    lines = passage.text.split("\n")[: passage.last_line - passage.first_line + 1]
    weights = [sum(term in line.lower() for term in terms) for line in lines]
    starts = range(max(1, len(lines) - _EXCERPT + 1))
    start = max(starts, key=lambda at: (sum(weights[at : at + _EXCERPT]), -at))
    window = lines[start : start + _EXCERPT]
    while len(window) > 1 and not window[-1].strip():
        window.pop()
    while len(window) > 1 and not window[0].strip():
        window.pop(0)
        start += 1
    return passage.first_line + start, window


def _introduction(readme: LinesReply) -> str | None:
    """The README's first real paragraphs, quoted and cited."""
    kept = _opening(enumerate(readme.text.split("\n"), readme.first_line))
    if not kept:
        return None
    quote = "\n".join(f"> {text.lstrip('#').strip()}" if text else ">" for _, text in kept)
    return f"The README says [{readme.path}:{kept[0][0]}-{kept[-1][0]}]:\n\n{quote}"


def _opening(numbered: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines up to the second heading, or to the size limit, without badges and other decoration."""
    kept: list[tuple[int, str]] = []
    size = 0
    for number, line in numbered:
        if _NOISE.match(line) or not (kept or line.strip()):
            continue
        if size > _README_CHARACTERS or (size > _HEADING_AFTER and line.lstrip().startswith("#")):
            break
        kept.append((number, line.strip()))
        size += len(line)
    while kept and not kept[-1][1]:
        kept.pop()
    return kept
