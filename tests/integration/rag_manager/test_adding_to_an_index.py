"""What was lost is added to an index that serves: in the end nothing tells it from one that never lost anything.

After each run somebody searches: they find what was there before, or all of what is there in the end.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from events import processing as facts
from events.processing import Stage
from orchestrator.workflow import Phase
from processor.adapters.parser_pool import ParserPool
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.index import an_index
from tests.support.jobs import Bench
from tests.support.kennel import BROKEN, CLEAN, FILES, answers, is_lost, tables
from tests.support.pipeline import SMALL, Pipeline, a_pipeline


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    folder = tmp_path_factory.mktemp("served")
    build_repository(folder / "kennel.git", [FILES])
    with GitServer(folder) as server:
        yield server


@pytest.fixture
async def pipeline(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as index, ParserPool(1) as pool:
        for name in await index.backends.vectors.names():  # of other tests, by the same names
            await index.backends.vectors.drop(name)
        yield a_pipeline(index, Bench(tmp_path, limits=SMALL), pool)


async def generations(pipeline: Pipeline, number: int) -> list[tuple[object, ...]]:
    """Kind, chunks and vectors of what serves or could: of each kind the newest."""
    query = """
    SELECT DISTINCT ON (kind) kind, state, chunks, vectors FROM rag.generations
    WHERE analysis_id = CAST(:id AS uuid) AND state = 'built' ORDER BY kind, changed_at DESC
    """
    return await pipeline.index.kernel.rows(query, id=pipeline.stream(number).partition("/")[2])


@pytest.mark.parametrize("twice", [False, True], ids=["at once", "each run killed once before it is recorded"])
async def test_what_was_lost_is_added_and_every_search_sees_one_state(
    pipeline: Pipeline, host: GitServer, twice: bool
) -> None:
    url = host.url("kennel")
    whole = await pipeline.analyse(CLEAN, url)
    assert (whole.phase, await pipeline.partial(CLEAN)) == (Phase.REFINED, False)
    expected = await answers(pipeline, CLEAN)
    async with ParserPool(1, entry="tests.support.faulty_parser_child") as faulty:
        broken = await replace(pipeline, pool=faulty).analyse(BROKEN, url, is_lost)
    before = await answers(pipeline, BROKEN)
    assert (broken.phase, await pipeline.partial(BROKEN)) == (Phase.REFINED, True)
    assert before != expected
    assert len([1 for row in (await tables(pipeline, BROKEN))["app.outcomes"] if row[1] == "failed"]) == 2

    seen = []

    async def look(_request: facts.StageRequested) -> None:
        seen.append(await answers(pipeline, BROKEN))
        assert await pipeline.index.housekeeping(generation_grace=3_600).mend() == []

    await pipeline.tell(BROKEN, facts.RetryRequested())
    mended = await replace(pipeline, twice=twice).go_on(BROKEN, after=look)

    assert (mended.phase, await pipeline.partial(BROKEN)) == (Phase.REFINED, False)
    assert [found for found in seen if found not in (before, expected)] == []
    assert [found == expected for found in seen] == sorted(found == expected for found in seen)
    assert seen[0] == before
    assert await answers(pipeline, BROKEN) == expected
    assert await tables(pipeline, BROKEN) == await tables(pipeline, CLEAN)
    assert await generations(pipeline, BROKEN) == await generations(pipeline, CLEAN)
    await parsed_only_what_failed(pipeline)
    if not twice:
        await a_stage_that_succeeded_runs_again(pipeline)
    await nothing_old_stays(pipeline)


async def a_stage_that_succeeded_runs_again(pipeline: Pipeline) -> None:
    """All of the index is made once more beside what serves, and nobody finds anything else meanwhile."""
    before, stood, seen = await answers(pipeline, BROKEN), await generations(pipeline, BROKEN), list[bool]()

    async def look(_request: facts.StageRequested) -> None:
        seen.append(await answers(pipeline, BROKEN) == before)

    await pipeline.tell(BROKEN, facts.RetryRequested(stage=Stage.PARSE, reason="to see"))
    again = await pipeline.go_on(BROKEN, after=look)

    assert (again.phase, seen) == (Phase.REFINED, [True] * len(seen))
    made = {stage for (stage, _), slot in again.slots.items() if slot.attempt > 1}
    assert made >= {Stage.PARSE, Stage.EMBED, Stage.ACTIVATE, Stage.REFINE, Stage.PROMOTE, Stage.INDEX}
    assert await tables(pipeline, BROKEN) == await tables(pipeline, CLEAN)
    assert await generations(pipeline, BROKEN) == stood


async def parsed_only_what_failed(pipeline: Pipeline) -> None:
    """Of shards of which a file failed, the other files' rows were taken over."""
    again = [
        facts.StageCompleted.model_validate(event.data)
        for event in await pipeline.history(BROKEN)
        if event.event_type == facts.StageCompleted.event_type and event.data["attempt"] == 2
    ]
    parsed = {event.shard: event.counts for event in again if event.stage is Stage.PARSE}
    fresh = {shard: counts["files"] - counts["files_reused"] for shard, counts in parsed.items()}
    assert sum(fresh.values()) == 2 + parsed[2]["files"] - (fresh[2] == 0)
    assert len(parsed) > 1


async def nothing_old_stays(pipeline: Pipeline) -> None:
    """What served before is let go, and everybody still finds everything."""
    before = await answers(pipeline, BROKEN)
    await pipeline.index.housekeeping().sweep()
    query = "SELECT count(*) FROM rag.generations WHERE analysis_id = CAST(:id AS uuid) AND state <> 'retired'"
    assert await pipeline.index.kernel.one(query, id=pipeline.stream(BROKEN).partition("/")[2]) == 3
    assert await pipeline.index.housekeeping().mend() == []
    assert await answers(pipeline, BROKEN) == before


async def test_a_search_under_which_the_index_changes_is_of_one_state(pipeline: Pipeline, host: GitServer) -> None:
    url = host.url("kennel")
    async with ParserPool(1, entry="tests.support.faulty_parser_child") as faulty:
        await replace(pipeline, pool=faulty).analyse(BROKEN, url, is_lost)
    before = await answers(pipeline, BROKEN)
    await pipeline.tell(BROKEN, facts.RetryRequested())
    seen: list[object] = []
    stopped = asyncio.Event()

    async def searching() -> None:
        while not stopped.is_set():
            seen.append(await answers(pipeline, BROKEN))

    searchers = [asyncio.create_task(searching()) for _ in range(3)]
    await pipeline.go_on(BROKEN)
    stopped.set()
    await asyncio.gather(*searchers)
    after = await answers(pipeline, BROKEN)

    assert before != after
    assert before in seen
    for found in seen:
        assert all(one in states for one, states in zip(found, zip(before, after, strict=True), strict=True))
