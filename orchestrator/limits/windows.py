"""What a sliding window leaves, and when it leaves more. The counting is the library's sliding window counter:

the count of the current window, plus that of the previous one weighted by how much of it still lies within the period.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.limits.rules import Rule


@dataclass(frozen=True)
class Window:
    """Counts, and the seconds until they are forgotten: the previous one in a period, the current one in two."""

    previous: int = 0
    previous_ttl: float = 0.0
    current: int = 0
    current_ttl: float = 0.0

    def weighted(self, period: int) -> int:
        """How much counts at this moment."""
        return math.floor(self.previous * self.previous_ttl / period) + self.current

    def room_in(self, period: int, limit: int, cost: int) -> float:
        """Seconds until `cost` more fits; 0 where it does now."""
        room = limit - cost + 1  # what is weighted must be below this
        if room <= 0:
            return float(period)
        if self.weighted(period) < room:
            return 0.0
        turn = max(0.0, self.current_ttl - period)  # then the current window becomes the previous one
        if self.current < room:
            return min(turn, self.previous_ttl - (room - self.current) * period / max(1, self.previous)) + 0.001
        return max(turn, self.current_ttl - room * period / self.current) + 0.001


@dataclass(frozen=True)
class Standing:
    """Where somebody stands with one rule: what is left, and the seconds until the window turns.

    `wait` is how long it takes until what was refused would be let through; None where it was not refused.
    """

    rule: Rule
    remaining: int
    reset: int
    wait: int | None = None


def standing_of(rule: Rule, window: Window, *, cost: int, refused: bool) -> Standing:
    """Where `window`, as it was before, leaves somebody who asked for `cost`."""
    left = max(0, rule.amount - window.weighted(rule.seconds) - (0 if refused else cost))
    if refused:
        wait = max(1, math.ceil(window.room_in(rule.seconds, rule.amount, max(1, cost))))
        return Standing(rule, left, wait, wait)
    turn = window.current_ttl - rule.seconds if window.current_ttl > rule.seconds else rule.seconds
    return Standing(rule, left, max(1, math.ceil(turn)))


def tightest(standings: Sequence[Standing]) -> Standing | None:
    """The one that will stop somebody first: what was refused, else the smallest share left."""
    return min(standings, key=lambda one: (one.wait is None, one.remaining / one.rule.amount), default=None)


def headers_of(standing: Standing) -> Mapping[str, str]:
    """What an answer says of it. `Retry-After` only where it was refused."""
    headers = {
        "RateLimit-Limit": str(standing.rule.amount),
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(standing.reset),
    }
    return headers if standing.wait is None else {**headers, "Retry-After": str(standing.wait)}


def refusal(standing: Standing) -> str:
    """The sentence for whom it stopped."""
    return f"The limit is {standing.rule.words}. Try again in {standing.reset} s."
