"""Weigh how much of a question a repository knows, which no ranking says: something is always the best.

In:  the question, in how many chunks each of its tokens is, what the retrievers found, what the first place is called.
Out: the evidence that goes with a search's reply; whoever answers decides by it whether there is an answer.
"""

import math
from collections.abc import Sequence

from events.question import Evidence
from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.read_question import Question

_RARE = 3  # chunks
_FIRST = 10  # of each retriever

Hits = Sequence[tuple[int, float]]  # chunk and its own score, best first


def weigh_evidence(  # what is asked, and each kind of what was found
    question: Question, frequencies: Sequence[int], chunks: int, lexical: Hits, dense: Hits, first: str
) -> Evidence:
    """Return the evidence. `first` has the path and the names of the first place. Pure.

    `frequencies` are of the question's tokens; `dense` has the nearest chunks by cosine, none without vectors.
    """
    terms = max(1, len(frequencies))
    weights = [math.log(1 + (chunks - found + 0.5) / (found + 0.5)) for found in frequencies]
    called, written = frozenset(code_tokens(first)), frozenset(question.names)
    similarities = [similarity for _, similarity in dense]
    known = list(zip(question.tokens, frequencies, weights, strict=True))
    nearest, best = ({chunk for chunk, _ in hits[:_FIRST]} for hits in (dense, lexical))
    return Evidence(
        chunks=chunks,
        terms=len(frequencies),
        unknown=sum(found == 0 for found in frequencies) / terms,
        rare=sum(found < _RARE for found in frequencies) / terms,
        weight=sum(weights),
        best=lexical[0][1] if lexical else 0.0,
        nearest=similarities[0] if similarities else None,
        tenth=similarities[min(9, len(similarities) - 1)] if similarities else None,
        around=sum(similarities) / len(similarities) if similarities else None,
        named=sum(weight for token, found, weight in known if found and token in called) / max(sum(weights), 1e-6),
        strange=sum(not found and token in written for token, found, _ in known),
        agreed=len(nearest & best) / _FIRST if similarities else None,
    )
