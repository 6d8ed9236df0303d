"""Where much happens, more of it is done at once; what happens alone does not wait."""

from hypothesis import given
from hypothesis import strategies as st

from events.delivery.pump import rest_after
from orchestrator.projections.runner import gather_after

_SECONDS = st.floats(0, 10)


@given(_SECONDS, _SECONDS)
def test_a_pass_that_takes_longer_is_followed_later_but_soon_enough(one: float, other: float) -> None:
    shorter, longer = sorted((one, other))

    assert 0 <= rest_after(shorter) <= rest_after(longer) <= 0.03
    assert 0.05 <= gather_after(shorter) <= gather_after(longer) <= 0.25


def test_an_event_that_comes_a_moment_after_another_is_carried_on_within_some_milliseconds() -> None:
    assert rest_after(0.001) <= 0.005
