"""The shadow of an index on real servers: what is found in it beside what serves, which stays as it is."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.artifacts import ArtifactKind, ArtifactRef, ChunkRow
from events.base import LOCAL_TENANT, Context, Draft
from events.beside import BesideReply, BesideRequest, IndexPromotion
from events.index import GenerationKind, IndexBuilt
from events.log.drafts import record
from events.processing import Stage, StageCompleted, StageRequested
from events.question import SearchReply
from events.replay.made import made_key
from events.replay.sandbox import ShadowWorker
from rag_manager.jobs import index_analysis
from rag_manager.jobs.promote_index import PromoteIndex
from rag_manager.rows import generations, shadows
from rag_manager.serving import ServingCache
from rag_manager.shadow_index import BesideSearch
from rag_manager.stages.passage_text import lexical_text
from rag_manager.subscribers import shadow_handlers
from runtime.faults import Permanent
from runtime.parquet import write_rows
from runtime.tenancy import TenantDatabase
from tests.support.index import REPOSITORY, AnAnalysis, Index, an_index, chunks_of
from tests.support.kernel import AT
from tests.support.untouched import live, only_connecting_to

FILES = {
    "src/router.py": "class Router:\n    def add_route(self, path):\n        ...\n\ndef match_path(path):\n    ...\n",
    "src/cookies.py": "def sign_cookie(value):\n    return secret(value)\n\ndef read_cookie(header):\n    ...\n",
    "src/session.py": "class SessionStore:\n    def expire(self):\n        ...\n",
}
QUESTIONS = ("how is a cookie signed", "match a path to a route", "session")


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        yield made


async def a_shadow(index: Index, analysis: AnAnalysis, passages: Sequence[ArtifactRef] = ()) -> UUID:
    """A shadow of the index that waits for its run, as the orchestrator asks for one."""
    shadow = uuid4()
    inputs = (*analysis.sources, *(passages or (*analysis.symbols, *analysis.chunks)))
    event = StageRequested(
        analysis_id=analysis.id, run_id=uuid4(), stage=Stage.INDEX, shard=0, shards=1, url="", inputs=inputs
    )
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=shadow, repository_id=REPOSITORY)
    draft = Draft(event_id=event.run_id, occurred_at=AT, context=context, event=event, stage=Stage.INDEX)
    values = {"id": shadow, "tenant": LOCAL_TENANT, "repository": REPOSITORY, "analysis": analysis.id, "stage": "index"}
    request = record(draft, f"sandbox/{shadow}", 1).model_dump_json()
    async with index.backends.engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO sandbox.shadows (shadow_id, tenant_id, repository_id, analysis_id, stage, asked_by)
            VALUES (:id, :tenant, :repository, :analysis, :stage, :id)
            """),
            values,
        )
        await connection.execute(
            text("""
            INSERT INTO sandbox.runs (shadow_id, shard, tenant_id, stage, request)
            VALUES (:id, 0, :tenant, :stage, CAST(:request AS jsonb))
            """),
            {**values, "request": request},
        )
    return shadow


async def run(index: Index, remote: frozenset[str] = frozenset()) -> None:
    embedders = {GenerationKind.QUICK: index.quick, GenerationKind.FULL: index.full}
    handlers = shadow_handlers(index.backends, index.lexicon, embedders, remote)
    assert await ShadowWorker(index.backends.engine, index.backends.objects, handlers, "test").do_next()


async def facts_of(index: Index, shadow: UUID) -> dict[str, object]:
    async with index.backends.engine.connect() as connection:
        statement = text("SELECT state, result -> 'facts' AS facts FROM sandbox.runs WHERE shadow_id = :id")
        row = (await connection.execute(statement, {"id": shadow})).one()
    assert row.state == "done"
    return dict(row.facts)


def beside(index: Index, remote: frozenset[str] = frozenset()) -> BesideSearch:
    cache = ServingCache(TenantDatabase(index.backends.engine), index.backends.objects, index.lexicon)
    return index.beside(cache, remote)


async def ask(index: Index, shadow: UUID, remote: frozenset[str] = frozenset()) -> BesideReply:
    asked = BesideRequest(tenant_id=LOCAL_TENANT, shadow_id=shadow, queries=QUESTIONS)
    return await beside(index, remote)(asked)


def places(reply: SearchReply) -> list[tuple[str, int, int, str]]:
    return [(one.path, one.first_line, one.last_line, one.text) for one in reply.passages]


async def test_by_the_same_code_the_same_is_found_and_nothing_live_is_touched(
    index: Index, database_url: str, redis_url: str, chroma_url: str, tmp_path: Path
) -> None:
    analysis = await index.ready(FILES, shards=2)
    shadow, embedded = await a_shadow(index, analysis), len(index.quick.embedded)
    before = await live(database_url, redis_url, tmp_path, chroma_url)

    with only_connecting_to([database_url, redis_url, chroma_url]) as refused:
        await run(index)
        reply = await ask(index, shadow)

    facts = await facts_of(index, shadow)
    generation_kind, vectors = facts["generation_kind"], facts["vectors"]
    assert (generation_kind, vectors, facts["not_recorded"]) == ("quick", 5, 0)
    assert sorted(index.quick.embedded[embedded:]) == sorted([*QUESTIONS, *QUESTIONS])  # by either side, no passage
    for found in reply.found:
        assert places(found.live) == places(found.shadow) != []
        assert [p.scores for p in found.live.passages] == [p.scores for p in found.shadow.passages]
        assert "dense" in {step.retriever for step in found.shadow.plan}
        assert found.shadow.degraded is None
    names = await generations.collection_names(index.backends.engine)
    own = names.of(LOCAL_TENANT, REPOSITORY, shadow)
    after = await live(database_url, redis_url, tmp_path, chroma_url)
    assert after.pop(f"collection {own}") == "5"
    assert after == before
    assert refused == []

    await index.housekeeping().sweep()
    assert own in await index.backends.vectors.names()
    looking = beside(index)
    await looking(BesideRequest(tenant_id=LOCAL_TENANT, shadow_id=shadow, queries=QUESTIONS))
    await looking.keep(index.backends.engine)
    assert looking._kept.keys == {shadow}
    async with index.backends.engine.begin() as connection:
        await connection.execute(text("DELETE FROM sandbox.shadows WHERE shadow_id = :id"), {"id": shadow})
    await index.housekeeping().sweep()
    await looking.keep(index.backends.engine)
    assert looking._kept.keys == frozenset(), "with all that it holds"
    assert own not in await index.backends.vectors.names()
    with pytest.raises(Permanent, match="not_found"):
        await ask(index, shadow)


async def test_other_passages_are_found_by_their_recorded_vectors_or_by_their_words(index: Index) -> None:
    analysis = await index.ready(FILES)
    parsed = await a_shadow(index, analysis)
    rows = [row for path, text in FILES.items() for row in chunks_of(path, text)]
    new = [
        *(row for row in rows if row.path != "src/session.py"),
        *chunks_of("src/seal.py", "def cookie_seal():\n    ...\n"),
    ]
    content = write_rows(ChunkRow, new)
    async with index.backends.engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO sandbox.artifacts (shadow_id, shard, kind, tenant_id, sha256, content)
            VALUES (:id, 0, 'chunks', :tenant, '', :content)
            """),
            {"id": parsed, "tenant": LOCAL_TENANT, "content": content},
        )
        await connection.execute(text("UPDATE sandbox.runs SET state = 'failed' WHERE shadow_id = :id"), {"id": parsed})
    chunks = analysis.chunks[0].model_copy(
        update={"key": made_key(parsed, 0, ArtifactKind.CHUNKS), "sha256": "0" * 64, "rows": len(new)}
    )
    shadow = await a_shadow(index, analysis, [*analysis.symbols, chunks])

    await run(index)
    reply = await ask(index, shadow)

    facts = await facts_of(index, shadow)
    assert (facts["passages_of"], facts["vectors"], facts["not_recorded"]) == (str(parsed), len(new) - 1, 1)
    cookies, _, session = reply.found
    assert "src/seal.py" in {one.path for one in cookies.shadow.passages} - {one.path for one in cookies.live.passages}
    [sealed] = [one for one in cookies.shadow.passages if one.path == "src/seal.py"]
    assert "dense" not in sealed.ranks
    assert "src/session.py" in {one.path for one in session.live.passages}
    assert "src/session.py" not in {one.path for one in session.shadow.passages}


async def test_an_index_is_promoted_at_once_with_what_the_history_gains_and_never_twice(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = await index.ready(FILES)
    shadow, late = await a_shadow(index, analysis), await a_shadow(index, analysis)
    with monkeypatch.context() as other_code:
        other_code.setattr(index_analysis, "lexical_text", lambda header, text: f"zebra {lexical_text(header, text)}")
        await run(index)
        await run(index)
    history = await index.kernel.journal.read_stream(analysis.stream)
    promote = PromoteIndex(index.backends, index.lexicon)
    refused = []
    for asked in (
        await promotion_of(index, analysis, shadow, expected=len(history)),  # it is not said to be done
        await promotion_of(index, analysis, shadow, expected=len(history) - 1),
    ):
        with pytest.raises(Permanent) as fault:
            await promote(asked)
        refused.append(fault.value.code)
        await done(index)
    assert refused == ["shadow_not_done", "shadow_outdated"]
    assert await index.kernel.journal.read_stream(analysis.stream) == history
    assert not [one for one in (await index.ask("zebra")).passages if "lexical" in one.ranks]

    await promote(await promotion_of(index, analysis, shadow, expected=len(history)))

    found = await index.ask("zebra")
    assert {one.path for one in found.passages if "lexical" in one.ranks} == FILES.keys()
    assert (found.analysis_id, found.generation_kind) == (analysis.id, "quick")  # its vectors stay
    assert "dense" in {step.retriever for step in (await index.ask(QUESTIONS[0])).plan}
    gained = (await index.kernel.journal.read_stream(analysis.stream))[len(history) :]
    assert [one.event_type for one in gained] == [
        StageRequested.event_type,
        IndexBuilt.event_type,
        StageCompleted.event_type,
    ]
    for again in (shadow, late):
        with pytest.raises(Permanent) as fault:
            await promote(await promotion_of(index, analysis, again, expected=len(history)))
        assert fault.value.code == ("shadow_not_done" if again == shadow else "shadow_outdated")


async def done(index: Index) -> None:
    """Say of the shadows that they are done, as the orchestrator does."""
    async with index.backends.engine.begin() as connection:
        await connection.execute(text("UPDATE sandbox.shadows SET state = 'done'"))


async def promotion_of(index: Index, analysis: AnAnalysis, shadow: UUID, *, expected: int) -> IndexPromotion:
    made = await shadows.index_run(index.backends.engine, LOCAL_TENANT, shadow)
    assert made is not None
    inputs = (*analysis.sources, *analysis.symbols, *analysis.chunks)
    attempt = {"run_id": uuid4(), "stage": Stage.INDEX, "shard": 0, "shards": 1, "attempt": 2}
    return IndexPromotion(
        shadow_id=shadow,
        stream_id=analysis.stream,
        expected=expected,
        at=AT,
        context=Context(tenant_id=LOCAL_TENANT, correlation_id=shadow, repository_id=REPOSITORY),
        requested=StageRequested.model_validate({**attempt, "analysis_id": analysis.id, "url": "", "inputs": inputs}),
        completed=made.result.model_copy(update={**attempt, "facts": {}}),
    )


async def test_what_somebody_elses_model_made_is_not_searched_where_nobody_may_be_asked(index: Index) -> None:
    analysis = await index.ready(FILES)
    await index.embed(analysis, GenerationKind.FULL)
    await index.activate(analysis, GenerationKind.FULL)
    local, offline = await a_shadow(index, analysis), await a_shadow(index, analysis)
    kinds = {}
    for remote in (frozenset[str](), frozenset({index.full.name})):
        await run(index, remote)
    for shadow in (local, offline):
        kinds[str((await facts_of(index, shadow))["generation_kind"])] = shadow
    assert kinds.keys() == {"quick", "full"}
    asked = len(index.full.embedded)

    reply = await ask(index, kinds["quick"], frozenset({index.full.name}))

    assert {(one.live.generation_kind, one.shadow.generation_kind) for one in reply.found} == {("quick", "quick")}
    assert len(index.full.embedded) == asked
    beside_full = await ask(index, kinds["full"])
    assert {(one.live.generation_kind, one.shadow.generation_kind) for one in beside_full.found} == {("full", "full")}
