"""Compare a collection with the stored vectors of its generation: every id, and every number up to rounding.

In:  the vectors of the generation, and of whoever else lives in its collection.
Out: how many are missing, different or nobody's, and a checksum of both sides.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from events.collection import Comparison
from rag_manager.jobs.fill_collection import Shards
from rag_manager.ports import CollectionMissing, Vectors
from runtime.faults import Permanent

ROUNDING = 1e-5  # of one number: the server brings vectors to length one once more
_MODULUS = 1 << 64


@dataclass
class _Found:
    """What was seen so far. Checksums are sums over all vectors, so that their order does not matter."""

    own: set[str] = field(default_factory=set)
    missing: int = 0
    different: int = 0
    checksum: int = 0
    held_checksum: int = 0

    def add(self, ids: Sequence[str], matrix: NDArray[np.float32], held: Mapping[str, NDArray[np.float32]]) -> None:
        """Take one piece of what should be there, and what is there of it."""
        self.own.update(ids)
        for chunk_id, vector in zip(ids, matrix, strict=True):
            expected = _digest(chunk_id, vector)
            self.checksum = (self.checksum + expected) % _MODULUS
            there = held.get(chunk_id)
            if there is None:
                self.missing += 1
                continue
            same = there.shape == vector.shape and bool(np.abs(there - vector).max() <= ROUNDING)
            self.different += not same
            self.held_checksum = (self.held_checksum + (expected if same else _digest(chunk_id, there))) % _MODULUS


async def compare(vectors: Vectors, collection: str, shards: Shards, others: Iterable[Shards] = ()) -> Comparison:
    """Return how the collection differs from `shards`, which must have been read. Raises VectorsUnavailable."""
    found = _Found()
    try:
        there: set[str] | None = set(await vectors.ids(collection))
    except CollectionMissing:
        there = None
    async for ids, matrix in shards.batches():
        held = {} if there is None else await _held(vectors, collection, ids)
        await asyncio.to_thread(found.add, ids, matrix, held)
    extra = (there or set()) - found.own
    for other in others if extra else ():
        with suppress(Permanent):  # then what is its alone counts as nobody's
            extra -= await other.ids()
    return _told(found, shards, None if there is None else len(there), len(extra))


async def unread(shards: Shards) -> Comparison:
    """What is said of a collection that cannot be read: that nothing of `shards` is there."""
    found = _Found()
    async for ids, matrix in shards.batches():
        await asyncio.to_thread(found.add, ids, matrix, {})
    return _told(found, shards, None, 0)


def _told(found: _Found, shards: Shards, held: int | None, extra: int) -> Comparison:
    return Comparison(
        vectors=shards.count,
        held=held,
        missing=found.missing,
        extra=extra,
        different=found.different,
        checksum=f"{found.checksum:016x}",
        held_checksum=f"{found.held_checksum:016x}",
    )


async def _held(vectors: Vectors, collection: str, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    try:
        found, matrix = await vectors.get(collection, ids)
    except CollectionMissing:  # it went while it was looked at
        return {}
    return dict(zip(found, matrix, strict=True))


def _digest(chunk_id: str, vector: NDArray[np.float32]) -> int:
    said = chunk_id.encode() + b"\0" + np.ascontiguousarray(vector, np.float32).tobytes()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest())
