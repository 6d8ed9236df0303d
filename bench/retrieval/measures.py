"""What one ranking is worth, and how sure the mean over many is.

In:  places, best first, and the right files or lines.
Out: R@1, R@5, R@10, MRR, MAP and NDCG@10 of one question, and whether a right place is within what may be read of all
     that was found; means with bootstrap intervals.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.retrieval.cuts import Place

READ = 6_000  # characters: whoever shows more of a file has fewer places
MEASURES = ("R@1", "R@5", "R@10", "MRR", "MAP", "NDCG@10", "read")
LOCALISED = (
    "Acc@1",
    "Acc@5",
    "Acc@10",
    "R@5",
    "MRR",
    "MAP",
)  # of files: Acc@k where all right ones are among the first k
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


def of_files(found: Sequence[Place], relevant: frozenset[str]) -> Values:
    """All measures of the files in their order. R@k: 1 where a right one is among the first k; Acc@k: all are."""
    paths = list(dict.fromkeys(place.path for place in found))
    ranks = [place for place, path in enumerate(paths, start=1) if path in relevant]
    precise = sum(number / rank for number, rank in enumerate(ranks, start=1)) / len(relevant) if relevant else 0.0
    read = any(place.path in relevant for place in within(found, READ))
    hits = [path in relevant for path in paths]
    whole = {f"Acc@{depth}": float(0 < len(relevant) == sum(hits[:depth])) for depth in (1, 5, 10)}
    return {**_of_hits(hits), **whole, "MAP": precise, "NDCG@10": ndcg(paths, relevant), "read": float(read)}


def of_lines(found: Sequence[Place], spans: Sequence[tuple[str, int, int]]) -> Values:
    """All measures of passages of which any that has a right line hits; NDCG@10 counts the first of them.

    MAP is over the spans: for each the share of hits among the passages up to its first.
    """
    held = [[_holds(place, span) for span in spans] for place in found]
    hits = [any(row) for row in held]
    first = next((place for place, hit in enumerate(hits[:10]) if hit), None)
    ranks = [next((rank for rank, row in enumerate(held, start=1) if row[span]), None) for span in range(len(spans))]
    precise = sum(sum(hits[:rank]) / rank for rank in ranks if rank) / len(spans) if spans else 0.0
    read = any(hits[: len(list(within(found, READ)))])
    gain = 0.0 if first is None else 1 / math.log2(first + 2)
    return {**_of_hits(hits), "MAP": precise, "NDCG@10": gain, "read": float(read)}


def _holds(place: Place, span: tuple[str, int, int]) -> bool:
    return place.path == span[0] and place.first <= span[2] and span[1] <= place.last


def within(found: Sequence[Place], characters: int) -> Iterator[Place]:
    """The first places that are read in so many characters; of the one that is too long for the rest, nothing."""
    left = characters
    for place in found:
        left -= place.size
        if left < 0:
            return
        yield place


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
