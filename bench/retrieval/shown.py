"""How much of the cited lines is in what an answer is written from, within the same number of characters.

Passages as they were found, against folded and grown to their definitions with what stands beside them. `hit`: the
share of questions of which any cited line is shown; `lines`: the mean share of the cited lines.
"""

import statistics
from collections.abc import Iterable, Iterator, Sequence

from bench.retrieval.cases import Case
from bench.retrieval.retrievers import Search, ranked_by
from events.question import Passage
from rag_manager.stages.rank import Weights
from rag_manager.stages.show_passages import ChunkText, show_passages

_LIMIT = 12  # passages, as an answer asks for
BUDGETS = (6_000, 12_000, 28_000)  # characters
Row = tuple[float, float, int, int]  # whether a cited line is shown, the share that is, characters, passages


def passages_of(case: Case, model: str | None, *, grown: bool, budget: int) -> list[Passage]:
    """The passages that fit into a budget, best first."""
    search = Search(case.asked.text, case.index, case.similar, Weights(), case.graph)
    picked = ranked_by(search, model, _LIMIT)
    bodies = {chunk: ChunkText(body, None, ()) for chunk, body in enumerate(case.index.bodies)}
    if grown:
        found: Sequence[Passage] = show_passages(picked, bodies, case.index.catalogue, {}, budget=budget)
    else:
        places = case.index.catalogue
        alone = (show_passages([one], {one.chunk: bodies[one.chunk]}, places, {}, budget=0) for one in picked)
        found = [passage for each in alone for passage in each]
    kept: list[Passage] = []
    for passage in found:
        if sum(len(one.text) for one in kept) + len(passage.text) <= budget:
            kept.append(passage)
    return kept


def covered(case: Case, passages: Iterable[Passage]) -> Row:
    """What of the cited lines is shown."""
    listed = list(passages)
    shown = {(one.path, line) for one in listed for line in range(one.first_line, one.last_line + 1)}
    cited = {(path, line) for path, first, last in case.asked.spans for line in range(first, last + 1)}
    share = len(cited & shown) / len(cited)
    return float(share > 0), share, sum(len(one.text) for one in listed), len(listed)


def compare(title: str, cases: Iterable[Case], models: Sequence[str | None]) -> Iterator[str]:
    """A table: a line for each model, budget and way."""
    rows: dict[tuple[str, int, str], list[Row]] = {}
    for case in cases:
        for model in models if case.asked.spans else ():
            for budget in BUDGETS:
                for grown in (False, True):
                    key = (model or "lexical", budget, "grown" if grown else "as found")
                    rows.setdefault(key, []).append(covered(case, passages_of(case, model, grown=grown, budget=budget)))
    yield f"### {title}: cited lines shown\n\n| index | characters | way | n | hit | lines | used | passages |"
    yield "|---|---|---|---|---|---|---|---|"
    for (model, budget, way), values in rows.items():
        hit, share, used, count = (statistics.mean(column) for column in zip(*values, strict=True))
        yield f"| {model} | {budget:,} | {way} | {len(values)} | {hit:.3f} | {share:.3f} | {used:,.0f} | {count:.1f} |"
