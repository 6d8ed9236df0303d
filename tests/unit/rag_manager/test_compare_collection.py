"""A collection is compared with the stored vectors by every id and every number, and each way to differ is counted."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from events.collection import Comparison
from rag_manager.jobs.compare_collection import ROUNDING, compare
from rag_manager.jobs.fill_collection import Shards, has_enough
from tests.fakes.vectors import MemoryVectors

COUNT = 40
RANDOM = np.random.default_rng(7)
MATRIX = RANDOM.standard_normal((COUNT, 8)).astype(np.float32)
IDS = [f"chunk-{number}" for number in range(COUNT)]


def stored(ids: list[str] = IDS) -> Shards:
    """What the artifacts of a generation have."""
    nowhere: Any = None  # everything is held: no artifact is read
    shards = Shards(nowhere, ())
    shards._held, shards.count = [(ids, MATRIX[: len(ids)])], len(ids)
    return shards


async def a_collection(**changes: Any) -> MemoryVectors:
    vectors = MemoryVectors()
    await vectors.create("c")
    await vectors.upsert("c", IDS, MATRIX)
    vectors.collections["c"].update(changes)
    return vectors


async def test_what_was_written_agrees_up_to_rounding() -> None:
    vectors = await a_collection(**{IDS[3]: MATRIX[3] + np.float32(ROUNDING / 3)})

    found = await compare(vectors, "c", stored())

    assert found.agrees
    assert (found.vectors, found.held) == (COUNT, COUNT)
    assert found.checksum == found.held_checksum != f"{0:016x}"


@given(
    missing=st.sets(st.sampled_from(range(20))),
    different=st.sets(st.sampled_from(range(20, COUNT))),
    extra=st.integers(0, 5),
)
async def test_each_way_to_differ_is_counted(missing: set[int], different: set[int], extra: int) -> None:
    vectors = await a_collection(**{f"a stranger {number}": MATRIX[0] for number in range(extra)})
    for number in missing:
        await vectors.remove("c", [IDS[number]])
    for number in different:
        vectors.collections["c"][IDS[number]] = MATRIX[number] + np.float32(100 * ROUNDING)

    found = await compare(vectors, "c", stored())

    assert (found.missing, found.different, found.extra) == (len(missing), len(different), extra)
    assert found.held == COUNT - len(missing) + extra
    assert found.agrees is not bool(missing or different or extra)
    assert (found.checksum == found.held_checksum) is not bool(missing or different)


async def test_what_others_have_in_the_collection_is_not_nobodys() -> None:
    vectors = await a_collection(theirs=MATRIX[0], nobodys=MATRIX[1])

    assert (await compare(vectors, "c", stored(), [stored(["theirs"])])).extra == 1


async def test_a_collection_that_is_not_there_misses_everything() -> None:
    found = await compare(MemoryVectors(), "c", stored())

    assert found == Comparison(
        vectors=COUNT,
        held=None,
        missing=COUNT,
        extra=0,
        different=0,
        checksum=(await compare(await a_collection(), "c", stored())).checksum,
        held_checksum=f"{0:016x}",
    )
    assert not found.agrees


async def test_vectors_of_another_length_are_different() -> None:
    vectors = MemoryVectors()
    await vectors.create("c")
    await vectors.upsert("c", IDS, MATRIX[:, :4])

    assert (await compare(vectors, "c", stored())).different == COUNT


def test_a_shared_collection_may_have_more_than_one_generation_needs() -> None:
    assert has_enough(5, 5, shared=False)
    assert not has_enough(6, 5, shared=False)
    assert has_enough(6, 5, shared=True)
    assert not any(has_enough(held, 5, shared=True) for held in (4, None))
