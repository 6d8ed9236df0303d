"""Make one ranking of several by what each retriever says of a thing, not only by its place.

In:  for each retriever a weight and things with its own scores, best first.
Out: a score per thing.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)


def fuse_scores(rankings: Iterable[tuple[float, Sequence[tuple[Thing, float]]]]) -> dict[Thing, float]:
    """Return thing → weighted mean of its shares of each retriever's best score: best everywhere is 1. Pure.

    What a retriever did not find, and what it scores below nothing, has no share of it.
    """
    scores: dict[Thing, float] = {}
    total = 0.0
    for weight, found in rankings:
        total += weight
        best = found[0][1] if found else 0.0
        for thing, score in found:
            share = max(0.0, score / best) if best > 0 else 0.0
            scores[thing] = scores.get(thing, 0.0) + weight * share
    return {thing: score / total for thing, score in scores.items()} if total else scores
