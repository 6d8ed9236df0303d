"""A second analysis lives in the collection of the first: only what changed is written, and what is gone is removed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from events.base import LOCAL_TENANT, Envelope, derived_id
from events.index import GenerationKind
from events.log.earlier import EarlierRun, EarlierRuns
from events.processing import Stage, StageCompleted
from rag_manager.dense_search import DENSE_DEPTH
from rag_manager.jobs.erase_analysis import EraseAnalysis
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, AnAnalysis, ARun, Index, an_index
from tests.support.jobs import said

FILES = {
    f"src/part{number}.py": f"def part_{number}():\n    walk()\n\ndef other_{number}():\n    ..."
    for number in range(12)
}
CHANGED = {**FILES, "src/part3.py": "def part_3():\n    swim()\n\ndef other_3():\n    ..."}


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        for name in await made.backends.vectors.names():  # of other tests, by the same names
            await made.backends.vectors.drop(name)
        yield made


async def collections(index: Index) -> dict[str, str | None]:
    query = "SELECT jsonb_object_agg(analysis_id::text, collection) FROM rag.generations WHERE kind = 'quick'"
    found: dict[str, str | None] = await index.kernel.one(query)
    return found


async def second(index: Index, files: dict[str, str], *, number: int = 2) -> tuple[AnAnalysis, StageCompleted]:
    analysis = await index.analysis(files, number=number, shards=4)
    await index.index(analysis)
    await index.embed(analysis)
    return analysis, said(await index.activate(analysis), StageCompleted)


async def test_only_what_changed_is_written_and_both_are_searched_for_what_they_have(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    analysis, activated = await second(index, CHANGED)
    used = await collections(index)
    [shared] = set(used.values())
    new = await index.ask("where do we swim")
    old = await index.ask("where do we walk", analysis_id=first.id)

    assert shared is not None
    assert activated.counts["vectors"] == 24
    assert activated.counts["vectors_reused"] == 23
    assert await index.backends.vectors.count(shared) == 25
    assert (new.analysis_id, new.passages[0].path, new.degraded) == (analysis.id, "src/part3.py", None)
    assert new.passages[0].ranks["dense"] == 1
    assert "src/part3.py" in {passage.path for passage in old.passages}
    assert all("swim" not in passage.text for passage in old.passages)


class Runs(EarlierRuns):
    """What the log says of requests, and what a test says of runs."""

    def __init__(self, index: Index, runs: tuple[EarlierRun, ...]) -> None:
        super().__init__(index.kernel.engine)
        self.runs = runs

    async def of(self, _envelope: Envelope, *_stages: Stage) -> tuple[EarlierRun, ...]:
        return self.runs


async def test_a_shard_that_is_taken_over_takes_the_others_along(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    embedded = first.vectors[GenerationKind.QUICK]
    runs = tuple(EarlierRun(first.stream, Stage.EMBED, ref.shard, (ref,), files=3) for ref in embedded)
    index = replace(index, backends=replace(index.backends, earlier=Runs(index, runs)))
    analysis = await index.analysis(CHANGED, number=2, shards=4)
    asked = [await index.request(analysis, Stage.EMBED, [ref], shard=n) for n, ref in enumerate(analysis.chunks)]
    await index.kernel.carry()
    before = {ref.shard: ref.sha256 for ref in embedded}

    result = await index.handle(asked[0])
    ended = [*result.appends, *(each.append for each in result.also)]
    completed = [draft.event for append in ended for draft in append.drafts if isinstance(draft.event, StageCompleted)]

    assert sorted(event.shard for event in completed) == [0, 1, 2]  # part3 is in the last one
    assert {ref.shard: ref.sha256 for event in completed for ref in event.artifacts} == {n: before[n] for n in range(3)}
    assert all(event.counts["embedded"] == 0 for event in completed)


async def test_what_only_the_older_one_had_goes_when_that_is_retired(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    analysis, _ = await second(index, CHANGED)

    await index.housekeeping().sweep()
    used = await collections(index)

    assert used[str(first.id)] is None
    assert await index.backends.vectors.count(str(used[str(analysis.id)])) == 24
    assert await index.housekeeping().mend() == []
    assert (await index.ask("where do we swim")).passages[0].ranks["dense"] == 1


async def test_an_erased_analysis_leaves_nothing_of_its_own_and_all_of_the_newer_one(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    analysis, _ = await second(index, CHANGED)
    collection = str((await collections(index))[str(analysis.id)])
    before = set(await index.backends.vectors.ids(collection))

    await EraseAnalysis(index.backends)(LOCAL_TENANT, first.stream, REPOSITORY, ARun())
    after = set(await index.backends.vectors.ids(collection))

    assert len(before - after) == 1
    assert len(after) == 24
    assert (await index.ask("where do we swim")).passages[0].ranks["dense"] == 1


async def test_the_newer_one_is_erased_and_the_older_one_stays_searched(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    analysis, _ = await second(index, CHANGED)

    await EraseAnalysis(index.backends)(LOCAL_TENANT, analysis.stream, REPOSITORY, ARun())
    used = await collections(index)
    found = await index.ask("where do we walk", analysis_id=first.id)

    assert await index.backends.vectors.count(str(used[str(first.id)])) == 24
    assert found.passages[0].ranks["dense"] >= 1


async def test_a_shared_collection_that_the_server_lost_is_made_again_for_both(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    await second(index, CHANGED)
    [collection] = set((await collections(index)).values())

    await index.backends.vectors.drop(str(collection))
    mended = await index.housekeeping(generation_grace=3_600).mend()

    assert len(mended) == 2
    assert await index.housekeeping(generation_grace=3_600).mend() == []
    assert (await index.ask("where do we walk", analysis_id=first.id)).degraded is None
    assert (await index.ask("where do we swim")).passages[0].ranks["dense"] == 1


async def test_one_that_changed_much_gets_a_collection_of_its_own(index: Index) -> None:
    await index.ready({f"a{n}.py": f"def a{n}():\n    {n}" for n in range(150)}, shards=2)
    await second(index, {f"b{n}.py": f"def b{n}():\n    {n}" for n in range(450)})

    assert len(set((await collections(index)).values())) == 2


async def test_a_collection_that_lost_vectors_is_not_built_upon(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    vectors = MemoryVectors()
    async with an_index(database_url, redis_url, tmp_path, vectors) as index:
        await index.ready(FILES, shards=4)
        [collection] = set((await collections(index)).values())
        vectors.collections[str(collection)].popitem()
        _, activated = await second(index, CHANGED)
        used = await collections(index)

    assert len(set(used.values())) == 2
    assert activated.counts["vectors_reused"] == 0


async def test_a_search_asks_on_where_others_are_nearer(database_url: str, redis_url: str, tmp_path: Path) -> None:
    vectors = MemoryVectors()
    async with an_index(database_url, redis_url, tmp_path, vectors) as index:
        analysis = await index.ready(FILES, shards=1)
        collection = str((await collections(index))[str(analysis.id)])
        near = index.quick.embed(["walk"])[0]
        for number in range(DENSE_DEPTH + 20):
            vectors.collections[collection][f"another's {number}"] = near
        found = await index.ask("walk")

    assert found.passages[0].ranks["dense"] == 1


async def test_two_analyses_at_once_do_not_write_into_one_collection(index: Index) -> None:
    await index.ready(FILES, shards=4)
    analysis, _ = await second(index, CHANGED)
    await index.kernel.one(
        "UPDATE rag.generations SET state = 'building' WHERE kind = 'quick'"
        f" AND analysis_id = '{analysis.id}' RETURNING 1"  # an id of ours
    )
    third, _ = await second(index, {**CHANGED, "src/part5.py": "def part_5():\n    fly()"}, number=3)
    used = await collections(index)

    assert used[str(third.id)] != used[str(analysis.id)]
    assert derived_id("analysis", "index", 3) == third.id
    assert GenerationKind.QUICK in third.vectors
