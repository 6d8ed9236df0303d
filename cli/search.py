"""`repostream search`: the passages that the assistant would be given, and which retriever found each."""

from collections.abc import Iterator

from cli.api import connect
from cli.ask import NO_GRAPH, find_repository
from cli.exits import OK
from cli.plain import one_line
from cli.screen import Screen
from runtime.client.shapes import Passage, Scope, SearchView

_LINES = 12  # of a passage that are printed


def run_search(repository: str, query: str, *, scope: Scope, limit: int, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError."""
    api, console = connect(), Screen(stderr=as_json)
    found = api.searching_search(find_repository(api, repository), query=query, limit=limit, **scope.model_dump())
    if as_json:
        print(found.model_dump_json())
        return OK
    for style, line in told(found):
        console.say(line, style=style)
    return OK


def told(found: SearchView) -> Iterator[tuple[str, str]]:
    """What is printed: (style, line)."""
    for passage in found.passages:
        yield "cyan", f"{one_line(passage.path)}:{passage.first_line}-{passage.last_line}  {_by(passage)}"
        lines = passage.text.split("\n")
        for number, line in enumerate(lines[:_LINES], start=passage.first_line):
            yield "none", f"{number:>6} {line}"
        if len(lines) > _LINES:
            yield "dim", f"       … {len(lines) - _LINES} more lines"
    steps = [f"{step.retriever} {step.found}{f' ({step.about})' if step.about else ''}" for step in found.plan]
    searched = f"; found by {', '.join(steps)}" if steps else ""
    yield "dim", f"{len(found.passages)} passages of the {found.generation_kind} index at {found.commit[:10]}{searched}"
    if any(step.absent for step in found.plan):
        yield "yellow", NO_GRAPH.format("search")
    if found.degraded:
        yield "yellow", f"searched by words only ({found.degraded}): search again for a better result"


def _by(passage: Passage) -> str:
    if (near := passage.neighbour_of) is not None:
        return f"{passage.relation} of {one_line(near.path)}:{near.first_line}-{near.last_line}"
    ranked = sorted(passage.ranks.items(), key=lambda item: item[1])
    found = ", ".join(
        f"{name} #{rank}{f' ({passage.scores[name]:.3g})' if name in passage.scores else ''}" for name, rank in ranked
    )
    grown = f", grown from {passage.grown_from.first_line}-{passage.grown_from.last_line}" if passage.grown_from else ""
    folded = ", ".join(f"{one_line(each.path)}:{each.first_line}-{each.last_line}" for each in passage.folded)
    return f"{found}{grown}{f', with {folded}' if folded else ''}"
