"""Of which parts an index is put together. Pure.

A part is the rows of one artifact. An artifact is named by its hash, so that what was made of the same one in the same
way is the same part, whichever analyses of the repository have it, and wherever it stands in theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

from events.base import derived_id


@dataclass(frozen=True)
class Part:
    """Some rows of an index, and how many there are."""

    part_id: UUID
    rows: int


Layout = dict[str, Sequence[Part]]  # by kind (chunks, files, symbols), in order


def part_id(repository_id: UUID, recipe: str, kind: str, key: str) -> UUID:
    """The id of the part that is made of the artifact `key` by a recipe. A repository's parts are its own."""
    return derived_id("part", repository_id, recipe, kind, key)


def starts_of(parts: Sequence[Part]) -> list[int]:
    """The place of the first row of each part."""
    return [0, *accumulate(part.rows for part in parts)][: len(parts)]
