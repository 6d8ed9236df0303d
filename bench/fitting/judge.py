"""How good a model is at finding the function that a comment describes, in packages the fit never saw."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.fitting.sample import Sample

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Mean reciprocal rank (all ranks), share found in the first ten, mean cosine to the full model of all texts."""

    mrr: float
    found: float
    cosine: float


def judge(sample: Sample, questions: Floats, chunks: Floats, reference: Floats) -> Verdict:
    """Search each question among the chunks of its package. `reference`: the full model's vectors of both, stacked."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, (package, _) in enumerate(sample.chunks):
        places[package].append(place)
    ranks = []
    for question, vector in zip(sample.questions, questions, strict=True):
        scores = chunks[places[question.package]] @ vector
        ranks.append(1 + int((scores > chunks[question.chunk] @ vector).sum()))
    ranked = np.array(ranks)
    cosine = (np.vstack([questions, chunks]) * reference).sum(axis=1).mean()
    return Verdict(float((1 / ranked).mean()), float((ranked <= 10).mean()), float(cosine))
