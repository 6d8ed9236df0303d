"""A write of vectors whose run was cancelled is over before what it wrote to is dropped, or listed to be purged."""

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from rag_manager.adapters.chroma import ChromaVectors
from rag_manager.ports import VectorsUnavailable

VECTORS = np.zeros((1, 2), np.float32)


class SlowCollection:
    """Writes when it is let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.written, self.did = list[str](), list[str]()

    def upsert(self, ids: list[str], **_vectors: object) -> None:
        self.begun.set()
        assert self.let.wait(10)
        self.written += ids
        self.did.append("write")

    def get(self, **_wanted: object) -> dict[str, list[str]]:
        return {"ids": list(self.written)}


@pytest.fixture
def collection() -> SlowCollection:
    return SlowCollection()


@pytest.fixture
def vectors(collection: SlowCollection, monkeypatch: pytest.MonkeyPatch) -> ChromaVectors:
    def found(_connection: object, _name: str) -> Any:
        return collection

    def drop(_connection: object, _name: str) -> None:
        collection.did.append("drop")

    monkeypatch.setattr("rag_manager.adapters.chroma._Connection._found", found)
    monkeypatch.setattr("rag_manager.adapters.chroma._Connection.drop", drop)
    return ChromaVectors("http://127.0.0.1:9")


async def cancelled_in_the_middle(vectors: ChromaVectors, collection: SlowCollection) -> None:
    writing = asyncio.create_task(vectors.upsert("kennel", ["dog"], VECTORS))
    await asyncio.to_thread(collection.begun.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(writing, 1.0)  # nobody who stops waits for a server
    assert collection.did == []


async def test_a_collection_is_dropped_after_the_write_that_nobody_waits_for(
    vectors: ChromaVectors, collection: SlowCollection
) -> None:
    await cancelled_in_the_middle(vectors, collection)

    dropping = asyncio.create_task(vectors.drop("kennel"))
    await asyncio.wait([dropping], timeout=0.2)
    assert not dropping.done()
    collection.let.set()
    await dropping

    assert collection.did == ["write", "drop"]


async def test_what_is_listed_has_the_write_that_nobody_waits_for(
    vectors: ChromaVectors, collection: SlowCollection
) -> None:
    await cancelled_in_the_middle(vectors, collection)

    listing = asyncio.create_task(vectors.ids("kennel"))
    await asyncio.wait([listing], timeout=0.2)
    collection.let.set()

    assert await listing == ["dog"]


async def test_another_collection_does_not_wait(vectors: ChromaVectors, collection: SlowCollection) -> None:
    await cancelled_in_the_middle(vectors, collection)

    await asyncio.wait_for(vectors.drop("stable"), 1.0)

    assert collection.did == ["drop"]
    collection.let.set()


async def test_a_write_says_what_the_server_says() -> None:
    with pytest.raises(VectorsUnavailable):
        await ChromaVectors("http://127.0.0.1:9", timeout=1.0).upsert("kennel", ["dog"], VECTORS)
