"""Looks at a stream as it was: folds its events up to any version or moment. Reads only; nothing is emitted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from events.base import Envelope
from events.upcasts import upcast

State = TypeVar("State")
Evolve = Callable[[State, Envelope], State]


@dataclass(frozen=True)
class Fold(Generic[State]):
    """How streams of one kind add up. `evolve` may change its state in place; `pack` and `unpack` keep it unchanged."""

    initial: Callable[[], State]
    evolve: Evolve[State]
    pack: Callable[[State], bytes]
    unpack: Callable[[bytes], State]


@dataclass(frozen=True)
class Shown(Fold[State]):
    """With what people see of a state, as JSON's own types."""

    shown: Callable[[State], dict[str, object]]


@dataclass(frozen=True)
class Moment(Generic[State]):
    """The state right after one event."""

    envelope: Envelope
    state: State


def fold(envelopes: Sequence[Envelope], evolve: Evolve[State], initial: State, *, to: int | None = None) -> State:
    """The state after the events up to version `to`, or after all. Events are upcast first.

    `evolve` may change the state that it is given and return it: no event after `to` is shown to it.
    """
    state = initial
    for envelope in envelopes:
        if to is not None and envelope.version > to:
            break
        state = evolve(state, upcast(envelope))
    return state


def moments(envelopes: Sequence[Envelope], evolve: Evolve[State], initial: State) -> Iterator[Moment[State]]:
    """Each event with the state right after it, in order: what a time slider shows."""
    state = initial
    for envelope in envelopes:
        current = upcast(envelope)
        state = evolve(state, current)
        yield Moment(current, state)
