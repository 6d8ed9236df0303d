"""The constants of `judge_evidence`, by kind of index, as `python -m bench unanswerable --fit` printed them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """`weights` of the features, in their order, and the constant."""

    weights: tuple[float, ...]
    constant: float


WEIGHTS: dict[str, Weights] = {
    "lexical": Weights(
        weights=(-3.58431, -2.47483, 1.72763, 1.42794, 0.83965, -0.65088, 4.15528, -1.7971), constant=-0.8885
    ),
    "quick": Weights(
        weights=(
            -2.70627,
            -1.85534,
            0.74878,
            1.07048,
            0.18136,
            -0.71078,
            3.41629,
            -1.77211,
            4.97702,
            5.10971,
            1.6694,
            1.88776,
        ),
        constant=-3.58686,
    ),
}
