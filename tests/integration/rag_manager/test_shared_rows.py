"""Analyses of one repository share the rows of what did not change; what none of them has goes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.base import LOCAL_TENANT
from events.delivery.work import Result
from events.looking import LinesRequest
from events.processing import Stage, StageCompleted
from rag_manager.jobs.erase_analysis import EraseAnalysis
from runtime.faults import Transient
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, AnAnalysis, ARun, Index, an_index
from tests.support.jobs import said

FILES = {
    f"src/part{number}.py": f"def part_{number}():\n    walk()\n\ndef other_{number}():\n    ..."
    for number in range(12)
}
CHANGED = {
    **FILES,
    "src/part3.py": "def part_3():\n    swim()\n\ndef other_3():\n    ...",
    "src/part5.py": "def part_5(): ...",
    "src/new.py": "def new(): ...\n\ndef more(): ...",
}
KINDS = ("chunks", "files", "symbols")


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as made:
        yield made


async def indexed(index: Index, files: dict[str, str], number: int) -> AnAnalysis:
    analysis = await index.analysis(files, number=number, shards=4)
    await index.index(analysis)
    return analysis


async def rows_of(index: Index, analysis: AnAnalysis) -> list[object]:
    """All that a search finds of an analysis, in order."""
    query = "SELECT jsonb_agg(to_jsonb(t) - 'analysis_id' ORDER BY to_jsonb(t)) FROM rag.{} t WHERE analysis_id = :id"
    return [await index.kernel.one(query.format(kind), id=analysis.id) for kind in KINDS]


async def stored(index: Index) -> list[object]:
    """How many rows there are, whoever has them."""
    return [await index.kernel.one(f"SELECT count(*) FROM rag.part_{kind}") for kind in KINDS]  # our own names


async def erase(index: Index, analysis: AnAnalysis) -> None:
    await EraseAnalysis(index.backends)(LOCAL_TENANT, analysis.stream, REPOSITORY, ARun())


async def asked(index: Index, analysis: AnAnalysis, attempt: int = 1) -> Result:
    """An index that is read and not written yet."""
    inputs = [*analysis.sources, *analysis.symbols, *analysis.chunks]
    return await index.handle(await index.request(analysis, Stage.INDEX, inputs, attempt=attempt))


async def write(index: Index, result: Result) -> None:
    async with index.backends.engine.begin() as connection:
        assert result.write is not None
        await result.write(connection)


async def test_only_the_rows_of_shards_that_changed_are_written_and_all_are_those_of_a_clean_index(
    index: Index,
) -> None:
    first = await indexed(index, FILES, 1)
    alone = await stored(index)
    second = await indexed(index, CHANGED, 2)
    both, before, shared = await stored(index), await rows_of(index, first), await rows_of(index, second)
    await erase(index, first)
    await erase(index, second)
    assert await stored(index) == [0, 0, 0]
    clean = await indexed(index, CHANGED, 3)

    assert shared == await rows_of(index, clean)
    assert before != shared
    assert alone == [24, 12, 24]
    # part3, part5 and new are in three of four shards; the symbols of part3 are called as before.
    assert both == [24 + 25 - 6, 12 + 13 - 3, 24 + 25 - 12]


async def test_what_was_written_already_is_not_written_again(index: Index) -> None:
    first = await indexed(index, FILES, 1)
    await index.kernel.one("WITH marked AS (UPDATE rag.part_chunks SET text = 'kept' RETURNING 1) SELECT 1")
    second = await indexed(index, FILES, 2)

    assert await stored(index) == [24, 12, 24]
    assert await rows_of(index, first) == await rows_of(index, second)
    assert "kept" in str(await rows_of(index, second))


@pytest.mark.parametrize("goes", [1, 2])
async def test_an_erased_analysis_takes_what_it_alone_had(index: Index, goes: int) -> None:
    both = {1: await indexed(index, FILES, 1), 2: await indexed(index, CHANGED, 2)}
    gone = both.pop(goes)
    [stays] = both.values()
    before = await rows_of(index, stays)

    await erase(index, gone)

    assert await rows_of(index, stays) == before
    assert await rows_of(index, gone) == [None, None, None]
    assert await stored(index) == [len(rows) for rows in before if isinstance(rows, list)]


async def test_a_replaced_analysis_keeps_its_files_and_lets_go_of_the_rest(index: Index) -> None:
    first = await index.ready(FILES, shards=4)
    changed = {**FILES, "src/part3.py": "def part_3(): ..."}
    second = await index.analysis(changed, number=2, shards=4)
    await index.index(second)
    await index.embed(second)
    await index.activate(second)
    before = await rows_of(index, second)

    await index.housekeeping().sweep()

    chunks, files, symbols = await rows_of(index, first)
    assert (chunks, symbols) == (None, None)
    assert isinstance(files, list)
    assert len(files) == 12
    assert await rows_of(index, second) == before
    assert await stored(index) == [23, 12 + 3, 23]
    request = LinesRequest(
        tenant_id=LOCAL_TENANT, analysis_id=first.id, path="src/part3.py",
        first_line=1, last_line=2,
    )  # fmt: skip
    assert "walk()" in str(await index.lines()(request))


async def test_rows_that_were_lost_are_written_again_for_all_who_share_them(index: Index) -> None:
    first = await indexed(index, FILES, 1)
    before = await rows_of(index, first)
    await index.kernel.one("WITH gone AS (DELETE FROM rag.part_symbols WHERE place = 3 RETURNING 1) SELECT 1")
    assert await rows_of(index, first) != before

    second = await indexed(index, FILES, 2)

    assert await rows_of(index, second) == before
    assert await rows_of(index, first) == before


async def test_what_goes_between_reading_and_writing_is_missed_and_written_by_the_next_try(index: Index) -> None:
    first = await indexed(index, FILES, 1)
    second = await index.analysis(CHANGED, number=2, shards=4)
    result = await asked(index, second)
    await erase(index, first)

    with pytest.raises(Transient, match="index_moved"):
        await write(index, result)
    assert await stored(index) == [0, 0, 0]
    await write(index, await asked(index, second, attempt=2))

    assert [len(rows) for rows in await rows_of(index, second) if isinstance(rows, list)] == [25, 13, 25]


async def test_two_that_write_the_same_at_once_have_it_once(index: Index) -> None:
    analyses = [await index.analysis(FILES, number=number, shards=4) for number in (1, 2)]
    results = [await asked(index, analysis) for analysis in analyses]

    faults = await asyncio.gather(*(write(index, result) for result in results), return_exceptions=True)
    [late] = [number for number, fault in enumerate(faults) if isinstance(fault, Transient)]  # the pointer moved
    await write(index, await asked(index, analyses[late], attempt=2))

    assert await stored(index) == [24, 12, 24]
    one, other = [await rows_of(index, analysis) for analysis in analyses]
    assert one == other
    assert [len(rows) for rows in one if isinstance(rows, list)] == [24, 12, 24]


async def test_an_index_that_is_written_again_has_what_it_is_made_of_now(index: Index) -> None:
    analysis = await indexed(index, FILES, 1)
    more = await index.analysis(CHANGED, number=1, shards=4)
    request = await index.request(more, Stage.INDEX, [*more.sources, *more.symbols, *more.chunks], attempt=2)

    said(await index.run(request), StageCompleted)

    assert await stored(index) == [25, 13, 25]
    assert [len(rows) for rows in await rows_of(index, analysis) if isinstance(rows, list)] == [25, 13, 25]
