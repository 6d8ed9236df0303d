"""Weigh how much of a question a repository knows, which no ranking says: something is always the best.

In:  the question, in how many chunks each of its tokens is, the best BM25 score, how similar the nearest chunks are.
Out: the evidence that goes with a search's reply; whoever answers decides by it whether there is an answer.
"""

import math
from collections.abc import Sequence

from events.question import Evidence
from rag_manager.stages.read_question import Question

_RARE = 3  # chunks


def weigh_evidence(
    question: Question, frequencies: Sequence[int], chunks: int, best: float, similarities: Sequence[float]
) -> Evidence:
    """Return the evidence. `similarities` are those of the nearest chunks, best first; none without vectors. Pure."""
    named = [found for token, found in zip(question.tokens, frequencies, strict=True) if token in question.names]
    terms = max(1, len(frequencies))
    weights = [math.log(1 + (chunks - found + 0.5) / (found + 0.5)) for found in frequencies]
    return Evidence(
        chunks=chunks,
        terms=len(frequencies),
        unknown=sum(found == 0 for found in frequencies) / terms,
        rare=sum(found < _RARE for found in frequencies) / terms,
        weight=sum(weights),
        best=best,
        nearest=similarities[0] if similarities else None,
        tenth=similarities[min(9, len(similarities) - 1)] if similarities else None,
        around=sum(similarities) / len(similarities) if similarities else None,
        names=len(named),
        unknown_names=named.count(0),
    )
