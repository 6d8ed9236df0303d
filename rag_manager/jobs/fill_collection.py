"""Make the collection of a generation out of its `vectors` artifacts, and prove that it answers.

Used to activate a generation, and to bring one back that the vector server lost: nothing is embedded again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from events.artifacts import ArtifactRef
from rag_manager.jobs.base import tables
from rag_manager.jobs.embed_shard import MODEL_KEY, vectors_of
from rag_manager.ports import CollectionMissing, Vectors, VectorsUnavailable
from runtime.faults import Permanent
from runtime.objects import Objects

PROBES = 16  # vectors that must find themselves
_NEAR = 1e-3  # cosine distance: the same vector, but for rounding
_ATTEMPTS = 2

Told = Callable[[int, int], Awaitable[None]]


class Shards:
    """The vectors of a generation, shard by shard: each id once, vectors of length zero left out."""

    def __init__(self, objects: Objects, refs: Sequence[ArtifactRef]) -> None:
        self._objects = objects
        self._refs = refs
        self.model = ""
        self.dimension = 0
        self.count = 0
        self.probes: list[tuple[str, NDArray[np.float32]]] = []
        self.content: list[tuple[list[str], NDArray[np.float32]]] = []

    async def read(self) -> None:
        """Fetch all shards and set everything else. Raises Permanent where models are mixed."""
        shards = []
        seen: set[str] = set()
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
            rows = [row for row in np.flatnonzero(np.linalg.norm(matrix, axis=1) > 0.5) if ids[row] not in seen]
            kept = list({ids[row]: row for row in reversed(rows)}.items())[::-1]
            seen.update(chunk_id for chunk_id, _ in kept)
            shards.append(([chunk_id for chunk_id, _ in kept], matrix[[row for _, row in kept]]))
        self.count = len(seen)
        self.content = shards
        self._choose_probes(shards)

    def _choose_probes(self, shards: Sequence[tuple[list[str], NDArray[np.float32]]]) -> None:
        every = max(1, self.count // PROBES)
        place = 0
        for ids, matrix in shards:
            for row, chunk_id in enumerate(ids):
                if place % every == 0:
                    self.probes.append((chunk_id, matrix[row]))
                place += 1


async def fill(vectors: Vectors, collection: str, shards: Shards, *, told: Told | None = None) -> int:
    """Return how many vectors the collection holds, all of them proved to be there.

    What an interrupted run left is used if it is whole, else it is dropped and made again: that is faster than writing
    over it. `shards` must have been read. Raises VectorsUnavailable where the server is down, or the collection does
    not come out right.
    """
    for _ in range(_ATTEMPTS):
        if await is_whole(vectors, collection, shards.count, shards.probes):
            return shards.count
        await vectors.drop(collection)
        await vectors.create(collection)
        done = 0
        for ids, matrix in shards.content:
            await vectors.upsert(collection, ids, matrix)
            done += len(ids)
            if told is not None:
                await told(done, shards.count)
    if await is_whole(vectors, collection, shards.count, shards.probes):
        return shards.count
    raise VectorsUnavailable("the collection does not answer with what was written to it")


async def is_whole(
    vectors: Vectors, collection: str, count: int, probes: Sequence[tuple[str, NDArray[np.float32]]]
) -> bool:
    """Whether the collection has exactly `count` vectors and each probe finds itself. Raises VectorsUnavailable."""
    try:
        if await vectors.count(collection) != count:
            return False
        answers = await asyncio.gather(*(vectors.query(collection, vector, 5) for _, vector in probes[: PROBES * 2]))
    except CollectionMissing:
        return False
    return all(
        any(found == chunk_id or distance < _NEAR for found, distance in answer)
        for (chunk_id, _), answer in zip(probes, answers, strict=False)
    )
