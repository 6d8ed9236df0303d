"""Lift the passages that define what the question's words spell: "open a session" and `open_session`.

In:  fused scores of chunks, a question that was read, the catalogue.
Out: the same chunks with their new scores.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.read_question import Question


def lift_named(
    scores: Mapping[int, float], question: Question, catalogue: Catalogue, weight: float
) -> dict[int, float]:
    """Return each score times 1 + `weight` times the share of a name's words that the question has. Pure.

    Of several names that are defined in a chunk the one that is met best counts.
    """
    tokens = frozenset(question.tokens)
    return {
        chunk: score * (1 + weight * _met(catalogue.named.get(chunk, ()), tokens)) for chunk, score in scores.items()
    }


def _met(names: Iterable[str], tokens: frozenset[str]) -> float:
    return max((len(words & tokens) / len(words) for name in names if (words := _words(name))), default=0.0)


@lru_cache(maxsize=100_000)
def _words(name: str) -> frozenset[str]:
    """The stems of a name's parts; where there are several, the whole name is none of them."""
    tokens = code_tokens(name.strip("_"))
    return frozenset(tokens[:-1] if len(tokens) > 1 else tokens)
