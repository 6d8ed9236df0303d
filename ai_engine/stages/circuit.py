"""Say whether a model that failed again and again may be called, and what each call's end makes of that.

In:  what is known of a model, the time, whose call it is and how it ended.
Out: whether it may be called, and what is known now.

Closed, it is called. After FAILURES in a row it is open: nobody calls it for a while, longer each time. After that it
is half-open: one call, the probe, goes out, and its end decides. A probe whose caller died is followed by another.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

FAILURES = 5  # in a row
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 300.0  # seconds
PROBE_SECONDS = 250.0  # longer than any call by the settings that are shipped: nobody waits for the probe any more


class State(StrEnum):
    """What a circuit is for whoever looks at it."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True)
class Circuit:
    """What is known of one model. Times are seconds of one clock; `opened` counts how often in a row it opened."""

    failures: int = 0
    opened: int = 0
    open_until: float = 0.0
    probe: str = ""
    probe_until: float = 0.0


def state_of(circuit: Circuit, now: float) -> State:
    """Its state at a time. Pure."""
    if not circuit.opened:
        return State.CLOSED
    return State.OPEN if now < circuit.open_until else State.HALF_OPEN


def admit(circuit: Circuit, now: float, caller: str, longest: float = PROBE_SECONDS) -> Circuit | None:
    """What is known once `caller` calls, for `longest` seconds at most; None where it may not. Pure."""
    state = state_of(circuit, now)
    if state is State.CLOSED:
        return circuit
    if state is State.OPEN or (circuit.probe and now < circuit.probe_until):
        return None
    return replace(circuit, probe=caller, probe_until=now + longest)


def succeeded(circuit: Circuit, caller: str) -> Circuit:
    """After an answer. One that was asked for before the circuit opened closes nothing. Pure."""
    return Circuit() if not circuit.opened or circuit.probe == caller else circuit


def failed(circuit: Circuit, now: float, caller: str, pause: float | None = None) -> Circuit:
    """After a failure; `pause` is how many seconds the provider asked to be left alone for. Pure."""
    if circuit.opened and circuit.probe != caller:
        return circuit
    failures = circuit.failures + 1
    asks = pause is not None and pause > FIRST_PAUSE
    if not circuit.opened and failures < FAILURES and not asks:
        return replace(circuit, failures=failures)
    grown = FIRST_PAUSE * 2.0 ** min(circuit.opened, 10)
    seconds = min(LONGEST_PAUSE, max(grown, pause or 0.0))
    return Circuit(failures=failures, opened=circuit.opened + 1, open_until=now + seconds)


def given_up(circuit: Circuit, caller: str) -> Circuit:
    """After a call that nobody waited for to its end: it says nothing, and another may be the probe. Pure."""
    return replace(circuit, probe="", probe_until=0.0) if circuit.probe == caller else circuit
