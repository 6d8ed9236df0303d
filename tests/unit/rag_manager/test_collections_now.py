"""The state of all collections: each is counted once a minute, however many ask."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from events.base import LOCAL_TENANT
from events.index import GenerationKind
from rag_manager.collections_now import CollectionsNow
from rag_manager.former import FormerEmbedders
from rag_manager.rows import choosing, generations, sharing
from rag_manager.rows.generations import Generation
from runtime.faults import Transient
from tests.fakes.vectors import MemoryVectors


class CountedVectors(MemoryVectors):
    """How often it was asked how many each has. After `answers` of them it is silent."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: list[str] = []
        self.answers = 1_000
        self.built: list[Generation] = []

    async def count(self, collection: str) -> int:
        self.counts.append(collection)
        if len(self.counts) > self.answers:
            await asyncio.Event().wait()
        return await super().count(collection)


def a_generation(number: int) -> Generation:
    return Generation(
        generation_id=UUID(int=number),
        tenant_id=LOCAL_TENANT,
        analysis_id=UUID(int=number),
        kind=GenerationKind.FULL,
        state="built",
        model="words",
        chunks=2,
        vectors=2,
        collection=f"c{number}",
        artifacts=(),
    )


@pytest.fixture
async def vectors(monkeypatch: pytest.MonkeyPatch) -> CountedVectors:
    made, built = CountedVectors(), [a_generation(number) for number in range(20)]
    for each in built:
        await made.create(each.collection or "")
        await made.upsert(each.collection or "", ["a", "b"], np.eye(2, dtype=np.float32))

    async def all_of_them(*_: object) -> list[Generation]:
        return built

    async def none(*_: object) -> set[str]:
        return set()

    made.built = built
    monkeypatch.setattr(generations, "with_collections", all_of_them)
    monkeypatch.setattr(choosing, "of_other_models", none)
    monkeypatch.setattr(sharing, "shared", none)
    return made


def a_look(vectors: MemoryVectors, now: list[float]) -> CollectionsNow:
    backends: Any = SimpleNamespace(engine=None, vectors=vectors)
    return CollectionsNow(backends, "words", FormerEmbedders({}), clock=lambda: now[0])


async def test_of_many_who_ask_one_counts_and_again_after_a_minute(vectors: CountedVectors) -> None:
    now = [100.0]
    state = a_look(vectors, now)

    found = await asyncio.gather(*(state() for _ in range(10)))
    assert [(each.checked, each.wrong) for each in found] == [(20, 0)] * 10
    now[0] += 59
    await state()
    assert len(vectors.counts) == 20
    now[0] += 1
    await state()
    assert len(vectors.counts) == 40


async def test_one_that_another_began_to_live_in_is_counted_anew(vectors: CountedVectors) -> None:
    state = a_look(vectors, [0.0])
    await state()
    vectors.built[3] = replace(vectors.built[3], vectors=3)
    await vectors.upsert("c3", ["c"], np.zeros((1, 2), np.float32))

    assert (await state()).wrong == 0
    assert vectors.counts[20:] == ["c3"]


async def test_who_goes_leaves_what_was_counted_to_the_next(vectors: CountedVectors) -> None:
    state, vectors.answers = a_look(vectors, [0.0]), 12
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(state(), 0.5)
    assert len(vectors.counts) == 12 + 8, "eight are asked about side by side"
    vectors.answers = 1_000

    assert (await state()).wrong == 0
    assert len(vectors.counts) == 12 + 8 + 8


async def test_one_that_cannot_be_read_is_told_and_a_server_that_is_away_is_waited_for(vectors: CountedVectors) -> None:
    vectors.unreadable = {"c3"}
    del vectors.collections["c4"]
    found = await a_look(vectors, [0.0])()
    vectors.down = -1

    assert [(one.analysis_id.int, one.held) for one in found.damaged] == [(3, None), (4, None)]
    with pytest.raises(Transient, match="index_unavailable"):
        await a_look(vectors, [0.0])()


async def test_one_that_does_not_answer_in_time_is_not_said_to_be_damaged(vectors: CountedVectors) -> None:
    state, vectors.slow = a_look(vectors, [0.0]), {"c3"}
    with pytest.raises(Transient, match="index_unavailable"):
        await state()
    vectors.slow = set()

    assert (await state()).wrong == 0
