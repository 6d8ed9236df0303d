"""Tell what the graph knows of a question for a relation: who calls it, what it inherits from, ….

In:  the passages that were found, the plan of the search, whose step `graph` says what the graph was asked for.
Out: Markdown, a line for each place, each cited.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from events.question import Passage, PlanStep
from runtime.citation_form import path_form

GRAPH = "graph"  # the retriever
_MOST = 12  # places
_LONGEST = 160  # characters of a line that is quoted within a sentence
_ASKED = re.compile(r"(?P<kind>\w+) of (?P<name>[^\s`]+)")


class _Words(NamedTuple):
    """How a relation is told of a name; `named` where its places are those that have the name."""

    some: str
    none: str
    named: bool = True


# By rag_manager's names. Where nobody calls a name, the graph gives who uses it otherwise.
_WORDS = {
    "callers": _Words("`{}` is called or used here:", "that calls `{}`"),
    "uses": _Words("`{}` is used here:", "that uses `{}`"),
    "heirs": _Words("These inherit from `{}`:", "that inherits from `{}`"),
    "importers": _Words("`{}` is imported or used here:", "that imports `{}`"),
    "callees": _Words("`{}` calls or builds on these:", "that `{}` calls", named=False),
    "bases": _Words("`{}` inherits from these:", "that `{}` inherits from", named=False),
    "imports": _Words("`{}` imports these:", "that `{}` imports", named=False),
    "depends": _Words("`{}` depends on these:", "that `{}` depends on", named=False),
}


def tell_relation(hits: Sequence[Passage], plan: Sequence[PlanStep]) -> str:
    """What the graph knows, or that it knows nothing; empty where it was not asked, or is not made yet. Pure."""
    step = next((one for one in plan if one.retriever == GRAPH and not one.absent), None)
    asked = _ASKED.fullmatch(step.about) if step is not None else None
    words = _WORDS.get(asked["kind"]) if asked is not None else None
    if asked is None or words is None:
        return ""
    found = [hit for hit in hits if GRAPH in hit.ranks]
    if not found:
        return f"The graph knows nothing {words.none.format(asked['name'])}."
    lines = [_place(hit, asked["name"], named=words.named) for hit in found[:_MOST]]
    return f"{words.some.format(asked['name'])}\n\n" + "\n".join(lines)


def _place(hit: Passage, name: str, *, named: bool) -> str:
    """One place: where, in what, and the line that has the name."""
    within = f" in `{hit.symbols[0]}`" if named and len(hit.symbols) == 1 else ""
    defines = f" defines {', '.join(f'`{each}`' for each in hit.symbols[:3])}" if not named and hit.symbols else ""
    line = _line_with(hit, re.split(r"\.|::|#|->|/", name)[-1]) if named else None
    if line is None:
        return f"- [{path_form(hit.path)}:{hit.first_line}-{hit.last_line}]{within}{defines}"
    return f"- [{path_form(hit.path)}:{line[0]}-{line[0]}]{within}: `{line[1]}`"


def _line_with(hit: Passage, name: str) -> tuple[int, str] | None:
    """The first line that has the name, and is short and plain enough to stand in a sentence."""
    written = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    lines = hit.text.split("\n")[: hit.last_line - hit.first_line + 1]
    numbered = ((number, line.strip()) for number, line in enumerate(lines, hit.first_line) if written.search(line))
    number, line = next(numbered, (0, ""))
    return (number, line) if line and len(line) <= _LONGEST and "`" not in line else None
