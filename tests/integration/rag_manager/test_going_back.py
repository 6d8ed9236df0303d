"""Going back to a generation of an earlier embedder, on real tables: what is kept, what is refused, what stays."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import LOCAL_TENANT, LOCAL_USER, Context, derived_id
from events.collection import GenerationChoice, KeptGenerations
from events.index import EmbedderChanged, GenerationKind, IndexActivated
from events.processing import Stage
from rag_manager.collections_now import CollectionsNow
from rag_manager.embedding_anew import EmbeddingAnew
from rag_manager.former import FormerEmbedders
from rag_manager.going_back import GoingBack, Models
from rag_manager.housekeeping import Graces
from rag_manager.jobs.activation import generation_id
from rag_manager.rows import choosing, generations
from runtime.faults import Fault, Transient
from tests.fakes.embedder import WordEmbedder
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, AnAnalysis, Index, an_index, artifacts_of
from tests.support.kernel import AT

FILES = {f"src/part_{n}.py": f"def task_{n}():\n    return run('{n}')\n" for n in range(3)}
MORE = {**FILES, "src/more.py": "def swim():\n    ...\n"}


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as made:
        yield made


@pytest.fixture
async def analysis(index: Index) -> AnAnalysis:
    """One that was embedded anew: by `full-words`, and then by `other-words`."""
    made = await index.ready(FILES)
    await index.embed(made, GenerationKind.FULL)
    await index.activate(made, GenerationKind.FULL)
    old, index.full = index.full, WordEmbedder("other-words")
    index.former = {old.name: lambda: old}
    refined = await index.run(await index.request(made, Stage.REFINE, made.chunks, attempt=2))
    await index.run(await index.request(made, Stage.PROMOTE, artifacts_of(refined), attempt=2, round_=1))
    return made


def going_back(index: Index, *known: str, model_grace: float = 3_600.0) -> GoingBack:
    return GoingBack(index.backends, Models(index.full.name, known.__contains__), Graces(0.0, 0.0, model_grace))


async def a_choice(index: Index, analysis: AnAnalysis, chosen: UUID) -> GenerationChoice:
    """That one, on the history as it is now."""
    history = await index.kernel.journal.read_stream(analysis.stream)
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=analysis.id, repository_id=REPOSITORY, user_id=LOCAL_USER)
    return GenerationChoice(
        analysis_id=analysis.id, generation_id=chosen, expected=history[-1].version, at=AT, context=context
    )


async def choose(index: Index, analysis: AnAnalysis, chosen: UUID, *known: str) -> KeptGenerations:
    return await going_back(index, *(known or ("full-words",)))(await a_choice(index, analysis, chosen))


def former(analysis: AnAnalysis) -> UUID:
    return generation_id(analysis.id, GenerationKind.FULL)


def newer(analysis: AnAnalysis) -> UUID:
    return generation_id(analysis.id, GenerationKind.FULL, 1)


async def test_there_and_forward_again_is_an_event_each_and_the_other_one_is_kept(
    index: Index, analysis: AnAnalysis
) -> None:
    first = await choose(index, analysis, former(analysis))
    asked = [await index.ask("task"), await index.ask("task", analysis_id=analysis.id)]
    await index.housekeeping(model_grace=3_600.0).sweep()
    second = await choose(index, analysis, newer(analysis))

    assert [(one.generation_id, one.serves, one.asked) for one in first.items] == [
        (former(analysis), True, True),
        (newer(analysis), False, True),
    ]
    assert [one.generation_id for one in second.items if one.serves] == [newer(analysis)]
    assert {reply.generation_id for reply in asked} == {former(analysis)}
    history = await index.kernel.journal.read_stream(analysis.stream)
    told = [one for one in history if one.event_type == IndexActivated.event_type and one.data.get("instead_of")]
    assert [(one.data["generation_id"], one.data["instead_of"], one.user_id) for one in told] == [
        (str(former(analysis)), str(newer(analysis)), LOCAL_USER),
        (str(newer(analysis)), str(former(analysis)), LOCAL_USER),
    ]
    [kept_until] = [one.kept_until for one in second.items if not one.serves]
    assert kept_until is not None
    await index.housekeeping().sweep()
    left = await going_back(index).kept(LOCAL_TENANT, analysis.id)
    assert [one.generation_id for one in left.items] == [newer(analysis)], "its time is over"


async def test_of_what_serves_it_is_not_told_until_when_it_is_kept(index: Index, analysis: AnAnalysis) -> None:
    earlier = "UPDATE rag.generations SET changed_at = now() - interval '1 hour' WHERE generation_id = :id"
    async with index.backends.engine.begin() as connection:  # as if the other one had been built again since
        await connection.execute(text(earlier), {"id": newer(analysis)})

    kept = (await going_back(index).kept(LOCAL_TENANT, analysis.id)).items

    assert [(one.serves, one.kept_until) for one in kept] == [(False, None), (True, None)]


async def test_what_was_chosen_stays_until_yet_another_model_is_set(index: Index, analysis: AnAnalysis) -> None:
    await choose(index, analysis, former(analysis))
    engine, known = index.backends.engine, FormerEmbedders(index.former)

    [chosen] = await choosing.of_other_models(engine, "other-words")
    [since] = await choosing.of_other_models(engine, "third-words")
    [told] = (await CollectionsNow(index.backends, "other-words", known)()).earlier

    assert (chosen.generation_id, chosen.chosen, since.chosen) == (former(analysis), True, False)
    assert (told.model, told.chosen, told.asked) == ("full-words", True, True)
    await choose(index, analysis, newer(analysis))
    assert await choosing.of_other_models(engine, "other-words") == []


async def test_what_was_gone_back_to_is_embedded_anew_whenever_another_model_was_set_since(
    index: Index, analysis: AnAnalysis
) -> None:
    async def said_where(*wanted: str) -> list[int]:
        """How often it was said of the analysis, after each model was set in turn."""
        counts = []
        for model in wanted:
            await EmbeddingAnew(index.backends, index.kernel.journal, Models(model, index.former.__contains__))()
            counts.append((await index.said(analysis)).count(EmbedderChanged.event_type))
        return counts

    await choose(index, analysis, former(analysis))
    first = await said_where("other-words", "third-words", "other-words")
    await choose(index, analysis, newer(analysis))
    forward = await said_where("other-words")
    await choose(index, analysis, former(analysis))
    again = await said_where("other-words", "third-words", "other-words", "other-words")

    assert (first, forward, again) == ([0, 1, 2], [2], [2, 3, 4, 4])


async def test_what_cannot_serve_is_refused_by_its_name(index: Index, analysis: AnAnalysis) -> None:
    quick = generation_id(analysis.id, GenerationKind.QUICK)
    other = await index.ready(FILES, number=2)
    history = await index.kernel.journal.read_stream(analysis.stream)

    for code, of, chosen in (
        ("generation_unknown", analysis, uuid4()),
        ("generation_unknown", analysis, quick),
        ("generation_unknown", other, former(analysis)),
        ("analysis_replaced", analysis, former(analysis)),
    ):
        with pytest.raises(Fault, match=code):
            await choose(index, of, chosen)

    assert await index.kernel.journal.read_stream(analysis.stream) == history
    assert (await going_back(index).kept(derived_id("tenant", 2), analysis.id)).items == ()


async def test_one_whose_questions_nobody_embeds_is_refused(index: Index, analysis: AnAnalysis) -> None:
    with pytest.raises(Fault, match="embedder_not_set"):
        await choose(index, analysis, former(analysis), "a model of nobody's")


async def test_one_without_the_passages_that_were_added_since_is_refused(index: Index, analysis: AnAnalysis) -> None:
    more = await index.analysis(MORE)
    await index.run(await index.request(more, Stage.INDEX, [*more.sources, *more.symbols, *more.chunks], attempt=2))

    with pytest.raises(Fault, match="generation_outdated"):
        await choose(index, analysis, former(analysis))


async def test_one_whose_vectors_are_lost_is_waited_for(index: Index, analysis: AnAnalysis) -> None:
    lost = await generations.get(index.backends.engine, former(analysis))
    assert lost is not None
    await index.backends.vectors.drop(lost.collection or "")

    with pytest.raises(Fault, match="index_unavailable"):
        await choose(index, analysis, former(analysis))
    await index.housekeeping(model_grace=3_600.0).mend()

    assert (await choose(index, analysis, former(analysis))).items[0].generation_id == former(analysis)


async def test_nothing_is_changed_that_nobody_waits_for_and_who_asks_again_has_what_was_found(
    index: Index, analysis: AnAnalysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, begun, may_go_on = choosing.passages, list[UUID](), asyncio.Event()

    async def held(engine: AsyncEngine, analysis_id: UUID) -> set[str]:
        begun.append(analysis_id)
        await may_go_on.wait()
        return await read(engine, analysis_id)

    monkeypatch.setattr(choosing, "passages", held)
    going, choice = going_back(index, "full-words"), await a_choice(index, analysis, former(analysis))
    going._patience = 0.5
    with pytest.raises(Transient, match=r"index_unavailable: .* being looked at"):
        await going(choice)
    may_go_on.set()
    await asyncio.gather(*going._compared.values())
    left = await index.kernel.journal.read_stream(analysis.stream)
    serves = (await index.ask("task")).generation_id

    going._patience = 60.0
    kept = await going(choice)

    assert (left[-1].version, serves) == (choice.expected, newer(analysis)), "it was told that it was not done"
    assert [one.generation_id for one in kept.items if one.serves] == [former(analysis)]
    assert begun == [analysis.id], "it was looked at once"
    await going.close()


async def test_the_janitor_does_not_let_go_of_what_is_being_chosen(index: Index, analysis: AnAnalysis) -> None:
    engine = index.backends.engine
    async with engine.connect() as connection:
        current = await generations.serving(connection, REPOSITORY)
    assert current is not None
    target = replace(current, generation_id=former(analysis))
    async with engine.begin() as connection:
        assert await choosing.choose(
            connection, LOCAL_TENANT, REPOSITORY, target, current=current, chosen_over="other-words"
        )
        retiring = asyncio.create_task(generations.retire(engine, former(analysis)))
        done, _ = await asyncio.wait({retiring}, timeout=0.3)
        assert not done, "it waits for whoever has the row"

    assert await retiring is False
    assert (await index.ask("task")).generation_id == former(analysis)


async def test_whoever_comes_after_the_janitor_is_told_that_it_is_gone(index: Index, analysis: AnAnalysis) -> None:
    assert await generations.retire(index.backends.engine, former(analysis))

    with pytest.raises(Fault, match="generation_unknown"):
        await choose(index, analysis, former(analysis))
