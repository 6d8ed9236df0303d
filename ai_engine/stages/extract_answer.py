"""Answer without a language model: the best passages, the symbols they define, what the README says.

In:  a question, the passages found, the first lines of the README.
Out: Markdown whose every statement is quoted from the repository and cited.
"""

import re
from collections.abc import Iterable, Sequence

from ai_engine.stages.confidence import hits_of
from ai_engine.stages.quote_passage import quote_passage, said_of_it
from ai_engine.stages.tell_relation import GRAPH, tell_relation
from ai_engine.stages.terms import terms_of
from events.looking import LinesReply
from events.question import Passage, PlanStep
from runtime.citation_form import path_form

_SHOWN = 5
_FULL = 24  # lines of the first place
_EXCERPT = 10  # lines of the others
_BESIDE = 2  # other places after those of a relation
_NEAR = {"caller": "Called in", "type": "Part of"}  # by rag_manager's names of what stands beside
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


def extract_answer(
    question: str, passages: Sequence[Passage], readme: LinesReply | None, plan: Sequence[PlanStep] = ()
) -> str:
    """The best of what was found, as Markdown with `[path:first-last]` citations. Pure.

    `passages` with what stands beside them; `plan` tells what the graph was asked for.
    """
    terms, hits = terms_of(question), hits_of(passages)
    parts: list[str] = []
    intro = _introduction(readme) if readme and (_is_about_the_whole(question, terms) or not hits) else None
    if intro:
        parts.append(intro)
        if not terms:  # then the passages were found by words like "does" and "it"
            parts.append(_ASK_MORE)
            return "\n\n".join(parts)
    if not hits:
        parts.append("No passage of this repository matches the question.")
        return "\n\n".join(parts)
    told = tell_relation(hits, plan)
    shown = [hit for hit in hits if not (told and GRAPH in hit.ranks)][: _BESIDE if told else _SHOWN]
    parts += [told, "Besides, these places match the question:"] if told else ["These places match the question best:"]
    beside = [] if told else [passage for passage in passages if passage.neighbour_of is not None]
    parts += (
        [_first(shown[0], terms, beside), *(_place(*each, terms) for each in enumerate(shown[1:], 2))] if shown else []
    )
    return "\n\n".join(parts if shown else parts[:-1])


def _is_about_the_whole(question: str, terms: Sequence[str]) -> bool:
    """Whether a question is about the project: it says so, and names little besides."""
    named = [term for term in terms if not _WHOLE.match(term)]
    return _OVERVIEW.search(question) is not None and len(named) <= _NAMES


def _first(passage: Passage, terms: Sequence[str], beside: Sequence[Passage]) -> str:
    """The best place: its lines, what it says of itself where these have it not, and what stands beside it."""
    said = said_of_it(passage, quote_passage(passage, terms, _FULL))
    words = "\n".join(f"> {line}" for line in said.lines) if said else ""
    cited = f"It says of itself [{path_form(passage.path)}:{said.first}-{said.last}]:\n\n{words}" if said else ""
    near = _near([one for one in beside if _stands_at(one, passage)])
    return "\n\n".join(part for part in (_place(1, passage, terms, _FULL), cited, near) if part)


def _stands_at(neighbour: Passage, passage: Passage) -> bool:
    at = neighbour.neighbour_of
    return at is not None and at.path == passage.path and passage.first_line <= at.first_line <= passage.last_line


def _near(beside: Sequence[Passage]) -> str:
    """Who calls it and what it is part of, each with its place."""
    told = []
    for relation, words in _NEAR.items():
        places = [_named_place(one) for one in beside if one.relation == relation]
        told += [f"{words} {', '.join(places)}."] if places else []
    return " ".join(told)


def _named_place(passage: Passage) -> str:
    name = f"`{passage.symbols[0]}` " if passage.symbols else ""
    return f"{name}[{path_form(passage.path)}:{passage.first_line}-{passage.last_line}]"


def _place(number: int, passage: Passage, terms: Sequence[str], most: int = _EXCERPT) -> str:
    """A place with at most so many of its lines."""
    quoted = quote_passage(passage, terms, most)
    names = ", ".join(f"`{name}`" for name in passage.symbols[:4])
    more = f" and {len(passage.symbols) - 4} more" if len(passage.symbols) > 4 else ""
    defines = f" defines {names}{more}" if names else ""
    body = "\n".join(quoted.lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    place = f"{number}. [{path_form(passage.path)}:{quoted.first}-{quoted.last}]{defines}"
    return f"{place}\n\n{fence}{passage.language or ''}\n{body}\n{fence}"


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
