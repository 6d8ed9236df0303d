"""The index's stages on real PostgreSQL, Valkey, Chroma, tantivy and object store."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from events.artifacts import ArtifactKind
from events.base import LOCAL_TENANT
from events.index import GenerationKind, IndexActivated, IndexBuilt
from events.looking import LinesRequest
from events.processing import Stage, StageCompleted, StageFailed
from events.replay.sandbox import Alone, SandboxObjects
from rag_manager.adapters.chroma import ChromaVectors
from rag_manager.jobs.erase_analysis import EraseAnalysis
from rag_manager.ports import Spent
from rag_manager.rows import generations
from rag_manager.subscribers import shadow_handlers, subscribe
from runtime.faults import Cancelled, Permanent, Transient
from runtime.objects import Objects
from tests.support.index import REPOSITORY, ARun, Index, an_index, artifacts_of
from tests.support.recorded_runs import RecordedRuns
from tests.support.stopping import stopped

REFUSED = {"not_embedded.embedder_input_refused": 1}
FILES = {
    "src/router.py": "class Router:\n    def add_route(self, path):\n        ...\n\ndef match_path(path):\n    ...\n",
    "src/cookies.py": "def sign_cookie(value):\n    return secret(value)\n\ndef read_cookie(header):\n    ...\n",
    "src/session.py": "class SessionStore:\n    def expire(self):\n        ...\n",
    "tests/test_router.py": "def test_router_matches():\n    assert Router().match('x')\n",
}


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        yield made


async def test_nothing_is_found_before_the_index_stage_and_that_is_said(index: Index) -> None:
    with pytest.raises(Transient, match="not_indexed_yet"):
        await index.ask("anything")


async def test_after_the_index_stage_questions_are_answered_lexically(index: Index) -> None:
    analysis = await index.analysis(FILES, shards=2)

    await index.index(analysis)
    reply = await index.ask("how is a cookie signed")

    assert reply.generation_kind == "lexical"
    assert reply.analysis_id == analysis.id
    assert reply.commit == "c0ffee1"
    assert reply.passages[0].path == "src/cookies.py"
    assert (reply.passages[0].first_line, reply.passages[0].last_line) == (1, 2)
    assert reply.passages[0].text == "def sign_cookie(value):\n    return secret(value)"
    assert reply.passages[0].symbols == ("sign_cookie",)
    assert reply.passages[0].ranks["lexical"] == 1
    assert await index.said(analysis) == [
        IndexBuilt.event_type,
        IndexActivated.event_type,
        StageCompleted.event_type,
    ]


async def test_the_index_stage_delivered_twice_leaves_one_of_everything(index: Index) -> None:
    analysis = await index.analysis(FILES)
    envelope = await index.request(analysis, Stage.INDEX, [*analysis.sources, *analysis.symbols, *analysis.chunks])

    await index.run(envelope)
    await index.run(envelope)

    said = await index.said(analysis)
    assert said.count(StageCompleted.event_type) == said.count(IndexActivated.event_type) == 1
    assert await index.kernel.one("SELECT count(*) FROM rag.chunks") == 6
    assert await index.kernel.one("SELECT count(*) FROM rag.files") == 4
    assert await index.kernel.one("SELECT count(*) FROM rag.generations") == 1


async def test_a_text_that_stands_twice_in_a_file_is_one_chunk(index: Index) -> None:
    analysis = await index.ready({"a.py": "def twin():\n    ...\n\ndef twin():\n    ..."})

    assert await index.kernel.one("SELECT count(*) FROM rag.chunks") == 1
    assert [passage.path for passage in (await index.ask("twin")).passages] == ["a.py"]
    assert analysis.vectors[GenerationKind.QUICK][0].rows == 2


async def test_a_repository_without_a_passage_fails_by_name(index: Index) -> None:
    analysis = await index.analysis({})

    with pytest.raises(Permanent, match="nothing_to_index"):
        await index.index(analysis)


async def test_embed_and_activate_swap_to_quick_vectors_in_one_transaction(index: Index) -> None:
    analysis = await index.analysis(FILES, shards=2)
    await index.index(analysis)
    await index.embed(analysis)
    envelope = await index.request(analysis, Stage.ACTIVATE, analysis.vectors[GenerationKind.QUICK])

    result = await index.handle(envelope)
    assert (await index.ask("cookie")).generation_kind == "lexical"  # complete, and not yet said
    await index.record(envelope, result)

    reply = await index.ask("read the cookie header")
    assert reply.generation_kind == "quick"
    assert reply.model == "quick-words"
    assert reply.degraded is None
    assert reply.passages[0].path == "src/cookies.py"
    assert "dense" in reply.passages[0].ranks
    [completed] = [draft.event for draft in result.appends[0].drafts if isinstance(draft.event, StageCompleted)]
    assert completed.counts == {"chunks": 6, "vectors": 6, "vectors_reused": 0}


async def test_refine_and_promote_swap_to_full_vectors(index: Index) -> None:
    analysis = await index.ready(FILES)

    await index.embed(analysis, GenerationKind.FULL)
    assert (await index.ask("cookie")).generation_kind == "quick"
    await index.activate(analysis, GenerationKind.FULL)

    assert (await index.ask("cookie")).generation_kind == "full"
    assert (await index.ask("cookie")).model == "full-words"


async def test_a_text_is_embedded_by_the_full_model_once_whatever_analyses_it_is_in(index: Index) -> None:
    first = await index.ready(FILES)
    await index.embed(first, GenerationKind.FULL)
    assert len(index.full.embedded) == 6
    changed = {**FILES, "src/session.py": "class SessionStore:\n    def renew(self):\n        ...\n"}
    second = await index.analysis(changed, number=2)

    await index.embed(second, GenerationKind.FULL)

    assert index.full.embedded[6:] == ["src/session.py\nclass SessionStore:\n    def renew(self):\n        ...\n"]
    await index.index(second)
    await index.activate(second, GenerationKind.FULL)
    assert (await index.ask("session store renew")).passages[0].path == "src/session.py"


async def test_the_old_analysis_serves_until_the_new_one_is_ready(index: Index) -> None:
    old = await index.ready(FILES)
    new = await index.analysis({"src/router.py": "def dispatch_request():\n    ...\n"}, number=2)

    await index.index(new)
    assert (await index.ask("router")).analysis_id == old.id
    assert (await index.ask("router", analysis_id=new.id)).generation_kind == "lexical"
    await index.embed(new)
    assert (await index.ask("router")).analysis_id == old.id
    await index.activate(new)

    reply = await index.ask("router")
    assert reply.analysis_id == new.id
    assert [passage.path for passage in reply.passages] == ["src/router.py"]


async def test_an_older_analysis_that_is_late_does_not_take_over(index: Index) -> None:
    old = await index.ready(FILES)
    await index.embed(old, GenerationKind.FULL)
    new = await index.ready({"src/router.py": "def dispatch_request():\n    ...\n"}, number=2)

    await index.activate(old, GenerationKind.FULL)

    assert (await index.ask("router")).analysis_id == new.id
    assert (await index.said(old)).count(IndexActivated.event_type) == 2  # lexical and quick; full only built
    assert (await index.said(old)).count(IndexBuilt.event_type) == 3


async def test_a_pointer_that_moved_meanwhile_is_not_overwritten(index: Index) -> None:
    old = await index.analysis(FILES)
    envelope = await index.request(old, Stage.INDEX, [*old.sources, *old.symbols, *old.chunks])
    late = await index.handle(envelope)
    new = await index.ready({"src/router.py": "def dispatch_request():\n    ...\n"}, number=2)

    with pytest.raises(Transient, match="index_moved"):
        await index.record(envelope, late)

    assert (await index.ask("router")).analysis_id == new.id
    assert await index.said(old) == []


async def test_a_cancelled_run_stops_between_batches(index: Index) -> None:
    analysis = await index.analysis(FILES)
    envelope = await index.request(analysis, Stage.EMBED, analysis.chunks)

    with pytest.raises(Cancelled):
        await index.handle(envelope, ARun(cancelled=True))

    assert index.quick.embedded == []


@pytest.mark.parametrize("stage", [Stage.EMBED, Stage.REFINE])
async def test_a_run_that_is_cancelled_at_work_ends_after_the_batch_it_is_in_and_stores_nothing(
    index: Index, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, embedder = ARun(), index.quick if stage is Stage.EMBED else index.full
    analysis = await index.analysis({f"f{number}.py": f"def f{number}():\n    ...\n" for number in range(60)})
    envelope = await index.request(analysis, stage, analysis.chunks)
    embed = embedder.embed

    def embed_and_cancel(texts: Sequence[str], **how: Any) -> NDArray[np.float32]:
        run.cancelled = True
        return embed(texts, **how)

    monkeypatch.setattr(embedder, "embed", embed_and_cancel)
    with pytest.raises(Cancelled):
        await index.handle(envelope, run)

    assert 0 < len(embedder.embedded) <= embedder.max_batch
    assert files_of(tmp_path, "chunks")
    assert files_of(tmp_path, "vectors") == []


async def test_what_a_stopped_embedding_took_is_said_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = await index.analysis({f"f{number}.py": f"def f{number}():\n    ...\n" for number in range(60)})
    envelope = await index.request(analysis, Stage.REFINE, analysis.chunks)
    embed, asked = index.full.embed, list[int]()

    def paid(texts: Sequence[str], **how: Any) -> NDArray[np.float32]:
        how["spent"](Spent(10, 0.25))
        asked.append(len(texts))
        while len(asked) > 1 and how["go_on"]():
            time.sleep(0.01)
        return embed(texts, **how)

    monkeypatch.setattr(index.full, "embed", paid)
    subscriber = index.kernel.subscriber("a")
    subscribe(subscriber, {Stage.REFINE: (index.handler(Stage.REFINE), 1)})
    await stopped(index.kernel, subscriber, envelope, lambda: len(asked) > 1)

    stream = await index.kernel.journal.read_stream(envelope.stream_id)
    ended = [each.data for each in stream if each.event_type == StageFailed.event_type]
    assert [(each["code"], each["tokens"], each["cost_usd"]) for each in ended] == [("stage_stopped", 20, 0.5)]


async def test_while_it_is_indexed_a_store_that_does_not_answer_is_not_waited_for(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = await index.analysis({f"f{number}.py": f"def f{number}():\n    ...\n" for number in range(9)}, shards=2)
    envelope = await index.request(analysis, Stage.INDEX, [*analysis.sources, *analysis.symbols, *analysis.chunks])
    get, asked, ended, folder = Objects.get, list[str](), list[str](), tmp_path / "building"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))  # other tests have lexicons built at the same time

    async def silent_at_the_last(objects: Objects, key: str, sha256: str | None = None) -> bytes:
        asked.append(key)
        if asked.count(key) == 1 or key != analysis.chunks[-1].key:  # the first time it is counted
            return await get(objects, key, sha256)
        try:
            return await asyncio.Event().wait() or b""
        finally:
            ended.append(key)

    monkeypatch.setattr(Objects, "get", silent_at_the_last)
    subscriber = index.kernel.subscriber("a")
    subscribe(subscriber, {Stage.INDEX: (index.handler(Stage.INDEX), 1)})

    took = await stopped(index.kernel, subscriber, envelope, lambda: asked.count(analysis.chunks[-1].key) == 2)

    assert took < 2
    assert ended == [analysis.chunks[-1].key]
    assert await index.kernel.one("SELECT count(*) FROM rag.generations") == 0
    assert files_of(tmp_path, "lexicon") == []
    assert list(folder.iterdir()) == []


async def test_while_it_is_activated_a_vector_server_that_does_not_answer_is_not_waited_for(index: Index) -> None:
    analysis = await index.analysis(FILES)
    await index.index(analysis)
    await index.embed(analysis)
    envelope = await index.request(analysis, Stage.ACTIVATE, analysis.vectors[GenerationKind.QUICK])
    heard = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4_096):
            heard.set()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        vectors = ChromaVectors(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=3.0)
        handler = replace(index, backends=replace(index.backends, vectors=vectors)).handler(Stage.ACTIVATE)
        subscriber = index.kernel.subscriber("a")
        subscribe(subscriber, {Stage.ACTIVATE: (handler, 1)})

        assert await stopped(index.kernel, subscriber, envelope, heard.is_set) < 2

        await vectors.close()
        await asyncio.sleep(0.1)  # the other end hears it
    assert (await index.ask("router")).generation_kind == "lexical"
    await index.activate(analysis)
    assert (await index.ask("router")).generation_kind == "quick"


async def test_a_passage_that_is_refused_is_a_fact_and_is_found_by_its_words(index: Index) -> None:
    files = {"a.py": "def walk():\n    ...\n\ndef unspeakable():\n    ...\n", "b.py": "def run():\n    ...\n"}
    analysis = await index.ready(files)
    index.full.refuses = "unspeakable"
    envelope = await index.request(analysis, Stage.REFINE, analysis.chunks)

    result = await index.run(envelope)
    analysis.vectors[GenerationKind.FULL] = artifacts_of(result)
    await index.activate(analysis, GenerationKind.FULL)
    index.full.refuses = ""
    reply = await index.ask("unspeakable")

    [said] = [d.event for a in result.appends for d in a.drafts if isinstance(d.event, StageCompleted)]
    assert said.counts == {"chunks": 3, "embedded": 2, "reused": 0, "not_embedded": 1, **REFUSED}
    [without] = said.facts["not_embedded"]
    assert (without["path"], without["code"]) == ("a.py", "embedder_input_refused")
    assert (reply.generation_kind, reply.degraded) == ("full", None)
    assert reply.passages[0].symbols == ("unspeakable",)


async def test_what_was_refused_stays_a_fact_and_is_asked_again_by_the_next_analysis(index: Index) -> None:
    runs = RecordedRuns()
    index = replace(index, backends=replace(index.backends, earlier=runs))
    counts = []
    for number, refuses in enumerate(("unspeakable", "unspeakable", "", ""), 1):
        analysis = await index.analysis(
            {"a.py": "def walk():\n    ...\n\ndef unspeakable():\n    ...\n"}, number=number
        )
        index.full.refuses = refuses
        result = await index.run(await index.request(analysis, Stage.REFINE, analysis.chunks))
        counts.append(runs.record(analysis.stream, result).counts)

    assert counts == [
        {"chunks": 2, "embedded": 1, "reused": 0, "not_embedded": 1, **REFUSED},
        {"chunks": 2, "embedded": 0, "reused": 1, "not_embedded": 1, **REFUSED},
        {"chunks": 2, "embedded": 1, "reused": 1},
        {"chunks": 2, "embedded": 0, "reused": 2},
    ]


async def test_what_was_embedded_before_a_fault_is_not_embedded_again_and_goes_with_its_analysis(index: Index) -> None:
    files = {"a.py": "\n\n".join(f"def task_{word}():\n    ..." for word in "abcdefghijkl")}
    analysis = await index.ready(files)
    index.full.calls_left = 1
    broken = await index.run(await index.request(analysis, Stage.REFINE, analysis.chunks))
    first, index.full.embedded, index.full.calls_left = index.full.embedded, [], None
    again = await index.run(await index.request(analysis, Stage.REFINE, analysis.chunks, attempt=2))

    [failed] = [d.event for a in broken.appends for d in a.drafts]
    [said] = [d.event for a in again.appends for d in a.drafts]
    assert isinstance(failed, StageFailed)
    assert isinstance(said, StageCompleted)
    assert (failed.code, [ref.rows for ref in failed.artifacts]) == ("embedder_busy", [8])
    assert (len(first), len(index.full.embedded), set(first) & set(index.full.embedded)) == (8, 4, set())
    assert said.counts == {"chunks": 12, "embedded": 4, "reused": 8}
    remembered = "SELECT count(*) FROM rag.embeddings"
    assert await index.kernel.one(remembered) == 12
    await EraseAnalysis(index.backends)(LOCAL_TENANT, analysis.stream, REPOSITORY, ARun())
    assert await index.kernel.one(remembered) == 0


async def test_a_question_that_cannot_be_embedded_is_answered_by_words(index: Index) -> None:
    analysis = await index.ready({"a.py": "def walk():\n    ...\n"})
    await index.embed(analysis, GenerationKind.FULL)
    await index.activate(analysis, GenerationKind.FULL)
    index.full.refuses = "walk"

    reply = await index.ask("walk")

    assert (reply.generation_kind, reply.degraded) == ("lexical", "embedder_unavailable")
    assert reply.passages
    assert (await index.ask("run")).degraded is None  # it was of that question alone


def files_of(folder: Path, kind: str) -> list[Path]:
    return list(folder.rglob(f"{kind}/*"))


async def test_exact_lines_come_from_the_stored_sources(index: Index) -> None:
    text = "one\r\ntwo\x0cstill two\n\nfour"
    analysis = await index.analysis({"a.txt": text, "b.py": "def b(): ...\n"})
    await index.index(analysis)
    lines = index.lines()

    some = await lines(
        LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=analysis.id, path="a.txt", first_line=1, last_line=2)
    )
    beyond = await lines(
        LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=analysis.id, path="a.txt", first_line=4, last_line=99)
    )

    assert (some.text, some.line_count) == ("one\ntwo\x0cstill two", 4)
    assert (beyond.text, beyond.first_line, beyond.last_line) == ("four", 4, 4)
    with pytest.raises(Permanent, match="no_such_file"):
        await lines(LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=analysis.id, path="c.py"))
    with pytest.raises(Permanent, match="no_such_analysis"):
        await lines(LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=REPOSITORY, path="a.txt"))


async def test_what_was_replaced_is_retired_and_its_collections_dropped(index: Index) -> None:
    old = await index.ready(FILES)
    await index.embed(old, GenerationKind.FULL)
    await index.activate(old, GenerationKind.FULL)
    new = await index.ready({"src/router.py": "def dispatch_request():\n    ...\n"}, number=2)
    await index.backends.vectors.create("somebody-elses")

    await index.housekeeping(generation_grace=3_600, analysis_grace=3_600).sweep()
    assert len(await generations.with_collections(index.backends.engine)) == 3
    await index.housekeeping().sweep()

    [kept] = await generations.with_collections(index.backends.engine)
    assert kept.analysis_id == new.id
    names = await index.backends.vectors.names()
    assert {name for name in names if name.startswith((kept.collection or "")[:16])} == {kept.collection}
    assert "somebody-elses" in names
    assert await index.kernel.one("SELECT count(*) FROM rag.chunks WHERE analysis_id = :id", id=old.id) == 0
    with pytest.raises(Permanent, match="no_such_analysis"):
        await index.ask("router", analysis_id=old.id)
    opened = await index.lines()(
        LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=old.id, path="src/session.py", last_line=1)
    )
    assert opened.text == "class SessionStore:"
    await index.backends.vectors.drop("somebody-elses")


async def test_vectors_are_one_artifact_a_shard_with_their_model(index: Index) -> None:
    analysis = await index.analysis(FILES, shards=2)

    await index.embed(analysis)

    refs = analysis.vectors[GenerationKind.QUICK]
    assert [(ref.kind, ref.shard) for ref in refs] == [(ArtifactKind.VECTORS, 0), (ArtifactKind.VECTORS, 1)]
    assert sum(ref.rows for ref in refs) == 6


async def test_a_shadow_of_embedding_has_the_recorded_vectors_and_asks_no_model(index: Index, tmp_path: Path) -> None:
    analysis = await index.ready(FILES)
    [recorded] = analysis.vectors[GenerationKind.QUICK]
    asked = await index.request(analysis, Stage.EMBED, [*analysis.chunks, recorded], attempt=2)
    unrecorded = await index.request(analysis, Stage.EMBED, analysis.chunks, attempt=3)
    index.quick.embedded.clear()
    before = _artifacts(tmp_path)
    collections = await index.kernel.rows("SELECT generation_id, state, collection FROM rag.generations")
    embedders = {GenerationKind.QUICK: index.quick, GenerationKind.FULL: index.full}

    sandbox = SandboxObjects(index.backends.objects, LOCAL_TENANT)
    shadow = shadow_handlers(index.backends, index.lexicon, embedders, ())[Stage.EMBED](sandbox)
    [made] = artifacts_of(await shadow(asked, Alone("shadow")))
    with pytest.raises(Permanent) as caught:
        await shadow(unrecorded, Alone("shadow"))

    assert (made.sha256, made.rows) == (recorded.sha256, recorded.rows)
    assert caught.value.code == "effect_not_recorded"
    assert index.quick.embedded == []
    assert _artifacts(tmp_path) == before != {}
    assert await index.kernel.rows("SELECT generation_id, state, collection FROM rag.generations") == collections


def _artifacts(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
