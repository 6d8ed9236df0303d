"""Lines of a file at the analysed commit, from the artifacts that the clone stage wrote."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from events.artifacts import ArtifactKind, ArtifactRef
from runtime.notebook_cells import SUFFIX, Cell, cells_of, within
from runtime.objects import Objects
from runtime.parquet import read_table

_KEPT = 4  # tables in memory: a shard is some ten megabytes of text
_TREE = ("path", "shard", "skipped")
_SOURCE = ("path", "language", "content")


@dataclass(frozen=True)
class Lines:
    """Lines of a file, 1-based and inclusive; `line_count` is the whole file's, `cells` theirs of a notebook."""

    language: str | None
    first_line: int
    last_line: int
    line_count: int
    text: str
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class NoLines:
    """Why there are none: the reason that the file was skipped for, or None where it is not in the tree."""

    skipped: str | None


def cut_lines(content: str, language: str | None, first: int, last: int) -> Lines:
    """The lines of `content` from `first` to `last`, as far as they exist. Lines end with LF, as the parser counts."""
    lines = content.split("\n")
    if lines[-1] == "":
        lines.pop()
    begin = min(max(1, first), max(1, len(lines)))
    end = max(begin - 1, min(last, len(lines)))
    return Lines(language, begin, end, len(lines), "\n".join(lines[begin - 1 : end]))


class Sources:
    """Reads files; keeps the shards that were read last."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._tables: OrderedDict[str, pa.Table] = OrderedDict()

    async def lines(self, artifacts: tuple[ArtifactRef, ...], path: str, first: int, last: int) -> Lines | NoLines:
        """Lines of the file at `path`. `artifacts` are the clone's. Raises Permanent for an artifact that is gone."""
        tree = next((ref for ref in artifacts if ref.kind is ArtifactKind.TREE), None)
        if tree is None:
            return NoLines(None)
        entry = await self._find(tree, _TREE, path)
        if entry is None or entry["shard"] is None:
            return NoLines(None if entry is None else entry["skipped"] or "not_indexed")
        shard = next((r for r in artifacts if r.kind is ArtifactKind.SOURCES and r.shard == entry["shard"]), None)
        source = await self._find(shard, _SOURCE, path) if shard is not None else None
        if source is None:
            return NoLines(None)
        found = cut_lines(source["content"], source["language"], first, last)
        if not path.endswith(SUFFIX):
            return found
        cells = await asyncio.to_thread(cells_of, source["content"])
        return replace(found, cells=tuple(within(cells, found.first_line, found.last_line)))

    def forget(self) -> None:
        """Let go of all shards: one of them may be of what was deleted."""
        self._tables.clear()

    async def _find(self, ref: ArtifactRef, columns: tuple[str, ...], path: str) -> dict[str, Any] | None:
        table = await self._table(ref, columns)
        found = await asyncio.to_thread(lambda: table.filter(pc.equal(table["path"], path)).to_pylist())
        return found[0] if found else None  # Any: a row of either table

    async def _table(self, ref: ArtifactRef, columns: tuple[str, ...]) -> pa.Table:
        if ref.key in self._tables:
            self._tables.move_to_end(ref.key)
            return self._tables[ref.key]
        content = await self._objects.get(ref.key, ref.sha256)
        table = await asyncio.to_thread(read_table, content, columns)
        self._tables[ref.key] = table
        while len(self._tables) > _KEPT:
            self._tables.popitem(last=False)
        return table
