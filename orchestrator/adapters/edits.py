"""What is of other content in two analyses though it counts the same: passages of a file, the body of a definition.

Passages have their text in their id. Bodies are cut from the sources of those files whose content is another. What was
found last is kept, by the digests of what was compared: a list is asked for page by page.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar, cast

import pyarrow as pa
import pyarrow.compute as pc

from events.artifacts import ArtifactKind, ArtifactRef
from orchestrator.adapters.comparison import Name, compared_trees
from orchestrator.api.comparing_models import CountsView, DifferenceView
from runtime.objects import Objects
from runtime.parquet import read_table

_PASSAGE = ("path", "chunk_id")
_DEFINITION = ("path", "kind", "qualified_name", "first_byte", "last_byte")
_ENTRY = ("path", "blob_id", "size", "lines", "language", "skipped")
_KEPT = 6  # comparisons: a large one is some ten megabytes

Found = TypeVar("Found")
Digests = Mapping[Name, bytes]
Refs = tuple[ArtifactRef, ...]


def digests(said: Iterable[tuple[Name, str]]) -> Digests:
    """Of each name the digest of what is said of it, in any order. Pure."""
    by_name: dict[Name, list[str]] = defaultdict(list)
    for name, value in said:
        by_name[name].append(value)
    return {name: sha256("\n".join(sorted(values)).encode()).digest() for name, values in by_name.items()}


def edited(before: Digests, after: Digests) -> set[Name]:
    """The names that both have, with another digest. Pure."""
    return {name for name in before.keys() & after.keys() if before[name] != after[name]}


def bodies(definitions: Iterable[Mapping[str, Any]], content: Mapping[str, bytes]) -> Digests:
    """Of each definition (rows of SYMBOLS) in a file of `content`, by path, the digest of its text. Pure."""
    return digests(
        (
            (row["path"], row["kind"], row["qualified_name"]),
            sha256(content[row["path"]][row["first_byte"] : row["last_byte"]]).hexdigest(),
        )
        for row in definitions
        if row["path"] in content
    )


class Edits:
    """Reads the artifacts that two analyses do not share: in what both have, everything is the same.

    What it returns is kept, and not to be changed.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()  # Any: what each of the methods returns

    def forget(self) -> None:
        """Let go of what is kept: some of it may be of what was deleted."""
        self._kept.clear()

    async def files(self, before: Refs, after: Refs) -> tuple[list[DifferenceView], CountsView]:
        """The files that are different, and how many there are. Raises Permanent where an artifact is gone."""
        return await self._once(self._files, before, after)

    async def passages(self, before: Refs, after: Refs) -> set[Name]:
        """Files, by path, that both have passages of, but not the same. Raises as `files`."""
        return await self._once(self._passages, before, after)

    async def definitions(self, before: Refs, after: Refs) -> set[Name]:
        """Definitions, by path, kind and name, that both have, with another body. Raises as `files`."""
        return await self._once(self._definitions, before, after)

    async def _once(self, find: Callable[[Refs, Refs], Awaitable[Found]], before: Refs, after: Refs) -> Found:
        key = (find.__name__, tuple(ref.sha256 for ref in before), tuple(ref.sha256 for ref in after))
        if key in self._kept:
            self._kept.move_to_end(key)
            return cast("Found", self._kept[key])
        self._kept[key] = found = await find(before, after)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    async def _files(self, before: Refs, after: Refs) -> tuple[list[DifferenceView], CountsView]:
        trees = [
            await self._rows(tuple(ref for ref in refs if ref.kind is ArtifactKind.TREE), _ENTRY)
            for refs in (before, after)
        ]
        return await asyncio.to_thread(compared_trees, *trees)

    async def _passages(self, before: Refs, after: Refs) -> set[Name]:
        sides = [await self._rows(refs, _PASSAGE) for refs in _unshared(ArtifactKind.CHUNKS, before, after)]
        told = [digests(((row["path"],), row["chunk_id"]) for row in rows) for rows in sides]
        return edited(*told)

    async def _definitions(self, before: Refs, after: Refs) -> set[Name]:
        blobs = [
            {row["path"]: row["blob_id"] for row in await self._rows(refs, ("path", "blob_id"))}
            for refs in _unshared(ArtifactKind.TREE, before, after)
        ]
        changed = {path for path in blobs[0].keys() & blobs[1].keys() if blobs[0][path] != blobs[1][path]}
        told = []
        for side, sources in zip((before, after), _unshared(ArtifactKind.SOURCES, before, after), strict=True):
            files = await self._rows(sources, ("path", "content"), changed)
            content = {row["path"]: row["content"].encode() for row in files}
            shards = {ref.shard for ref in sources}  # their symbols may be shared: an edit that is as long moves none
            symbols = tuple(ref for ref in side if ref.kind is ArtifactKind.SYMBOLS and ref.shard in shards)
            told.append(bodies(await self._rows(symbols, _DEFINITION, changed), content))
        return edited(*told)

    async def _rows(
        self, refs: Refs, columns: Sequence[str], paths: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """The rows of some artifacts, one artifact after the other; those of some paths where they are given."""
        found = []
        for ref in refs if paths is None or paths else ():
            content = await self._objects.get(ref.key, ref.sha256)
            found += await asyncio.to_thread(_read, content, columns, paths)
        return found


def _unshared(kind: ArtifactKind, before: Refs, after: Refs) -> tuple[Refs, Refs]:
    """The artifacts of one kind that only one side has, of each."""
    sides = [{ref.sha256: ref for ref in refs if ref.kind is kind} for refs in (before, after)]
    return tuple(sides[0][sha] for sha in sides[0].keys() - sides[1].keys()), tuple(
        sides[1][sha] for sha in sides[1].keys() - sides[0].keys()
    )


def _read(content: bytes, columns: Sequence[str], paths: Collection[str] | None) -> list[dict[str, Any]]:
    table = read_table(content, columns)
    if paths is not None:
        table = table.filter(pc.is_in(table["path"], value_set=pa.array(sorted(paths), pa.large_string())))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
