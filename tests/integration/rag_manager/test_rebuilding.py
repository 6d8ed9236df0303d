"""A collection is built again beside the one that serves, of the stored vectors, and takes over at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray
from sqlalchemy import text

from events.base import LOCAL_TENANT
from events.collection import CollectionAsked
from events.index import GenerationKind
from orchestrator.adapters.searching import Searching
from rag_manager.api import add_problems, collection_routes
from rag_manager.collections_now import CollectionsNow
from rag_manager.former import FormerEmbedders
from rag_manager.jobs.erase_analysis import EraseAnalysis
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import generations, rebuilds
from rag_manager.rows.generations import Generation
from runtime.faults import Permanent
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, AnAnalysis, ARun, Index, an_index
from tests.support.service_keys import signer, verifier

FILES = {f"src/part_{n}.py": f"def task_{n}():\n    return run('{n}')\n\ndef undo_{n}():\n    ...\n" for n in range(12)}
CHANGED = {**FILES, "src/part_3.py": "def swim():\n    ...\n\ndef undo_3():\n    ...\n"}


class HeldVectors(MemoryVectors):
    """Once it is told to, it writes nothing into collections that are new until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.may_write = asyncio.Event(), asyncio.Event()
        self.may_write.set()
        self.known: set[str] = set()

    async def upsert(self, collection: str, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        if collection not in self.known:
            self.writing.set()
            await self.may_write.wait()
        await super().upsert(collection, ids, vectors)

    def hold(self) -> None:
        self.known = set(self.collections)
        self.writing.clear()
        self.may_write.clear()


@pytest.fixture
def held() -> HeldVectors:
    return HeldVectors()


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path, held: HeldVectors) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, held) as made:
        yield made


async def serving(index: Index) -> Generation:
    """The one generation with vectors."""
    [generation] = await generations.with_collections(index.backends.engine)
    return generation


async def asked(index: Index, of: UUID, *, replace: bool = True) -> UUID:
    return (await index.rebuilding().ask(CollectionAsked(of=of, replace=replace))).rebuild_id


async def filling(index: Index, held: HeldVectors, analysis: AnAnalysis) -> asyncio.Task[None]:
    """A rebuild that is about to write."""
    await asked(index, analysis.id)
    held.hold()
    task = asyncio.create_task(index.rebuilding().do_all())
    await held.writing.wait()
    return task


async def test_a_collection_that_is_lost_under_a_live_analysis_comes_back_without_embedding(
    database_url: str, redis_url: str, chroma_url: str, tmp_path: Path
) -> None:
    """On the real vector server, over the routes that the command asks."""
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as index:
        analysis = await index.ready(FILES, shards=3)
        rebuilding = index.rebuilding()
        state = CollectionsNow(index.backends, index.full.name, FormerEmbedders({}))
        app = FastAPI()
        app.include_router(collection_routes(rebuilding, state, verifier("rag_manager")))
        add_problems(app)
        api = Searching("http://rag", partial(signer("orchestrator").headers, "rag_manager"))
        api._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag")
        before = await index.ask("undo task")
        generation = await serving(index)

        await index.backends.vectors.drop(generation.collection or "")
        lost, [damaged] = await index.ask("undo task"), (await api.collections()).damaged
        questions, index.quick.embedded = len(index.quick.embedded), []
        rebuild = await api.rebuild(CollectionAsked(of=REPOSITORY))
        await rebuilding.do_all()
        done = await api.rebuild_of(rebuild.rebuild_id)
        embedded = len(index.quick.embedded) + len(index.full.embedded)
        after = await index.ask("undo task")
        healed = await api.collections()
        await api.close()
        looked_at = await index.rebuilding().ask(CollectionAsked(of=analysis.id, replace=False))
        await rebuilding.do_all()
        looked = await rebuilding.one(looked_at.rebuild_id)

    assert (before.degraded, lost.degraded, after.degraded) == (None, "vectors_missing", None)
    assert questions > 0
    assert embedded == 0
    assert after.passages == before.passages != lost.passages
    assert (damaged.generation_id, damaged.held, damaged.vectors) == (generation.generation_id, None, 24)
    assert (healed.checked, healed.wrong) == (1, 0)
    assert done.before is not None
    assert done.after is not None
    assert (done.state, done.before.held, done.after.held) == ("done", None, 24)
    assert done.after.agrees
    assert done.after.held_checksum == done.before.checksum
    assert looked.before == done.after
    assert looked.after is None


async def test_what_differs_is_told_and_the_old_one_serves_until_the_new_one_is_whole(
    index: Index, held: HeldVectors
) -> None:
    analysis = await index.ready(FILES)
    former = (await serving(index)).collection or ""
    ids = sorted(held.collections[former])
    del held.collections[former][ids[0]]
    held.collections[former][ids[1]] = -held.collections[former][ids[1]]
    held.collections[former]["nobody's"] = held.collections[former][ids[2]]

    looked = await asked(index, analysis.id, replace=False)
    await index.rebuilding().do_all()
    found = (await index.rebuilding().one(looked)).before
    unchanged = (await serving(index)).collection
    task = await filling(index, held, analysis)
    meanwhile = (await serving(index)).collection, (await index.ask("undo")).degraded
    held.may_write.set()
    await task
    current = (await serving(index)).collection or ""

    assert found is not None
    assert (found.missing, found.different, found.extra) == (1, 1, 1)
    assert unchanged == former
    assert meanwhile == (former, None)
    assert current != former
    assert sorted(held.collections[current]) == ids
    await index.housekeeping(generation_grace=3_600).sweep()
    assert set(held.collections) == {former, current}  # searches may be under way
    await index.housekeeping().sweep()
    assert set(held.collections) == {current}
    assert await index.housekeeping().mend() == []


async def test_one_that_is_killed_in_the_middle_is_gone_on_with_and_leaves_nothing(
    index: Index, held: HeldVectors
) -> None:
    analysis = await index.ready(FILES)
    former = (await serving(index)).collection
    task = await filling(index, held, analysis)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    begun = set(held.collections) - {former}
    await index.housekeeping().sweep()
    left = set(held.collections) - {former}
    held.may_write.set()

    await index.rebuilding().do_all()
    await index.housekeeping().sweep()

    assert len(begun) == 1
    assert left == begun  # what is being built is nobody's orphan
    assert set(held.collections) == begun == {(await serving(index)).collection}
    assert len(held.collections[begun.pop()]) == 24


async def test_one_that_ends_its_processes_is_given_up_and_not_begun_again_by_itself(
    index: Index, held: HeldVectors
) -> None:
    analysis, engine = await index.ready(FILES), index.backends.engine
    number = await asked(index, analysis.id)
    held.unreadable = {(await serving(index)).collection or ""}
    [waiting] = await rebuilds.waiting(engine)
    begun = [await rebuilds.begin(engine, waiting, 3) for _ in range(4)]  # by processes of which nothing is heard
    await index.rebuilding().do_all()
    given_up = await index.rebuilding().one(number)
    mended = await index.housekeeping().mend()

    again = await asked(index, analysis.id)
    await index.rebuilding().do_all()

    assert begun == [True, True, True, False]
    assert (given_up.state, (given_up.message or "").startswith("Three processes")) == ("failed", True)
    assert mended == [], "it would end this process too"
    assert (await index.rebuilding().one(again)).state == "done"


async def test_how_long_it_fails_is_counted_over_all_processes_but_not_while_none_tried(
    index: Index, held: HeldVectors
) -> None:
    analysis, engine = await index.ready(FILES), index.backends.engine
    await asked(index, analysis.id)
    [waiting] = await rebuilds.waiting(engine)
    failing = [await rebuilds.failing(engine, waiting, 3_600)]
    for column in ("failing_since", "failed_at"):
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE rag.rebuilds SET {column} = now() - interval '2 hours'"))
        failing.append(await rebuilds.failing(engine, waiting, 3_600))

    assert [round(seconds) for seconds in failing] == [0, 7_200, 0]


async def test_two_processes_do_it_once(index: Index, held: HeldVectors) -> None:
    analysis = await index.ready(FILES)
    task = await filling(index, held, analysis)
    again = await asked(index, analysis.id)

    await index.rebuilding().do_all()
    assert (await index.rebuilding().one(again)).state == "asked"
    held.may_write.set()
    await task

    assert (await index.rebuilding().one(again)).state == "done"
    assert len(held.collections) == 2


async def test_an_analysis_that_is_deleted_meanwhile_leaves_nothing(index: Index, held: HeldVectors) -> None:
    analysis = await index.ready(FILES)
    task = await filling(index, held, analysis)

    await EraseAnalysis(index.backends)(LOCAL_TENANT, analysis.stream, REPOSITORY, ARun())
    erased = dict(held.collections)
    held.may_write.set()
    await task
    await index.housekeeping().sweep()

    assert erased == held.collections == {}
    assert await index.kernel.one("SELECT count(*) FROM rag.rebuilds") == 0


async def test_a_generation_that_begins_to_live_in_the_former_one_meanwhile_stays_there(
    index: Index, held: HeldVectors
) -> None:
    first = await index.ready(FILES, shards=4)
    former = (await serving(index)).collection or ""
    task = await filling(index, held, first)
    second = await index.analysis(CHANGED, number=2, shards=4)
    await index.index(second)
    await index.embed(second)
    await index.activate(second)
    held.may_write.set()
    await task
    there = {one.analysis_id: one for one in await generations.with_collections(index.backends.engine)}
    old, new = await index.ask("run", analysis_id=first.id), await index.ask("swim")

    assert there[first.id].collection != former
    assert (old.degraded, new.degraded) == (None, None)
    assert new.passages[0].path == "src/part_3.py"
    await index.housekeeping().sweep()
    assert {name: len(found) for name, found in held.collections.items()} == {there[second.id].collection: 24}
    assert await index.housekeeping().mend() == []


async def test_what_cannot_be_built_again_is_refused(index: Index) -> None:
    analysis = await index.analysis(FILES)
    await index.index(analysis)

    for of, code in ((uuid4(), "no_such_analysis"), (analysis.id, "not_indexed_yet"), (REPOSITORY, "not_indexed_yet")):
        with pytest.raises(Permanent, match=code):
            await asked(index, of)
    with pytest.raises(Permanent, match="not_found"):
        await index.rebuilding().one(uuid4())


async def test_a_vector_server_that_is_away_is_waited_for(index: Index, held: HeldVectors) -> None:
    analysis = await index.ready(FILES)
    rebuild = await asked(index, analysis.id)
    held.down = -1
    await index.rebuilding().do_all()
    waiting = (await index.rebuilding().one(rebuild)).state
    held.down = 0
    await index.rebuilding().do_all()

    assert waiting == "asked"
    assert (await index.rebuilding().one(rebuild)).state == "done"


async def test_a_collection_that_is_there_and_cannot_be_read_is_built_again_unseen(
    index: Index, held: HeldVectors
) -> None:
    analysis = await index.ready(FILES)
    former = (await serving(index)).collection or ""
    held.unreadable = {former}
    looked, rebuild = await asked(index, analysis.id, replace=False), await asked(index, analysis.id)
    await index.rebuilding().do_all()
    done, waiting = await index.rebuilding().one(rebuild), await index.rebuilding().one(looked)
    current = (await serving(index)).collection or ""

    assert waiting.state == "asked"
    assert done.before is not None
    assert done.after is not None
    assert (done.state, done.before.held, done.before.missing, done.after.agrees) == ("done", None, 24, True)
    assert done.before.checksum == done.after.held_checksum
    assert (current != former, (await index.ask("undo")).degraded) == (True, None)

    held.unreadable = {current}
    assert await index.housekeeping().mend() == [(await serving(index)).generation_id]
    newest = (await serving(index)).collection or ""
    await index.housekeeping().sweep()
    assert set(held.collections) == {newest}
    held.down = -1
    with pytest.raises(VectorsUnavailable):
        await index.housekeeping().mend()


async def test_what_one_left_of_a_shared_collection_is_not_said_to_be_nobodys(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    second = await index.ready(CHANGED, number=2, shards=4)
    there = {one.analysis_id: one for one in await generations.with_collections(index.backends.engine)}
    assert there[first.id].collection == there[second.id].collection
    await asked(index, first.id)
    await index.rebuilding().do_all()

    looked = await asked(index, second.id, replace=False)
    await index.rebuilding().do_all()
    found = (await index.rebuilding().one(looked)).before

    assert found is not None
    assert found.agrees, "until the janitor takes them away, they are of the one that went"


async def test_a_generation_that_is_deleted_at_this_moment_is_refused_by_its_code(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = await index.ready(FILES)
    gone = replace(await serving(index), generation_id=uuid4())

    async def found(*_: object) -> Generation:
        return gone

    monkeypatch.setattr(rebuilds, "generation_of", found)

    with pytest.raises(Permanent, match="no_such_analysis"):
        await asked(index, analysis.id)


async def test_what_an_earlier_model_serves_is_told(index: Index) -> None:
    analysis = await index.ready(FILES)
    await index.embed(analysis, GenerationKind.FULL)
    await index.activate(analysis, GenerationKind.FULL)

    same = await CollectionsNow(index.backends, index.full.name, FormerEmbedders({}))()
    former = FormerEmbedders({index.full.name: lambda: index.full})
    [asked_of] = (await CollectionsNow(index.backends, "another", former)()).earlier
    [by_words] = (await CollectionsNow(index.backends, "another", FormerEmbedders({}))()).earlier

    assert (same.checked, same.wrong, same.earlier) == (2, 0, ())
    assert (asked_of.model, asked_of.analyses, asked_of.newest) == (index.full.name, 1, (analysis.id,))
    assert (asked_of.asked, by_words.asked) == (True, False)
