"""How quickly a run gets on: what was measured, and nothing where that says nothing."""

import math

from hypothesis import given
from hypothesis import strategies as st

from runtime.live import Mark, Pace


def told(marks: list[Mark]) -> tuple[float | None, float | None]:
    """What the last of them says, after all of them were measured."""
    pace = Pace()
    return [pace.measure(mark) for mark in marks][-1]


@given(st.integers(1, 500), st.integers(2, 400), st.floats(0.05, 5.0))
def test_a_steady_run_is_foreseen_to_the_second(per_mark: int, marks: int, apart: float) -> None:
    total = per_mark * marks * 2
    rate, left = told([Mark(100 + n * apart, n * per_mark, total, n * per_mark / total) for n in range(marks + 1)])

    if marks * apart < 1.5:
        assert (rate, left) == (None, None)
    else:
        assert rate is not None
        assert math.isclose(rate, per_mark / apart, rel_tol=1e-6)
        measured = min(20, marks * apart)  # at least: the window
        if measured / (marks * apart * 2) >= 0.011:
            assert left is not None
            assert math.isclose(left, marks * apart, rel_tol=1e-6)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(-5, 50), st.integers(1, 100)), min_size=1, max_size=60))
def test_whatever_is_told_nothing_is_negative(
    steps: list[tuple[float, int, int]],
) -> None:
    pace, at, done = Pace(), 0.0, 0
    for passed, gained, total in steps:
        at, done = at + passed, max(0, done + gained)
        rate, left = pace.measure(Mark(at, done, total, min(1.0, done / total)))
        assert rate is None or rate >= 0
        assert left is None or (left >= 0 and rate is not None)


def test_a_step_that_counts_anew_is_measured_anew() -> None:
    fetched = [Mark(float(n), n * 10, 100, n / 10) for n in range(11)]

    assert told(fetched) == (10.0, 0.0)
    assert told([*fetched, Mark(11.0, 0, 300, 0.0), Mark(11.5, 9, 300, 0.03)]) == (None, None)
    assert told([*fetched, Mark(11.0, 0, 300, 0.0), Mark(14.0, 30, 300, 0.1)]) == (10.0, 27.0)


def test_what_is_left_goes_by_the_size_of_what_is_done_not_by_its_number() -> None:
    """Half of the texts, the short ones, are a tenth of the work."""
    assert told([Mark(0.0, 0, 100, 0.0), Mark(2.0, 50, 100, 0.1)]) == (25.0, 18.0)


def test_only_the_last_seconds_count_and_of_a_run_that_hangs_nothing_is_foreseen() -> None:
    quick = [Mark(float(n), n * 100, 10_000, n / 100) for n in range(11)]
    slow = [Mark(float(n), 1_000 + (n - 10), 10_000, 0.1 + (n - 10) / 10_000) for n in range(11, 40)]

    assert told([*quick, *slow])[0] == 1.0
    assert told([*quick, Mark(31.0, 1_000, 10_000, 0.1), Mark(51.0, 1_000, 10_000, 0.1)]) == (0.0, None)
