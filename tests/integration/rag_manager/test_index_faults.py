"""What the index survives: a vector server killed or wiped, crashes at the worst place, messages that come twice."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from events.catalog import CONSUMERS, stage_topic
from events.delivery import stages
from events.index import GenerationKind, IndexActivated
from events.processing import Stage, StageCompleted
from rag_manager.jobs.activate_generation import ActivateGeneration
from rag_manager.ports import VectorsUnavailable
from rag_manager.rows import generations
from rag_manager.subscribers import Slots, handlers, subscribe
from runtime.faults import Transient
from tests.conftest import Servers
from tests.fakes.vectors import MemoryVectors
from tests.support.delivery import until
from tests.support.index import AnAnalysis, ARun, Index, an_index, artifacts_of

FILES = {f"src/part_{n}.py": f"def task_{n}():\n    return run('{n}')\n\ndef undo_{n}():\n    ...\n" for n in range(30)}


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        yield made


@pytest.fixture
async def on_memory(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as made:
        yield made


def memory_of(index: Index) -> MemoryVectors:
    assert isinstance(index.backends.vectors, MemoryVectors)
    return index.backends.vectors


async def test_activation_waits_for_a_killed_vector_server_and_search_answers_meanwhile(
    index: Index, servers: Servers
) -> None:
    analysis = await index.ready(FILES)
    await index.embed(analysis, GenerationKind.FULL)
    envelope = await index.request(analysis, Stage.PROMOTE, analysis.vectors[GenerationKind.FULL])
    servers.chroma.kill()
    promoting = asyncio.create_task(index.handle(envelope))

    degraded = await index.ask("undo task")
    await asyncio.sleep(2.0)
    assert not promoting.done()
    servers.chroma.start()
    await index.record(envelope, await promoting)

    assert (degraded.generation_kind, degraded.degraded) == ("lexical", "vectors_unavailable")
    assert degraded.passages
    reply = await index.ask("undo task")
    assert (reply.generation_kind, reply.degraded) == ("full", None)
    [full] = [g for g in await generations.with_collections(index.backends.engine) if g.kind == GenerationKind.FULL]
    assert await index.backends.vectors.count(full.collection or "") == full.vectors == 60


async def test_a_wiped_vector_server_is_filled_again_without_embedding(index: Index, servers: Servers) -> None:
    await index.ready(FILES, shards=3)
    embedded = len(index.quick.embedded)
    servers.chroma.kill()
    shutil.rmtree(servers.chroma.folder / "data")
    servers.chroma.start()

    lost = await index.ask("undo task")
    mended = await index.housekeeping().mend()
    index.quick.embedded, counted = [], len(index.quick.embedded)
    found = await index.ask("undo task")

    assert lost.degraded == "vectors_missing"
    assert len(mended) == 1
    assert counted == embedded + 1  # the question, asked while the collection was lost
    assert (found.generation_kind, found.degraded) == ("quick", None)
    assert await index.housekeeping().mend() == []


async def test_a_damaged_collection_is_noticed_and_made_again(index: Index) -> None:
    await index.ready(FILES)
    [generation] = await generations.with_collections(index.backends.engine)
    vectors, collection = index.backends.vectors, generation.collection or ""
    await vectors.drop(collection)
    await vectors.create(collection)

    assert await index.housekeeping().mend() == [generation.generation_id]
    [mended] = await generations.with_collections(index.backends.engine)
    assert await vectors.count(mended.collection or "") == generation.vectors


async def test_a_crash_between_upsert_and_event_is_repeated_without_a_second_copy(index: Index) -> None:
    analysis = await index.analysis(FILES)
    await index.index(analysis)
    await index.embed(analysis)
    envelope = await index.request(analysis, Stage.ACTIVATE, analysis.vectors[GenerationKind.QUICK])

    await index.handle(envelope)  # the worker dies here: vectors are written, nothing is recorded
    await index.housekeeping().sweep()  # a generation being built is nobody's orphan
    await index.run(envelope)

    [generation] = await generations.with_collections(index.backends.engine)
    assert await index.backends.vectors.count(generation.collection or "") == 60
    assert (await index.said(analysis)).count(IndexActivated.event_type) == 2  # lexical, quick


async def test_what_an_interrupted_run_left_is_completed(on_memory: Index) -> None:
    analysis = await on_memory.analysis(FILES)
    await on_memory.index(analysis)
    await on_memory.embed(analysis)
    envelope = await on_memory.request(analysis, Stage.ACTIVATE, analysis.vectors[GenerationKind.QUICK])
    await on_memory.handle(envelope)
    [held] = memory_of(on_memory).collections.values()
    whole = dict(held)
    for chunk_id in sorted(whole)[:20]:
        del held[chunk_id]
    memory_of(on_memory).written.clear()

    await on_memory.run(envelope)

    assert held.keys() == whole.keys()
    assert all(np.array_equal(vector, whole[chunk_id]) for chunk_id, vector in held.items())
    assert set(sorted(whole)[:20]) == set(memory_of(on_memory).written[:20])
    assert len(memory_of(on_memory).written) == 21, "and one that brings the server's graph up to date"


async def test_vectors_are_written_while_others_are_embedded(on_memory: Index) -> None:
    analysis = await on_memory.analysis(FILES, shards=3)
    memory = memory_of(on_memory)
    died = await on_memory.request(analysis, Stage.EMBED, analysis.chunks[:1])
    await on_memory.handle(died)  # the worker dies here: vectors are written, nothing is recorded
    [(name, held)] = memory.collections.items()
    before = len(held)
    await on_memory.housekeeping().sweep()
    await _embed(on_memory, analysis)
    await on_memory.index(analysis)
    memory.written.clear()
    await on_memory.activate(analysis)

    [generation] = await generations.with_collections(on_memory.backends.engine)
    assert (before, len(held), generation.vectors) == (20, 60, 60)
    assert memory.collections.keys() == {name} == {generation.collection}
    assert len(memory.written) == 1, "all of them were there"
    assert await on_memory.kernel.one("SELECT count(*) FROM rag.ahead") == 0
    assert (await on_memory.ask("undo task")).generation_kind == "quick"


async def _embed(index: Index, analysis: AnAnalysis, *, without: int = -1) -> None:
    """Embed the shards one after the other, one of them while the vector server is away."""
    for shard, chunks in enumerate(analysis.chunks):
        memory_of(index).down = -1 if shard == without else 0
        result = await index.run(await index.request(analysis, Stage.EMBED, [chunks], shard=shard, attempt=2))
        analysis.vectors.setdefault(GenerationKind.QUICK, []).extend(artifacts_of(result))
    memory_of(index).down = 0


async def test_what_could_not_be_written_ahead_is_written_at_the_end(on_memory: Index) -> None:
    analysis = await on_memory.analysis(FILES, shards=3)
    memory = memory_of(on_memory)
    await _embed(on_memory, analysis, without=1)
    [held] = memory.collections.values()
    ahead = set(held)
    await on_memory.index(analysis)
    memory.written.clear()
    await on_memory.activate(analysis)

    assert len(ahead) == 40
    assert not ahead & set(memory.written[:20])
    assert len(held) == 60
    assert len(memory.written) == 21


async def test_what_was_written_ahead_of_an_analysis_that_never_ended_goes(on_memory: Index) -> None:
    analysis = await on_memory.analysis(FILES, shards=3)
    await on_memory.embed(analysis)
    assert len(memory_of(on_memory).collections) == 1

    await on_memory.kernel.rows("UPDATE rag.ahead SET written_at = now() - interval '61 minutes'")
    await on_memory.housekeeping().sweep()

    assert not memory_of(on_memory).collections
    assert await on_memory.kernel.one("SELECT count(*) FROM rag.ahead") == 0


async def test_activation_gives_up_its_turn_where_the_vector_server_stays_away(on_memory: Index) -> None:
    analysis = await on_memory.analysis(FILES)
    await on_memory.index(analysis)
    await on_memory.embed(analysis)
    envelope = await on_memory.request(analysis, Stage.ACTIVATE, analysis.vectors[GenerationKind.QUICK])
    memory_of(on_memory).down = -1

    with pytest.raises(Transient, match="index_unavailable"):
        await ActivateGeneration(on_memory.backends, GenerationKind.QUICK, "quick-words", wait=0.0)(envelope, ARun())
    with pytest.raises(VectorsUnavailable):
        await on_memory.housekeeping().sweep()
    memory_of(on_memory).down = 0
    await on_memory.run(envelope)

    assert (await on_memory.ask("undo task")).generation_kind == "quick"


async def test_an_outage_of_a_moment_is_waited_out_within_the_run(on_memory: Index) -> None:
    analysis = await on_memory.analysis(FILES)
    await on_memory.index(analysis)
    await on_memory.embed(analysis)
    memory_of(on_memory).down = 1

    await on_memory.activate(analysis)

    assert (await on_memory.ask("undo task")).generation_kind == "quick"


async def test_vectors_of_another_model_are_not_searched(on_memory: Index) -> None:
    await on_memory.ready(FILES)
    on_memory.quick.name = "a newer model"

    reply = await on_memory.ask("undo task")

    assert (reply.generation_kind, reply.degraded) == ("lexical", "model_changed")
    assert reply.passages


async def test_a_lexicon_lost_from_the_cache_comes_back_from_its_artifact(on_memory: Index, tmp_path: Path) -> None:
    await on_memory.ready(FILES)
    await on_memory.ask("undo")
    [folder] = (tmp_path / "cache" / "lexicon").iterdir()
    (folder / "meta.json").write_text("{")

    assert (await on_memory.ask("undo_7")).passages[0].path == "src/part_7.py"


async def test_the_five_stages_run_through_delivery_and_a_message_that_comes_twice_changes_nothing(
    on_memory: Index,
) -> None:
    index, kernel = on_memory, on_memory.kernel
    embedders = {GenerationKind.QUICK: index.quick, GenerationKind.FULL: index.full}
    await kernel.carry()  # the groups are made before anybody reads
    subscriber = kernel.subscriber("rag_manager-test")
    subscribe(subscriber, handlers(index.backends, index.lexicon, embedders, Slots()))
    await subscriber.start()
    analysis = await index.analysis(FILES)

    async def completed() -> list[StageCompleted]:
        events = await kernel.journal.read_stream(analysis.stream)
        return [stages.read(event, StageCompleted) for event in events if event.event_type == StageCompleted.event_type]

    async with kernel.carrying():
        inputs = [*analysis.sources, *analysis.symbols, *analysis.chunks]
        for number, stage in enumerate((Stage.INDEX, Stage.EMBED, Stage.ACTIVATE, Stage.REFINE, Stage.PROMOTE), 1):
            await index.request(analysis, stage, inputs)

            async def is_done(number: int = number) -> bool:
                return len(await completed()) == number

            await until(is_done)
            made = (await completed())[-1].artifacts
            inputs = list(made) if stage in {Stage.EMBED, Stage.REFINE} else analysis.chunks
            await _deliver_again(index, stage)

    assert [event.stage for event in await completed()] == ["index", "embed", "activate", "refine", "promote"]
    assert (await index.said(analysis)).count(IndexActivated.event_type) == 3
    assert {len(held) for held in memory_of(index).collections.values()} == {60}
    assert (await index.ask("undo")).generation_kind == "full"


async def _deliver_again(index: Index, stage: Stage) -> None:
    """Let the stage's workers read their topic once more from its beginning, and see it settled."""
    redis, topic = index.kernel.redis, stage_topic(stage)
    [consumer] = CONSUMERS[topic]
    [(entry_id, _)] = await redis.xrevrange(topic, count=1)
    await redis.xgroup_setid(topic, consumer, "0")

    async def is_settled() -> bool:
        [group] = await redis.xinfo_groups(topic)
        return bool(group["last-delivered-id"] == entry_id and group["pending"] == 0)

    await until(is_settled)
