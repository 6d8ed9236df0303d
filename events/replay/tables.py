"""What is different between the rows of two artifacts of one kind. Pure.

Rows of an artifact may be doubles, so they are counted: a row is the same as often as both have it. Of the rest, two
of one key are a row that changed; the others are added or removed. Of a row no more than its hash is held, so that an
artifact of a large repository can be compared beside everything else that its process does.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.artifacts import ArtifactKind
from runtime.parquet import columns_in, rows_in

MOST = 20  # examples of a kind
_LONGEST = 200  # characters of one value
KEYS: Mapping[ArtifactKind, tuple[str, ...]] = {
    ArtifactKind.SYMBOLS: ("path", "kind", "qualified_name"),
    ArtifactKind.EDGES: ("path", "kind", "source", "line", "name"),
    ArtifactKind.CHUNKS: ("path", "first_line"),
    ArtifactKind.OUTCOMES: ("path",),
    ArtifactKind.DEPENDENCIES: ("path", "ecosystem", "name", "scope", "group"),
    ArtifactKind.IMPORTS: ("path", "line", "written", "name"),
    ArtifactKind.LINKS: ("path", "line", "kind", "source", "target"),
    ArtifactKind.CONNECTIONS: ("path",),
    ArtifactKind.CHURN: ("path",),
    ArtifactKind.COMMITS: ("commit",),
    ArtifactKind.VECTORS: ("chunk_id",),
}

Row = tuple[Any, ...]


@dataclass
class Compared:
    """Rows of one kind as they are live and as a shadow made them. `columns` are those that only one side has."""

    live: int = 0
    shadow: int = 0
    same: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: list[str] = field(default_factory=list)
    examples: list[dict[str, object]] = field(default_factory=list)

    def equal(self, rows: int) -> None:
        """Count rows of which both have the same bytes."""
        self.live, self.shadow, self.same = self.live + rows, self.shadow + rows, self.same + rows

    def add(self, kind: ArtifactKind, live: bytes | None, shadow: bytes | None) -> None:
        """Compare the Parquet bytes of one shard; None where a side has none."""
        names = [set(columns_in(content)) for content in (live, shadow) if content is not None]
        shared = sorted(set.intersection(*names)) if names else []
        self.columns = sorted({*self.columns, *(set.union(*names) - set(shared) if names else ())})
        key = [shared.index(name) for name in KEYS.get(kind, ()) if name in shared] or [*range(len(shared))]
        before, after = _Side(live, shared, key), _Side(shadow, shared, key)
        self.live, self.shadow = self.live + before.rows.total(), self.shadow + after.rows.total()
        self.same += (before.rows & after.rows).total()
        before.rows, after.rows = before.rows - after.rows, after.rows - before.rows
        wanted = MOST - len(self.examples)
        (gone, olds), (new, news) = before.keys(wanted), after.keys(wanted)
        both = (gone & new).total()
        self.changed, self.removed, self.added = (
            self.changed + both,
            self.removed + gone.total() - both,
            self.added + new.total() - both,
        )
        first = sorted({*olds, *news})[:wanted]
        was, is_now = before.of(first, wanted), after.of(first, wanted)
        for each in first:
            self._show(shared, was[each], is_now[each])

    def _show(self, names: list[str], olds: Sequence[Row], news: Sequence[Row]) -> None:
        for place in range(max(len(olds), len(news))):
            if len(self.examples) >= MOST:
                return
            before = _shown(names, olds[place]) if place < len(olds) else None
            after = _shown(names, news[place]) if place < len(news) else None
            self.examples.append({"before": before, "after": after})


class _Side:
    """The rows of one artifact by their hashes: all of them in `rows`, until those that the other has are taken out."""

    def __init__(self, content: bytes | None, names: list[str], key: list[int]) -> None:
        self._content, self._names, self._key = content, names, key
        self.rows = Counter(_hash(row) for row in self._each())

    def keys(self, most: int) -> tuple[Counter[bytes], list[str]]:
        """How many of the rows have each key, by its hash; and the first keys in the order of their texts."""
        counted, first = Counter[bytes](), list[str]()
        for row in self._left():
            key = self._key_of(row)
            counted[_hash(key)] += 1
            place = bisect_left(first, name := repr(key))
            if place < most and first[place : place + 1] != [name]:
                first.insert(place, name)
                del first[most:]
        return counted, first

    def of(self, keys: Sequence[str], most: int) -> dict[str, list[Row]]:
        """The rows of these keys, the first of each in the order of their texts."""
        found: dict[str, list[Row]] = {key: [] for key in keys}
        for row in self._left() if keys else ():
            rows = found.get(repr(self._key_of(row)))
            if rows is not None and len(rows) < most:
                rows.append(row)
        return {key: sorted(rows, key=repr) for key, rows in found.items()}

    def _key_of(self, row: Row) -> Row:
        return tuple(row[place] for place in self._key)

    def _left(self) -> Iterator[Row]:
        """Each of `rows`, as often as it is there."""
        left = Counter(self.rows)
        for row in self._each() if left else ():
            if left[name := _hash(row)] > 0:
                left[name] -= 1
                yield row

    def _each(self) -> Iterator[Row]:
        return rows_in(self._content, self._names) if self._content is not None else iter(())


def _hash(row: Row) -> bytes:
    return hashlib.blake2b(repr(row).encode(), digest_size=16).digest()


def _shown(names: list[str], row: Row) -> dict[str, object]:
    return {name: _short(value) for name, value in zip(names, row, strict=True)}


def _short(value: object) -> object:
    if isinstance(value, list):
        return [_short(each) for each in value[:3]]
    return f"{value[:_LONGEST]}…" if isinstance(value, str) and len(value) > _LONGEST else value


def kinds_in(*sides: Iterable[tuple[ArtifactKind, int]]) -> list[tuple[ArtifactKind, int]]:
    """The kinds and shards that any side has, in their order."""
    return sorted({each for side in sides for each in side}, key=lambda each: (each[0].value, each[1]))
