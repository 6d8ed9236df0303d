"""What two searches for the same question found, side by side. Pure.

In:  the passages of both sides, the best first.
Out: each passage once, with its place on either side: those of the shadow in their order, then those that it lost.

A passage of one side is one of the other where both have lines of a file in common: with other chunks, its borders
move.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from events.question import Passage


@dataclass(frozen=True)
class Placed:
    """A passage with its places from 1; None on the side that did not find it. Lines are the shadow's, if it has it."""

    path: str
    first_line: int
    last_line: int
    live: int | None
    shadow: int | None


def beside(live: Sequence[Passage], shadow: Sequence[Passage]) -> list[Placed]:
    """The passages of both. One of a side is one of the other at most: of several the best that is left."""
    left = dict(enumerate(live, start=1))
    placed = []
    for place, passage in enumerate(shadow, start=1):
        same = next((other for other, one in left.items() if _is_same(one, passage)), None)
        if same is None:
            same = next((other for other, one in left.items() if _overlap(one, passage)), None)
        if same is not None:
            del left[same]
        placed.append(_placed(passage, same, place))
    return [*placed, *(_placed(passage, place, None) for place, passage in left.items())]


def _is_same(one: Passage, other: Passage) -> bool:
    return (one.path, one.first_line, one.last_line) == (other.path, other.first_line, other.last_line)


def _overlap(one: Passage, other: Passage) -> bool:
    return one.path == other.path and one.first_line <= other.last_line and other.first_line <= one.last_line


def _placed(passage: Passage, live: int | None, shadow: int | None) -> Placed:
    return Placed(passage.path, passage.first_line, passage.last_line, live, shadow)
