"""A collection that the server cannot read is made again where a generation is filled into it, and not waited for."""

from typing import Any

import numpy as np
import pytest

from events.artifacts import ArtifactKind, ArtifactRef
from rag_manager.jobs.fill_collection import Shards, fill
from rag_manager.jobs.vector_tables import vectors_table
from rag_manager.ports import CollectionUnreadable
from tests.fakes.vectors import MemoryVectors

IDS = [f"chunk {n}" for n in range(40)]
MATRIX = np.eye(40, dtype=np.float32)


class Stored:
    """One artifact, of all the vectors."""

    async def get(self, *_: object) -> bytes:
        return vectors_table(IDS, IDS, dict(zip(IDS, MATRIX, strict=True)), "a model", len(IDS))


@pytest.fixture
async def shards() -> Shards:
    objects: Any = Stored()
    ref = ArtifactRef(kind=ArtifactKind.VECTORS, key="v", sha256="f" * 64, rows=len(IDS), bytes=1, shard=0)
    made = Shards(objects, [ref])
    await made.read()
    return made


async def held(count: int) -> MemoryVectors:
    vectors = MemoryVectors()
    await vectors.create("c")
    await vectors.upsert("c", IDS[:count], MATRIX[:count])
    vectors.written.clear()
    return vectors


@pytest.mark.parametrize("count", [20, 40], ids=["a part of it", "all of it"])
async def test_what_is_there_and_cannot_be_read_is_made_again(shards: Shards, count: int) -> None:
    vectors = await held(count)
    vectors.broken = {"c"}

    assert await fill(vectors, "c", shards) == 40

    assert vectors.collections["c"].keys() == set(IDS)
    assert set(vectors.written[:40]) == set(IDS)
    assert (await vectors.query("c", MATRIX[3], 1))[0][0] == IDS[3]


class LosesIt(MemoryVectors):
    """The collection goes while its ids are asked for."""

    async def ids(self, collection: str) -> list[str]:
        await self.drop(collection)
        return await super().ids(collection)


async def test_a_collection_that_goes_while_it_is_looked_at_is_made_again(shards: Shards) -> None:
    vectors = LosesIt()
    vectors.collections = (await held(20)).collections

    assert await fill(vectors, "c", shards) == 40

    assert vectors.collections["c"].keys() == set(IDS)


class StaysBroken(MemoryVectors):
    """The server answers with an error whenever something is written."""

    async def create(self, collection: str) -> None:
        await super().create(collection)
        self.broken.add(collection)


async def test_what_cannot_be_written_either_is_said_to_be_so(shards: Shards) -> None:
    with pytest.raises(CollectionUnreadable):
        await fill(StaysBroken(), "c", shards)
