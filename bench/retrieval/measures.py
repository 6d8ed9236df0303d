"""What one ranking is worth, and how sure the mean over many is.

In:  the files, or whether each passage hits, best first.
Out: R@1, R@5, R@10, MRR and NDCG@10 of one question; means with bootstrap intervals.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MEASURES = ("R@1", "R@5", "R@10", "MRR", "NDCG@10")
_RESAMPLES = 1_000
_SEED = 20_260_101

Values = Mapping[str, float]


@dataclass(frozen=True)
class Mean:
    """The mean over repositories of the mean over their questions, and its 95 % interval."""

    value: float
    low: float
    high: float


def ndcg(found: Sequence[str], relevant: frozenset[str], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of a ranking of files, each file counted where it first stands."""
    gains = [1 / math.log2(place + 2) for place, path in enumerate(found[:depth]) if path in relevant]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(depth, len(relevant))))
    return sum(gains) / ideal if ideal else 0.0


def reciprocal_rank(hits: Sequence[bool]) -> float:
    """1 / the place of the first hit, or 0."""
    return next((1 / (place + 1) for place, hit in enumerate(hits) if hit), 0.0)


def of_files(found: Sequence[str], relevant: frozenset[str]) -> Values:
    """All measures of a ranking of files. R@k: 1 where a right file is among the first k."""
    hits = [path in relevant for path in found]
    return {**_of_hits(hits), "NDCG@10": ndcg(found, relevant)}


def of_passages(hits: Sequence[bool]) -> Values:
    """All measures of a ranking of passages of which any that hits is right; NDCG@10 counts the first of them."""
    first = next((place for place, hit in enumerate(hits[:10]) if hit), None)
    return {**_of_hits(hits), "NDCG@10": 0.0 if first is None else 1 / math.log2(first + 2)}


def _of_hits(hits: Sequence[bool]) -> dict[str, float]:
    recalled = {f"R@{depth}": float(any(hits[:depth])) for depth in (1, 5, 10)}
    return {**recalled, "MRR": reciprocal_rank(hits)}


def mean_of(repositories: Sequence[Sequence[float]], *, resamples: int = _RESAMPLES) -> Mean:
    """The mean of the repositories' means; questions are drawn anew inside each repository, always the same way."""
    groups = [np.asarray(values) for values in repositories if len(values)]
    if not groups:
        return Mean(math.nan, math.nan, math.nan)
    draw = np.random.default_rng(_SEED)
    drawn = np.mean([draw.choice(group, (resamples, len(group))).mean(axis=1) for group in groups], axis=0)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Mean(float(np.mean([group.mean() for group in groups])), float(low), float(high))
