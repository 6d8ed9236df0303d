"""Make the collection of a generation out of its `vectors` artifacts, and prove that it answers.

Used to activate a generation, and to bring one back that the vector server lost: nothing is embedded again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from events.artifacts import ArtifactRef
from rag_manager.jobs.base import tables
from rag_manager.jobs.vector_tables import MODEL_KEY, vectors_of
from rag_manager.ports import CollectionMissing, CollectionUnreadable, Vectors, VectorsUnavailable
from runtime.faults import Permanent
from runtime.objects import Objects

logger = logging.getLogger(__name__)

PROBES = 16  # vectors that must find themselves
NEIGHBOURS = 10  # among which a probe must be
MISSED_SHARE = 0.25  # of the probes may be passed over
_NEAR = 1e-3  # cosine distance: the same vector, but for rounding
_ATTEMPTS = 2

BATCH = 500  # vectors written at a time: a second's work for a busy server
MOST_HELD = 50_000  # vectors that are kept in memory between two looks at them: fifty megabytes

Piece = tuple[list[str], NDArray[np.float32]]

Reply = TypeVar("Reply")
Call = Callable[[], Awaitable[Reply]]
Told = Callable[[int, int], Awaitable[None]]


class Patience(Protocol):
    """How long a call to the vector server is tried again while it is away."""

    async def __call__(self, call: Call[Reply]) -> Reply:
        """Return the call's reply. Raises VectorsUnavailable where it gives up."""
        ...


class Shards:
    """The vectors of a generation, shard by shard: each id of a shard once, vectors of length zero left out.

    An id names its file, and a file is in one shard. Few are held once they are read; of many only numbers and
    probes are, and they are read again where they are written.
    """

    def __init__(self, objects: Objects, refs: Sequence[ArtifactRef]) -> None:
        self._objects = objects
        self._refs = refs
        self._held: list[Piece] | None = None
        self.model = ""
        self.dimension = 0
        self.count = 0
        self.chunks = 0  # those of length zero too
        self.probes: list[tuple[str, NDArray[np.float32]]] = []

    @property
    def rows(self) -> int:
        """How many there are, by what the artifacts say of themselves."""
        return sum(ref.rows for ref in self._refs)

    async def read(self) -> None:
        """Fetch all shards and set everything else. Raises Permanent where models are mixed."""
        held: list[Piece] = []
        self.model, self.count, self.chunks, self.probes = "", 0, 0, []
        every = max(1, self.rows // PROBES)
        async for (ids, matrix), chunks in self._each():
            self.chunks += chunks
            self._choose_probes(ids, matrix, every)
            self.count += len(ids)
            if self.rows <= MOST_HELD:
                held.append((ids, matrix))
        self._held = held if self.rows <= MOST_HELD else None

    async def ids(self) -> set[str]:
        """The ids of what was read."""
        return {chunk_id async for ids, _ in self.each() for chunk_id in ids}

    async def without(self, other: "Shards") -> None:
        """Leave out of what is to be written the vectors that `other` has under the same id, to the last bit.

        The probes are chosen anew, among what is left, which is held.
        """
        known = {chunk_id: matrix[row] async for ids, matrix in other.each() for row, chunk_id in enumerate(ids)}
        kept: list[Piece] = []
        async for ids, matrix in self.each():
            rows = [n for n, one in enumerate(ids) if one not in known or not np.array_equal(known[one], matrix[n])]
            kept.append(([ids[row] for row in rows], matrix[rows]))
        self._held, self.count, self.probes = kept, 0, []
        every = max(1, sum(len(ids) for ids, _ in kept) // PROBES)
        for ids, matrix in kept:
            self._choose_probes(ids, matrix, every)
            self.count += len(ids)

    async def each(self) -> AsyncIterator[Piece]:
        """What was read, by shard: ids, and vectors of shape (ids, dimension)."""
        if self._held is None:
            async for piece, _ in self._each():
                yield piece
        for piece in self._held or ():
            yield piece

    async def batches(self) -> AsyncIterator[Piece]:
        """What was read, in pieces to be written."""
        async for ids, matrix in self.each():
            for start in range(0, len(ids), BATCH):
                yield ids[start : start + BATCH], matrix[start : start + BATCH]

    async def _each(self) -> AsyncIterator[tuple[Piece, int]]:
        """Each shard's piece, and how many chunks it is of."""
        async for _, table in tables(self._objects, self._refs, ("chunk_id", "vector")):
            model = (table.schema.metadata or {}).get(MODEL_KEY, b"").decode()
            if self.model and model != self.model:
                raise Permanent("mixed_models", "The vectors of this analysis come from two models: analyse it again.")
            self.model = model
            if not table.num_rows:
                continue
            self.dimension = len(table.column("vector")[0])
            matrix = vectors_of(table, self.dimension)
            ids = table.column("chunk_id").to_pylist()
            rows = np.flatnonzero(np.linalg.norm(matrix, axis=1) > 0.5)
            kept = list({ids[row]: row for row in reversed(rows)}.items())[::-1]
            yield ([chunk_id for chunk_id, _ in kept], matrix[[row for _, row in kept]]), len(set(ids))

    def _choose_probes(self, ids: Sequence[str], matrix: NDArray[np.float32], every: int) -> None:
        for row in range(-self.count % every, len(ids), every):
            if len(self.probes) < PROBES:
                self.probes.append((ids[row], matrix[row].copy()))


async def at_once(call: Call[Reply]) -> Reply:
    """Make a call, and let its failure through: the patience of whoever has none."""
    return await call()


async def fill(
    vectors: Vectors, collection: str, shards: Shards, *, told: Told | None = None, patiently: Patience = at_once
) -> int:
    """Return how many vectors the collection holds, all of them proved to be there.

    What is there already, written ahead or by an interrupted run, is completed; where that does not come out right, or
    the server cannot read it, all is made again. `shards` must have been read. Every call goes through `patiently`, so
    that an outage in the middle is waited out where it happened. Raises VectorsUnavailable where that gives up, or the
    collection does not come out right.
    """
    for attempt in range(_ATTEMPTS):
        try:
            if await _is_done(vectors, collection, shards, patiently):
                return shards.count
            there = set() if attempt else await patiently(partial(_left, vectors, collection, shards.count))
        except (CollectionMissing, CollectionUnreadable):
            there = set()
        try:
            await _write(vectors, collection, shards, there, told, patiently)
        except CollectionMissing:
            continue  # the server came back without it: from the beginning
        except CollectionUnreadable:
            if attempt + 1 == _ATTEMPTS:
                raise
    if await _is_done(vectors, collection, shards, patiently):
        return shards.count
    raise VectorsUnavailable("the collection does not answer with what was written to it")


async def _is_done(vectors: Vectors, collection: str, shards: Shards, patiently: Patience) -> bool:
    """Whether all is there and answers; it is settled then. Raises VectorsUnavailable."""
    whole = await patiently(partial(is_whole, vectors, collection, shards.count, shards.probes))
    if whole:
        await patiently(partial(_settle, vectors, collection, shards.probes[:1]))
    return whole


async def _write(  # what, where to, but for what is there
    vectors: Vectors, collection: str, shards: Shards, there: Collection[str], told: Told | None, patiently: Patience
) -> None:
    """Write what is not there yet; where nothing is, the collection is made again. Raises as `Vectors.upsert`."""
    if not there:
        await patiently(partial(vectors.drop, collection))
        await patiently(partial(vectors.create, collection))
    done = 0
    async for ids, matrix in shards.batches():
        rows = [row for row, chunk_id in enumerate(ids) if chunk_id not in there]
        if rows:
            await patiently(partial(vectors.upsert, collection, [ids[row] for row in rows], matrix[rows]))
        done += len(ids)
        if told is not None:
            await told(done, shards.count)


async def _left(vectors: Vectors, collection: str, count: int) -> set[str]:
    """The ids of what can be completed to `count` vectors; none where there are as many that do not answer, or more.

    Raises VectorsUnavailable, CollectionMissing.
    """
    try:
        held = await vectors.count(collection)
    except CollectionMissing:
        return set()
    return set(await vectors.ids(collection)) if 0 < held < count else set()


async def _settle(vectors: Vectors, collection: str, probes: Sequence[tuple[str, NDArray[np.float32]]]) -> None:
    """Write what is there once more: the first write after a search costs the server a second of processor time.

    It then brings its graph up to date, and is done with that before somebody waits for one changed file. Raises
    VectorsUnavailable.
    """
    with suppress(CollectionMissing):  # whoever searches it next says so, and it is built again
        for chunk_id, vector in probes:
            await vectors.upsert(collection, [chunk_id], vector[np.newaxis])


async def is_whole(
    vectors: Vectors,
    collection: str,
    count: int,
    probes: Sequence[tuple[str, NDArray[np.float32]]],
    *,
    shared: bool = False,
) -> bool:
    """Whether the collection has exactly `count` vectors (where it is `shared`: at least), and the probes find them.

    Raises VectorsUnavailable.
    """
    try:
        held = await vectors.count(collection)
        return has_enough(held, count, shared=shared) and await probes_find_themselves(vectors, collection, probes)
    except CollectionMissing:
        return False


def has_enough(held: int | None, count: int, *, shared: bool) -> bool:
    """Whether a collection that holds so many (None: it is not there) may have a generation of `count` vectors."""
    return held == count or (shared and held is not None and held > count)


async def probes_find_themselves(
    vectors: Vectors, collection: str, probes: Sequence[tuple[str, NDArray[np.float32]]]
) -> bool:
    """Whether most do. Raises VectorsUnavailable, CollectionMissing.

    Not all: the search is approximate, and among many near-duplicates it may pass one vector over. A broken index
    misses most of what it holds.
    """
    missed = await missing(vectors, collection, probes)
    if missed:
        logger.info("%s: %d of %d probes did not find themselves", collection, len(missed), len(probes))
    return len(missed) <= len(probes) * MISSED_SHARE


async def missing(
    vectors: Vectors, collection: str, probes: Sequence[tuple[str, NDArray[np.float32]]]
) -> list[tuple[str, NDArray[np.float32]]]:
    """Those that do not find themselves. Raises VectorsUnavailable, CollectionMissing."""
    answers = await asyncio.gather(*(vectors.query(collection, vector, NEIGHBOURS) for _, vector in probes))
    return [
        probe
        for probe, answer in zip(probes, answers, strict=True)
        if not any(found == probe[0] or distance < _NEAR for found, distance in answer)
    ]
