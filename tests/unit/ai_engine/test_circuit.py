"""When a model is left alone, and that one call alone tries it afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_engine.settings import AiSettings
from ai_engine.stages.circuit import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PROBE_SECONDS,
    Circuit,
    State,
    admit,
    failed,
    given_up,
    state_of,
    succeeded,
)


def opened(at: float = 0.0) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit = failed(circuit, at, "x")
    return circuit


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    circuit = Circuit()
    for _ in range(FAILURES - 1):
        circuit = failed(circuit, 0.0, "x")

    assert state_of(circuit, 0.0) is State.CLOSED
    assert succeeded(circuit, "x") == Circuit()
    circuit = failed(circuit, 0.0, "x")
    assert (state_of(circuit, 0.0), state_of(circuit, FIRST_PAUSE)) == (State.OPEN, State.HALF_OPEN)
    assert admit(circuit, FIRST_PAUSE - 0.1, "y") is None


@pytest.mark.parametrize(("asked", "until"), [(3.0, 0.0), (60.0, 60.0), (9_999.0, LONGEST_PAUSE)])
def test_a_provider_that_asks_for_a_long_rest_has_it_at_once(asked: float, until: float) -> None:
    assert failed(Circuit(), 0.0, "x", asked).open_until == until


def test_one_call_alone_is_the_probe_and_its_end_decides() -> None:
    probing = admit(opened(), FIRST_PAUSE, "probe")

    assert probing is not None
    assert admit(probing, FIRST_PAUSE, "other") is None
    assert succeeded(probing, "late") == probing
    assert failed(probing, FIRST_PAUSE, "late") == probing
    assert succeeded(probing, "probe") == Circuit()
    again = failed(probing, FIRST_PAUSE, "probe")
    assert again.open_until == FIRST_PAUSE + 2 * FIRST_PAUSE
    handed_on = admit(given_up(probing, "probe"), FIRST_PAUSE, "other")
    assert handed_on is not None
    assert handed_on.probe == "other"
    assert admit(probing, FIRST_PAUSE + PROBE_SECONDS, "other") is not None


def test_no_second_probe_goes_out_for_as_long_as_a_call_may_take() -> None:
    settings = AiSettings()
    longest = max(settings.deadline, settings.deep_deadline)
    probing = admit(opened(), FIRST_PAUSE, "probe")
    slow = admit(opened(), FIRST_PAUSE, "probe", 900.0)

    assert probing is not None
    assert slow is not None
    assert admit(probing, FIRST_PAUSE + longest, "other") is None
    assert admit(slow, FIRST_PAUSE + 899.0, "other") is None
    assert admit(slow, FIRST_PAUSE + 900.0, "other") is not None


@given(st.lists(st.tuples(st.sampled_from("asfgl"), st.floats(0.0, 400.0), st.integers(0, 3)), max_size=60))
def test_whatever_happens_no_two_probe_at_once_and_no_pause_is_longer_than_the_longest(
    steps: list[tuple[str, float, int]],
) -> None:
    circuit, now, probing = Circuit(), 0.0, dict[str, float]()
    for kind, seconds, who in steps:
        caller = str(who)
        if kind == "l":
            now += seconds
        elif kind == "a":
            before, after = circuit, admit(circuit, now, caller)
            if after is not None and before.opened:
                assert all(until <= now for until in probing.values())
                probing = {caller: after.probe_until}
            circuit = after or before
        else:
            if kind == "f":
                circuit = failed(circuit, now, caller)
            else:
                circuit = (succeeded if kind == "s" else given_up)(circuit, caller)
            if circuit.probe != caller:
                probing.pop(caller, None)
        assert circuit.open_until <= now + LONGEST_PAUSE
        assert (circuit.opened == 0) == (state_of(circuit, now) is State.CLOSED)
