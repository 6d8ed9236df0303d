"""A search that was made a moment ago is not made again, and never outlives its generation or its analysis."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from events.base import LOCAL_TENANT
from events.question import SearchRequest
from rag_manager.rows import reading
from tests.fakes.vectors import MemoryVectors
from tests.support.index import REPOSITORY, Index, an_index

FILES = {"src/cookies.py": "def sign_cookie(value):\n    return secret(value)\n"}
ASKED = SearchRequest(tenant_id=LOCAL_TENANT, repository_id=REPOSITORY, query="how is a cookie signed")


@pytest.fixture
def vectors() -> MemoryVectors:
    return MemoryVectors()


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path, vectors: MemoryVectors) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, vectors) as made:
        yield made


async def test_the_same_search_is_answered_from_memory_until_another_generation_serves(
    index: Index, vectors: MemoryVectors
) -> None:
    await index.linked((await index.ready(FILES)).id)
    search = index.search()
    first = await search(ASKED)
    vectors.down = -1

    again, other = await search(ASKED), await search(ASKED.model_copy(update={"query": "secret"}))
    vectors.down = 0
    await index.ready({"src/cookies.py": "def sign_cookie(value):\n    return value\n"}, number=2)
    newer = await search(ASKED)

    assert (again.degraded, again.passages, again.evidence) == (None, first.passages, first.evidence)
    assert other.degraded == "vectors_unavailable"
    assert (first.commit, newer.commit) == ("c0ffee1", "c0ffee2")
    assert newer.passages != first.passages


async def test_a_search_in_part_is_made_again(index: Index, vectors: MemoryVectors) -> None:
    await index.ready(FILES)
    vectors.down = 1
    worse = await index.search()(ASKED)
    search = index.search()

    assert worse.degraded == "vectors_unavailable"
    assert (await search(ASKED)).degraded is None


async def test_what_is_kept_of_an_analysis_goes_with_it(index: Index) -> None:
    await index.linked((await index.ready(FILES)).id)
    search = index.search()
    await search(ASKED)

    search.keep(await reading.existing_lexicons(index.backends.engine))
    assert [len(search._replies), len(search.dense._embedded[False])] == [1, 1]
    search.keep(set())
    assert [len(search._replies), len(search.dense._embedded[False])] == [0, 0]
