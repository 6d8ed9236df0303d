"""How well the evidence supports an answer.

In:  the question's terms, the passages, and how many citations stood and fell.
Out: a number from 0 to 1: the mean of (a) the share of the terms that occur in the best five passages and (b) the
     share of these passages that two retrievers put into their first twenty, times the share of citations that stood.
"""

from collections.abc import Sequence

from ai_engine.stages.rerank import RERANK
from events.question import Citation, Passage

_BEST = 5
_NEAR = 20
_NOT_BY_ITS_TEXT = frozenset({RERANK, "changes"})  # of what others found, and of the file that it is in


def confidence_of(terms: Sequence[str], passages: Sequence[Passage], *, stood: int, fell: int) -> float:
    """Evidence, not the model's opinion of itself. Pure."""
    best = passages[:_BEST]
    if not best:
        return 0.0
    text = "\n".join(f"{p.path}\n{p.text}" for p in best).lower()
    found = sum(term in text for term in terms) / len(terms) if terms else 0.0
    near = [{by for by, rank in p.ranks.items() if rank <= _NEAR} - _NOT_BY_ITS_TEXT for p in best]
    agreed = sum(len(retrievers) >= 2 for retrievers in near) / len(best)
    honest = stood / (stood + fell) if stood + fell else 0.5
    return round((found + agreed) / 2 * honest, 3)


def cited_passages(passages: Sequence[Passage], citations: Sequence[Citation]) -> tuple[Passage, ...]:
    """The passages that citations are in. Pure."""
    places = [(one.path, one.first_line) for one in citations]
    return tuple(p for p in passages if any(p.path == at and p.first_line <= n <= p.last_line for at, n in places))


def hits_of(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages that were found themselves, without what stands beside them. Pure."""
    return tuple(passage for passage in passages if passage.neighbour_of is None)
