"""Which rows of an index another one of the same repository has already. Pure.

An index is its artifacts' rows one after another. An artifact is named by its hash, so that the same name is the same
rows, wherever they stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

Parts = Sequence[tuple[str, int]]  # hash and number of rows, in order


@dataclass(frozen=True)
class Span:
    """`count` rows, which stand from `start` on there and from `start + shift` on here."""

    start: int
    count: int
    shift: int


@dataclass(frozen=True)
class Layout:
    """How an index was put together: by which `recipe`, of which artifacts."""

    recipe: str
    chunks: Parts
    symbols: Parts
    files: Parts


def starts_of(parts: Parts) -> list[int]:
    """The place of the first row of each part."""
    return [0, *accumulate(count for _, count in parts)][: len(parts)]


def common_spans(there: Parts, here: Parts) -> list[Span]:
    """The rows of `here` that are in `there`, in as few spans as may be."""
    known: Mapping[str, int] = dict(zip((name for name, _ in there), starts_of(there), strict=True))
    spans: list[Span] = []
    for (name, count), place in zip(here, starts_of(here), strict=True):
        start = known.get(name)
        if start is None or not count:
            continue
        last = spans[-1] if spans else None
        if last is not None and last.start + last.count == start and last.shift == place - start:
            spans[-1] = Span(last.start, last.count + count, last.shift)
        else:
            spans.append(Span(start, count, place - start))
    return spans


def to_json(layout: Layout) -> dict[str, object]:
    """As it is stored."""
    return {
        "recipe": layout.recipe,
        "chunks": [list(part) for part in layout.chunks],
        "symbols": [list(part) for part in layout.symbols],
        "files": [list(part) for part in layout.files],
    }


def from_json(stored: Mapping[str, object]) -> Layout:
    """As it was. Raises ValueError, KeyError or TypeError where it is none."""
    return Layout(str(stored["recipe"]), *(_parts(stored[name]) for name in ("chunks", "symbols", "files")))


def _parts(stored: object) -> Parts:
    if not isinstance(stored, list):
        raise TypeError("no list of parts")
    return [(str(name), int(count)) for name, count in stored]
