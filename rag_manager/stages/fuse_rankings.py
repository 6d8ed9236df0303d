"""Make one ranking of several.

In:  rankings (best first) of the same things, each with a weight.
Out: a score per thing, by weighted reciprocal rank.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

RANK_OFFSET = 60  # the usual constant of reciprocal-rank fusion: how little the very first places matter

Thing = TypeVar("Thing", bound=Hashable)


def fuse_rankings(
    rankings: Iterable[tuple[float, Sequence[Thing]]], *, offset: int = RANK_OFFSET
) -> dict[Thing, float]:
    """Return thing → sum of weight / (offset + rank), ranks from 1, scaled so that first everywhere is 1. Pure."""
    scores: dict[Thing, float] = {}
    total = 0.0
    for weight, ranking in rankings:
        total += weight
        for rank, thing in enumerate(ranking, start=1):
            scores[thing] = scores.get(thing, 0.0) + weight / (offset + rank)
    scale = (offset + 1) / total if total else 0.0
    return {thing: score * scale for thing, score in scores.items()}
