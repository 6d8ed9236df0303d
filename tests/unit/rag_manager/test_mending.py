"""Only what is missing, or what the vector server cannot read, is built again: being slow is no damage."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from chromadb.errors import InternalError, RateLimitError

from rag_manager.adapters import chroma
from rag_manager.housekeeping import Graces, Housekeeping
from rag_manager.ports import CollectionUnreadable, VectorsUnavailable
from rag_manager.rows import generations, sharing
from rag_manager.rows.generations import Generation
from tests.fakes.vectors import MemoryVectors
from tests.unit.rag_manager.test_collections_now import a_generation


class Asked:
    """Notes what it is asked to build again."""

    def __init__(self) -> None:
        self.mended: list[UUID] = []

    async def mend(self, generation: Generation) -> bool:
        self.mended.append(generation.generation_id)
        return True


@pytest.fixture
async def vectors(monkeypatch: pytest.MonkeyPatch) -> MemoryVectors:
    made, built = MemoryVectors(), [a_generation(number) for number in range(4)]
    for each in built:
        await made.create(each.collection or "")
        await made.upsert(each.collection or "", ["a", "b"], np.eye(2, dtype=np.float32))

    async def all_of_them(_engine: object) -> list[Generation]:
        return built

    async def none(_engine: object) -> set[str]:
        return set()

    monkeypatch.setattr(generations, "with_collections", all_of_them)
    monkeypatch.setattr(sharing, "shared", none)
    return made


async def test_a_collection_that_is_slow_is_left_and_one_that_cannot_be_read_is_built_again(
    vectors: MemoryVectors,
) -> None:
    vectors.slow, vectors.unreadable = {"c1"}, {"c2"}
    backends: Any = SimpleNamespace(engine=None, vectors=vectors, objects=None)
    rebuilding: Any = Asked()

    mended = await Housekeeping(backends, rebuilding, Graces(0, 0, 0)).mend()

    assert mended == rebuilding.mended == [UUID(int=2)]


async def test_what_is_let_go_or_shared_while_it_is_looked_at_has_lost_nothing(
    vectors: MemoryVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = await generations.with_collections(None)  # type: ignore[arg-type]  # the fixture's own
    joined = built[1].collection or ""
    looks = 0

    async def before_and_after(_engine: object) -> list[Generation]:
        nonlocal looks
        looks += 1
        if looks == 1:
            await vectors.drop(built[0].collection or "")  # retired, and dropped by the janitor
            await vectors.upsert(joined, ["c"], np.ones((1, 2), dtype=np.float32))  # another's, which lives in it now
            await vectors.drop(built[2].collection or "")
            return built
        return built[1:]

    async def by_then(_engine: object) -> set[str]:
        return {joined} if looks else set()

    monkeypatch.setattr(generations, "with_collections", before_and_after)
    monkeypatch.setattr(sharing, "shared", by_then)
    backends: Any = SimpleNamespace(engine=None, vectors=vectors, objects=None)
    rebuilding: Any = Asked()

    mended = await Housekeeping(backends, rebuilding, Graces(0, 0, 0)).mend()

    assert mended == rebuilding.mended == [UUID(int=2)], "the one that lost its collection, and is in use"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (InternalError("hnsw: no such file"), CollectionUnreadable),
        (RateLimitError("later"), VectorsUnavailable),
        (httpx.ReadTimeout("after 10 s"), VectorsUnavailable),
    ],
)
def test_an_error_that_the_server_answers_is_told_apart_from_its_silence(
    error: Exception, fault: type[Exception]
) -> None:
    def asked() -> None:
        raise error

    with pytest.raises(VectorsUnavailable) as raised:
        chroma._translated(asked)

    assert type(raised.value) is fault
