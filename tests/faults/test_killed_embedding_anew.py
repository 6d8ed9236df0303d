"""Another embedder is set: what serves goes on beside what is built, whoever is killed, and can come back."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI

from events.base import LOCAL_TENANT
from events.collection import GenerationChoice, KeptGenerations
from events.index import EmbedderChanged, GenerationKind
from events.processing import Stage, StageFailed
from orchestrator.workflow import Phase, replay
from processor.adapters.parser_pool import ParserPool
from rag_manager.api import add_problems, generation_routes
from rag_manager.embedding_anew import EmbeddingAnew
from rag_manager.going_back import GoingBack, Models
from rag_manager.housekeeping import Graces
from rag_manager.rows import generations
from runtime.faults import Permanent
from tests.fakes.embedder import WordEmbedder
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.index import Index, an_index
from tests.support.jobs import Bench
from tests.support.kernel import AT
from tests.support.orchestrator import a_system, served
from tests.support.pipeline import SMALL, Pipeline, a_pipeline
from tests.support.service_keys import KEYS, verifier

ONE = 1  # the number of the analysis
WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove")
FILES = {f"part_{word}.py": f"def bark_{word}(times):\n    return times\n" for word in WORDS}
QUESTIONS = ("bark amber", "where is the dune", "fjord times")
Found = tuple[set[str | None], list[object]]


def anew(index: Index) -> EmbeddingAnew:
    return EmbeddingAnew(index.backends, index.kernel.journal, Models(index.full.name, index.former.__contains__))


async def found(pipeline: Pipeline) -> Found:
    """The models that answered, and what they found."""
    replies = [await pipeline.ask(ONE, question) for question in QUESTIONS]
    assert {reply.degraded for reply in replies} == {None}
    return {reply.model for reply in replies}, [[(p.path, p.score) for p in reply.passages] for reply in replies]


async def kept(going: GoingBack, pipeline: Pipeline) -> KeptGenerations:
    return await going.kept(LOCAL_TENANT, pipeline.analysis(ONE))


async def a_choice(pipeline: Pipeline, generation_id: UUID) -> GenerationChoice:
    """That one, on the history as it is now."""
    history = await pipeline.history(ONE)
    context = history[0].context.model_copy(update={"causation_id": None})
    return GenerationChoice(
        analysis_id=pipeline.analysis(ONE),
        generation_id=generation_id,
        expected=history[-1].version,
        at=AT,
        context=context,
    )


async def full_ones(index: Index) -> list[str | None]:
    there = await generations.with_collections(index.backends.engine)
    return sorted(str(one.model) for one in there if one.kind is GenerationKind.FULL)


@asynccontextmanager
async def the_api(going: GoingBack, monkeypatch: pytest.MonkeyPatch, servers: tuple[str, ...]) -> AsyncIterator[None]:
    """The orchestrator, which asks `going` over HTTP; commands of this process's environment reach it."""
    beside = FastAPI()
    beside.include_router(generation_routes(going, verifier("rag_manager")))
    add_problems(beside)
    database, redis, _, folder = servers
    async with served(beside) as url:
        monkeypatch.setenv("REPOSTREAM_INTERNAL_RAG_MANAGER_URL", url)
        monkeypatch.setenv("REPOSTREAM_SERVICE_KEY", KEYS["orchestrator"])
        home = Path(folder) / "home"
        async with a_system(monkeypatch, database_url=database, redis_url=redis, home=home, working=False) as system:
            monkeypatch.setenv("REPOSTREAM_INTERNAL_ORCHESTRATOR_URL", str(system.client.base_url))
            yield


async def roll_back(pipeline: Pipeline) -> str:
    """`repostream rollback`: the model that it says serves from then on."""
    command = [str(Path(sys.executable).with_name("repostream")), "rollback", str(pipeline.analysis(ONE)), "--json"]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=os.environ)
    said, _ = await child.communicate()
    assert child.returncode == 0
    [serves] = [one["model"] for one in json.loads(said)["items"] if one["serves"]]
    return str(serves)


async def there_and_back_again(
    pipeline: Pipeline, servers: tuple[str, ...], before: Found, after: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a person's word to the former generation, though its worker is killed, and forward; nothing is embedded."""
    index = pipeline.index
    index.full.embedded.clear()
    index.former["full-words"]().embedded.clear()  # type: ignore[attr-defined]  # a double
    going = GoingBack(index.backends, Models(index.full.name, lambda _name: True), Graces(0.0, 0.0, 3_600.0))
    new, old = (await kept(going, pipeline)).items
    assert [(one.model, one.serves, one.kept_until is None) for one in (new, old)] == [
        ("other-words", True, True),
        ("full-words", False, False),
    ]
    choice = await a_choice(pipeline, old.generation_id)

    said = len(await pipeline.history(ONE))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.choosing_child", *servers, choice.model_dump_json(), "other-words")
    )
    assert await child.wait() == -signal.SIGKILL, "nobody was killed"
    assert (len(await pipeline.history(ONE)), await found(pipeline)) == (said, after), "nothing of it was done"

    chosen = [await going(choice), await going(choice)]  # told twice, done once
    assert chosen[0] == chosen[1]
    assert len(await pipeline.history(ONE)) == said + 1
    assert await found(pipeline) == before
    by_analysis = await pipeline.ask(ONE, QUESTIONS[0], analysis_id=pipeline.analysis(ONE))
    assert by_analysis.model == "full-words", "by the analysis as by the repository"
    assert await anew(index)() == [], "what a person chose is not put right"
    with pytest.raises(Permanent, match="index_moved"):
        await going(choice.model_copy(update={"generation_id": new.generation_id}))

    await index.housekeeping(model_grace=3_600.0).sweep()
    assert await full_ones(index) == ["full-words", "other-words"]
    async with the_api(going, monkeypatch, servers):
        for model, finds in (("other-words", after), ("full-words", before), ("other-words", after)):
            assert await roll_back(pipeline) == model
            assert await found(pipeline) == finds
    assert await full_ones(index) == ["full-words", "other-words"]
    assert replay(await pipeline.history(ONE)).phase is Phase.REFINED
    texts = [*index.full.embedded, *index.former["full-words"]().embedded]  # type: ignore[attr-defined]  # the same
    assert not [text for text in texts if "def" in text]


@pytest.mark.timeout(300)
async def test_a_generation_of_another_model_is_built_beside_and_can_be_gone_back_to(
    database_url: str, redis_url: str, chroma_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_repository(tmp_path / "served" / "kennel.git", [FILES])
    with GitServer(tmp_path / "served") as server:
        async with an_index(database_url, redis_url, tmp_path, chroma_url) as index, ParserPool(1) as pool:
            pipeline = a_pipeline(index, Bench(tmp_path, limits=SMALL), pool)
            await pipeline.analyse(ONE, server.url("kennel"))
            old, before = index.full, await found(pipeline)
            assert before[0] == {"full-words"}
            assert await anew(index)() == []

            index.full, index.former = WordEmbedder("other-words"), {"full-words": lambda: old}
            assert len(await anew(index)()) == len(await anew(index)()) == 1  # by two processes
            said = [event.event_type for event in await pipeline.history(ONE)]
            assert said.count(EmbedderChanged.event_type) == 1
            assert await found(pipeline) == before

            for stage in (Stage.REFINE, Stage.PROMOTE):
                child = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.support.pipeline_child"),
                    *(database_url, redis_url, chroma_url, str(tmp_path), stage.value, "other-words"),
                )
                assert await child.wait() == -signal.SIGKILL, f"nobody was killed at {stage}"
                assert await found(pipeline) == before, "the old one serves, whole"
            ended = await pipeline.go_on(ONE)

            assert ended.phase is Phase.REFINED
            assert not [text for text in index.full.embedded if "def" in text], "the shards were there already"
            after = await found(pipeline)
            assert after[0] == {"other-words"}
            await index.housekeeping(model_grace=3_600.0).sweep()
            assert await full_ones(index) == ["full-words", "other-words"]
            servers = (database_url, redis_url, chroma_url, str(tmp_path))
            await there_and_back_again(pipeline, servers, before, after, monkeypatch)

            index.full, other = old, index.full
            index.former = {"other-words": lambda: other}
            old.embedded.clear()
            assert len(await anew(index)()) == 1
            assert (await pipeline.go_on(ONE)).phase is Phase.REFINED
            assert not [text for text in old.embedded if "def" in text], "gone back to without embedding anything"
            assert await found(pipeline) == before
            await index.housekeeping().sweep()
            assert await full_ones(index) == ["full-words"]
            assert await anew(index)() == []

            index.full, index.former = WordEmbedder("refused-words"), {"full-words": lambda: old}
            index.full.refuses = "e"  # which every text has: the provider takes none
            assert len(await anew(index)()) == 1
            assert (await pipeline.go_on(ONE)).phase is Phase.READY
            told = await pipeline.history(ONE)
            failed = [event for event in told if event.event_type == StageFailed.event_type]
            assert {(event.stage, event.data["code"]) for event in failed} == {
                ("refine", "embedder_rejected"),
                ("promote", "not_embedded_anew"),
            }
            assert await found(pipeline) == before
            await anew(index)()
            await pipeline.go_on(ONE)
            assert await pipeline.history(ONE) == told, "nothing is asked again by itself"
