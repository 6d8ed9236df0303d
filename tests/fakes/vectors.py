"""`ports.Vectors` in memory, searched exactly, that can be taken down."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag_manager.ports import CollectionMissing, CollectionUnreadable, VectorsUnavailable


class MemoryVectors:
    """`down` is for how many calls (or for ever, -1) it does not answer; `collections` is what it holds,
    `written` the ids in the order in which they came.

    Of the collections in `unreadable`, and of those that are `slow`, it can tell the names, and drop them; those that
    are `broken` it can count and read, and dropping one mends it.
    """

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, NDArray[np.float32]]] = {}
        self.down = 0
        self.unreadable: set[str] = set()
        self.slow: set[str] = set()
        self.broken: set[str] = set()
        self.upserts = 0
        self.written: list[str] = []

    async def create(self, collection: str) -> None:
        self._answer()
        self.collections.setdefault(collection, {})

    async def upsert(self, collection: str, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._answer()
        self._look_into(collection)
        self.upserts += 1
        self.written += ids
        self._found(collection).update(zip(ids, vectors, strict=True))

    async def count(self, collection: str) -> int:
        self._answer()
        return len(self._found(collection))

    async def query(
        self, collection: str, vector: NDArray[np.float32], limit: int, *, among: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        self._answer()
        self._look_into(collection)
        held = self._found(collection)
        chosen = held if among is None else {key: held[key] for key in among if key in held}
        distances = [(key, float(1 - each @ vector)) for key, each in chosen.items()]
        return sorted(distances, key=lambda item: item[1])[:limit]

    async def ids(self, collection: str) -> list[str]:
        self._answer()
        return list(self._found(collection))

    async def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        self._answer()
        held = self._found(collection)
        found = [each for each in ids if each in held]
        return found, np.array([held[each] for each in found], np.float32)

    async def remove(self, collection: str, ids: Sequence[str]) -> None:
        self._answer()
        for each in ids:
            self._found(collection).pop(each, None)

    async def drop(self, collection: str) -> None:
        self._answer()
        self.broken.discard(collection)
        self.collections.pop(collection, None)

    async def names(self) -> list[str]:
        self._answer()
        return list(self.collections)

    async def close(self) -> None:
        return

    def _answer(self) -> None:
        if self.down:
            self.down -= 1
            raise VectorsUnavailable("it is down")

    def _look_into(self, collection: str) -> None:
        if collection in self.broken:
            raise CollectionUnreadable("its graph of neighbours is damaged")

    def _found(self, collection: str) -> dict[str, NDArray[np.float32]]:
        if collection in self.unreadable:
            raise CollectionUnreadable("it answers 500 of this collection")
        if collection in self.slow:
            raise VectorsUnavailable("it does not answer in ten seconds")
        if collection not in self.collections:
            raise CollectionMissing(collection)
        return self.collections[collection]
