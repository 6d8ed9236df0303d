"""What is different between the rows of two artifacts of one kind. Pure.

Rows of an artifact may be doubles, so they are counted: a row is the same as often as both have it. Of the rest, two
of one key are a row that changed; the others are added or removed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from events.artifacts import ArtifactKind

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

    def add(self, kind: ArtifactKind, live: pa.Table | None, shadow: pa.Table | None) -> None:
        """Compare the rows of one shard; None where a side has none."""
        names = [set(table.schema.names) for table in (live, shadow) if table is not None]
        shared = sorted(set.intersection(*names)) if names else []
        self.columns = sorted({*self.columns, *(set.union(*names) - set(shared) if names else ())})
        before, after = _rows(live, shared), _rows(shadow, shared)
        self.live, self.shadow = self.live + before.total(), self.shadow + after.total()
        self.same += (before & after).total()
        key = [shared.index(name) for name in KEYS.get(kind, ()) if name in shared] or [*range(len(shared))]
        gone, new = _by_key(before - after, key), _by_key(after - before, key)
        for each in sorted({*gone, *new}, key=repr):
            olds, news = gone.get(each, []), new.get(each, [])
            both = min(len(olds), len(news))
            self.changed, self.removed, self.added = (
                self.changed + both,
                self.removed + len(olds) - both,
                self.added + len(news) - both,
            )
            self._show(shared, olds, news)

    def _show(self, names: list[str], olds: list[Row], news: list[Row]) -> None:
        for place in range(max(len(olds), len(news))):
            if len(self.examples) >= MOST:
                return
            before = _shown(names, olds[place]) if place < len(olds) else None
            after = _shown(names, news[place]) if place < len(news) else None
            self.examples.append({"before": before, "after": after})


def _rows(table: pa.Table | None, names: list[str]) -> Counter[Row]:
    if table is None:
        return Counter()
    columns = (table.column(name).to_pylist() for name in names)
    return Counter(tuple(map(_fixed, row)) for row in zip(*columns, strict=True))


def _fixed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _by_key(rows: Counter[Row], key: list[int]) -> dict[Row, list[Row]]:
    found: dict[Row, list[Row]] = defaultdict(list)
    for row in sorted(rows.elements(), key=repr):
        found[tuple(row[place] for place in key)].append(row)
    return found


def _shown(names: list[str], row: Row) -> dict[str, object]:
    return {name: _short(value) for name, value in zip(names, row, strict=True)}


def _short(value: object) -> object:
    if isinstance(value, tuple):
        return [_short(each) for each in value[:3]]
    return f"{value[:_LONGEST]}…" if isinstance(value, str) and len(value) > _LONGEST else value


def kinds_in(*sides: Iterable[tuple[ArtifactKind, int]]) -> list[tuple[ArtifactKind, int]]:
    """The kinds and shards that any side has, in their order."""
    return sorted({each for side in sides for each in side}, key=lambda each: (each[0].value, each[1]))
