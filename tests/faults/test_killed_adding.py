"""Whoever adds what was lost to an index is killed again and again: in the end it is as if nothing had been lost."""

import asyncio
import signal
import sys
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
from tests.support.pipeline import SMALL, a_pipeline

_KILLED_AT = (Stage.PARSE, Stage.ACTIVATE, Stage.PROMOTE, Stage.INDEX)


@pytest.mark.timeout(300)
async def test_killed_before_each_commit_it_ends_as_if_nothing_had_been_lost(
    database_url: str, redis_url: str, chroma_url: str, tmp_path: Path
) -> None:
    build_repository(tmp_path / "served" / "kennel.git", [FILES])
    with GitServer(tmp_path / "served") as server:
        async with an_index(database_url, redis_url, tmp_path, chroma_url) as index, ParserPool(1) as pool:
            for name in await index.backends.vectors.names():  # of other tests, by the same names
                await index.backends.vectors.drop(name)
            pipeline = a_pipeline(index, Bench(tmp_path, limits=SMALL), pool)
            await pipeline.analyse(CLEAN, server.url("kennel"))
            async with ParserPool(1, entry="tests.support.faulty_parser_child") as faulty:
                await replace(pipeline, pool=faulty).analyse(BROKEN, server.url("kennel"), is_lost)
            before, expected = await answers(pipeline, BROKEN), await answers(pipeline, CLEAN)
            assert before != expected

            await pipeline.tell(BROKEN, facts.RetryRequested())
            for stage in _KILLED_AT:
                child = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.support.pipeline_child"),
                    *(database_url, redis_url, chroma_url, str(tmp_path), stage.value),
                )
                assert await child.wait() == -signal.SIGKILL, f"nobody was killed at {stage}"
                assert await answers(pipeline, BROKEN) == before
            ended = await pipeline.go_on(BROKEN)

            assert (ended.phase, await pipeline.partial(BROKEN)) == (Phase.REFINED, False)
            assert await answers(pipeline, BROKEN) == expected
            assert await tables(pipeline, BROKEN) == await tables(pipeline, CLEAN)
            said = [event.event_type for event in await pipeline.history(BROKEN)]
            assert said.count(facts.ProcessingCompleted.event_type) == 2
            await index.housekeeping().sweep()
            assert await index.housekeeping().mend() == []
            assert await answers(pipeline, BROKEN) == expected
