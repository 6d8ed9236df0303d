"""Let a generation live in the collection of the one before it: only what changed is written.

Both have it from then on. A search knows which ids are its own (`Search`); what only the older one had is removed once
that is retired or erased. Where more than a fifth changed, or the collection is not what it should be, the generation
gets a collection of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rag_manager.jobs.base import Backends
from rag_manager.jobs.fill_collection import MOST_HELD, Patience, Shards, Told, missing
from rag_manager.ports import CollectionMissing, Vectors
from rag_manager.rows import sharing
from rag_manager.rows.generations import Generation
from runtime.faults import Permanent

_MOST_FOREIGN = 0.2  # of the vectors may be another's: each search asks for so many more
_SMALL = 200  # vectors: below that nothing is worth the trouble of building anew


@dataclass(frozen=True)
class Extension:
    """What is to be written into `collection` for a generation of `count` vectors; `base` has the rest there.

    `chunks` counts those without a vector too.
    """

    base: UUID
    collection: str
    fresh: Shards
    count: int
    chunks: int
    model: str
    dimension: int | None

    @property
    def written(self) -> int:
        """How many vectors are to be written."""
        return self.fresh.count


async def plan_extension(backends: Backends, repository_id: UUID, generation: Generation) -> Extension | None:
    """How to live in the collection of an earlier generation of the repository; None where that is not worth it.

    That is the one to which something is added, else the newest of another analysis. Raises VectorsUnavailable.
    """
    refs = generation.artifacts
    base = await sharing.newest_built(backends.engine, repository_id, generation)
    if base is None:
        return None
    known, wanted = {ref.sha256 for ref in base.artifacts}, {ref.sha256 for ref in refs}
    fresh = Shards(backends.objects, [ref for ref in refs if ref.sha256 not in known])
    gone = Shards(backends.objects, [ref for ref in base.artifacts if ref.sha256 not in wanted])
    if max(fresh.rows, gone.rows) > MOST_HELD:
        return None
    try:
        await fresh.read()
        await gone.read()
        held = await backends.vectors.count(base.collection)
    except (Permanent, CollectionMissing):
        return None
    if fresh.model not in {"", base.model} or fresh.count > max(_SMALL, base.vectors // 2):
        return None
    count = base.vectors - gone.count + fresh.count
    foreign = held + len(await fresh.ids() - await gone.ids()) - count
    if held < base.vectors or foreign > max(_SMALL, count * _MOST_FOREIGN):
        return None
    await fresh.without(gone)
    chunks = base.chunks - gone.chunks + fresh.chunks
    return Extension(base.generation_id, base.collection, fresh, count, chunks, base.model, base.dimension)


async def extend(backends: Backends, extension: Extension, *, told: Told, patiently: Patience) -> bool:
    """Write what is missing; whether the collection has all of the generation now."""
    vectors, done = backends.vectors, 0
    try:
        async for ids, matrix in extension.fresh.batches():
            await patiently(partial(vectors.upsert, extension.collection, ids, matrix))
            done += len(ids)
            await told(done, extension.written)
        found = await patiently(partial(_all_found, vectors, extension.collection, extension.fresh.probes))
        held = await patiently(partial(vectors.count, extension.collection))
    except CollectionMissing:
        return False
    return found and held >= extension.count


async def _all_found(vectors: Vectors, collection: str, probes: Sequence[tuple[str, NDArray[np.float32]]]) -> bool:
    """Whether each probe finds itself, where needed after it was put in anew.

    A vector that comes late into a graph of near-duplicates may be in it without a way to it; what changed is what
    people ask about next, so that none may be lost.
    """
    for chunk_id, vector in await missing(vectors, collection, probes):
        await vectors.remove(collection, [chunk_id])
        await vectors.upsert(collection, [chunk_id], vector[np.newaxis])
    return not await missing(vectors, collection, probes)


async def purge(backends: Backends, collection: str) -> None:
    """Remove from a collection what none of the generations has that live in it.

    Raises VectorsUnavailable; a fault where their vectors cannot be read: then nothing is removed.
    """
    try:
        there = set(await backends.vectors.ids(collection))
    except CollectionMissing:
        return
    # Rows after ids: whoever wrote one of those ids has had its row before.
    for artifacts in await sharing.living_in(backends.engine, collection):
        shards = Shards(backends.objects, artifacts)
        there -= await shards.ids()
    await backends.vectors.remove(collection, sorted(there))


async def drop_or_purge(backends: Backends, collection: str) -> None:
    """Let go of a collection that generations had which are gone: of all of it, or of what only they had.

    Of all of it also where nobody can tell any more what the others have.
    """
    if await sharing.living_in(backends.engine, collection):
        try:
            await purge(backends, collection)
        except Permanent:
            await backends.vectors.drop(collection)
    else:
        await backends.vectors.drop(collection)
