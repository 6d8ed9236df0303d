"""Lift the passages that define what the question's words spell: "open a session" and `open_session`.

In:  fused scores of chunks, a question that was read, the catalogue.
Out: the same chunks with their new scores.
"""

from collections.abc import Container, Iterable, Mapping
from functools import lru_cache

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.read_question import Question

PREFIX = 3  # letters of a word that stands for a longer one in names


def lift_named(
    scores: Mapping[int, float], question: Question, catalogue: Catalogue, weight: float
) -> dict[int, float]:
    """Return each score times 1 + `weight` times the share of a name's words that the question has. Pure.

    Of several names that are defined in a chunk the one that is met best counts. A word is met, too, by one that
    begins with it, or that it begins with: "authorization" and `auth`.
    """
    tokens = frozenset(question.tokens)
    beginnings = tokens | {token[:end] for token in tokens for end in range(PREFIX, len(token))}
    return {
        chunk: score * (1 + weight * _met(catalogue.named.get(chunk, ()), tokens, beginnings))
        for chunk, score in scores.items()
    }


def _met(names: Iterable[str], tokens: Container[str], beginnings: Container[str]) -> float:
    met = 0.0
    for name in names:
        if words := _words(name):
            met = max(met, sum(_is_met(word, tokens, beginnings) for word in words) / len(words))
    return met


def _is_met(word: str, tokens: Container[str], beginnings: Container[str]) -> bool:
    return word in beginnings or any(word[:end] in tokens for end in range(PREFIX, len(word)))


@lru_cache(maxsize=100_000)
def _words(name: str) -> frozenset[str]:
    """The stems of a name's parts; where there are several, the whole name is none of them."""
    tokens = code_tokens(name.strip("_"))
    return frozenset(tokens[:-1] if len(tokens) > 1 else tokens)
