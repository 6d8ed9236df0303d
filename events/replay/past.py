"""One stream's past, ready to be looked at anywhere: its state every so many events, and when each event was. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from events.base import Envelope
from events.replay.history import Evolve, fold

State = TypeVar("State")
EVERY = 1_000  # events from one kept state to the next: to keep one takes as long as to fold a thousand


@dataclass(frozen=True)
class Fold(Generic[State]):
    """How streams of one kind add up. `evolve` may change its state in place.

    `pack` and `unpack` keep a state small and unchanged; `shown` is what people see of it, as JSON's own types.
    """

    initial: Callable[[], State]
    evolve: Evolve[State]
    pack: Callable[[State], bytes]
    unpack: Callable[[bytes], State]
    shown: Callable[[State], dict[str, object]]


class Past(Generic[State]):
    """Grows by the events of one stream in their order. Holds no events, only states."""

    def __init__(self, how: Fold[State], every: int = EVERY) -> None:
        self._how = how
        self._every = every
        self._state = how.initial()
        self._versions: list[int] = []
        self._times: list[datetime] = []  # the latest of each event and those before it
        self._kept: list[tuple[int, bytes]] = []

    @property
    def version(self) -> int:
        """The newest version that it knows."""
        return self._versions[-1] if self._versions else 0

    def extend(self, envelopes: Iterable[Envelope]) -> None:
        """Take what comes next in the stream; what it has already changes nothing."""
        for envelope in envelopes:
            if envelope.version <= self.version:
                continue
            self._state = fold((envelope,), self._how.evolve, self._state)
            self._times.append(max(envelope.timestamp, self._times[-1]) if self._times else envelope.timestamp)
            self._versions.append(envelope.version)
            if len(self._versions) % self._every == 0:
                self._kept.append((envelope.version, self._how.pack(self._state)))

    def before(self, version: int) -> tuple[int, State]:
        """The newest kept state that is not after `version`, and the version it is of; the initial one is of 0."""
        place = bisect_right(self._kept, version, key=lambda kept: kept[0])
        if place == 0:
            return 0, self._how.initial()
        at, packed = self._kept[place - 1]
        return at, self._how.unpack(packed)

    def version_at(self, moment: datetime) -> int:
        """The version at a moment: of the last event that had happened, and all before it; 0 before the first one."""
        place = bisect_right(self._times, moment)
        return self._versions[place - 1] if place else 0


def shown_at(
    how: Fold[State], start: tuple[int, State], envelopes: Sequence[Envelope], versions: Sequence[int]
) -> list[dict[str, object]]:
    """What is shown at each of `versions` (ascending), folding `envelopes`, which follow the state of `start`."""
    at, state = start
    found = []
    for version in versions:
        state = fold([one for one in envelopes if at < one.version <= version], how.evolve, state)
        at = max(at, version)
        found.append(how.shown(state))
    return found
