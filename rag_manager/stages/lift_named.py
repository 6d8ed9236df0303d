"""Lift the passages that define what the question's words spell: "open a session" and `open_session`.

In:  fused scores of chunks, a question that was read, the catalogue.
Out: the same chunks with their new scores.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.met_words import MetWords
from rag_manager.stages.read_question import Question

PREFIX = 3  # letters of a word that stands for a longer one in names


def lift_named(
    scores: Mapping[int, float], question: Question, catalogue: Catalogue, weight: float
) -> dict[int, float]:
    """Return each score times 1 + `weight` times the share of a name's words that the question has. Pure.

    Of several names that are defined in a chunk the one that is met best counts. A word is met, too, by one that
    begins with it, or that it begins with: "authorization" and `auth`.
    """
    met = MetWords(question.tokens, PREFIX)
    return {
        chunk: score * (1 + weight * _share(catalogue.named.get(chunk, ()), met)) for chunk, score in scores.items()
    }


def _share(names: Iterable[str], met: MetWords) -> float:
    """Of the name that is met best."""
    best = 0.0
    for name in names:
        if words := _words(name):
            best = max(best, sum(word in met for word in words) / len(words))
    return best


@lru_cache(maxsize=100_000)
def _words(name: str) -> frozenset[str]:
    """The stems of a name's parts; where there are several, the whole name is none of them."""
    tokens = code_tokens(name.strip("_"))
    return frozenset(tokens[:-1] if len(tokens) > 1 else tokens)
