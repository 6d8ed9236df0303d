"""Searches limited to a part of a repository, by words and by the real vector server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rag_manager import dense_search, search
from runtime.faults import Permanent
from tests.fakes.vectors import MemoryVectors
from tests.support.index import Index, an_index

MANY = {f"lib/part_{n}.py": f"def cookie_{n}(value):\n    return sign(value, cookie)\n" for n in range(30)}
FILES = {
    **MANY,
    "src/session.py": "def open_session(value):\n    return value\n",
    "src/other.ts": "export function other(value) {\n  return cookie(value)\n}\n",
}


@pytest.fixture
async def index(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as made:
        yield made


async def test_every_retriever_stays_inside_the_scope(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    await index.ready(FILES)

    folder = await index.ask("how is a cookie signed", scope={"folder": "src"})
    file = await index.ask("how is a cookie signed", scope={"path": "lib/part_7.py"})
    monkeypatch.setattr(dense_search, "_NAMED_AT_MOST", 0)  # as where a scope is large
    monkeypatch.setattr(search, "LEXICAL_DEPTH", 2)
    large = await index.ask("how is a cookie signed", scope={"folder": "src"})

    for reply in (folder, large):
        assert {passage.path for passage in reply.passages} <= {"src/session.py", "src/other.ts"}
        assert reply.passages[0].path == "src/other.ts"
        assert {"lexical", "dense"} <= reply.passages[0].ranks.keys()
    assert {passage.path for passage in file.passages} == {"lib/part_7.py"}


async def test_meaning_is_searched_in_a_large_scope_of_which_all_else_is_nearer(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    nearer = {f"lib/part_{n}.py": f"def cookie_{n}(value):\n    return sign(value, cookie)\n" for n in range(850)}
    scope = {f"src/shelf_{n}.py": f"def shelf_{n}(value):\n    return value + {n}\n" for n in range(2_010)}
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as index:
        await index.ready(nearer | scope, shards=1)
        reply = await index.ask("how is a cookie signed", scope={"folder": "src"})

    assert reply.passages
    assert all("dense" in passage.ranks for passage in reply.passages)
    assert all(passage.path.startswith("src/") for passage in reply.passages)


async def test_a_scope_that_holds_nothing_is_refused_by_name(index: Index) -> None:
    await index.ready(FILES)

    with pytest.raises(Permanent) as raised:
        await index.ask("cookie", scope={"folder": "gone"})

    assert raised.value.code == "nothing_in_scope"
