"""Questions for a relation or a message, over a real index and the graph's own tables."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT
from rag_manager.rows.graph import edges_around
from rag_manager.stages.read_relation import Relation, RelationKind
from runtime.tenancy import TenantDatabase
from tests.fakes.vectors import MemoryVectors
from tests.support.index import Index, an_index

FILES = {
    "src/send.py": "def send(value):\n    return value\n",
    "src/session.py": "from src.send import send\n\ndef work(value):\n    return send(value)\n",
    "src/locks.py": 'def lock(name):\n    raise Refused(f"the lock {name} is held by {owner()}")\n',
    "src/other.py": "def other(value):\n    return None\n",
}
LOADED = (
    "INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows, part_id, part_shard)"
    " VALUES (:tenant, :analysis, 'symbols', 0, 'k', 2, :analysis, 0)"
)
SYMBOL = (
    "INSERT INTO app.part_symbols (tenant_id, part_id, shard, ordinal, path, language, kind, name, qualified_name,"
    " signature, docstring, first_line, last_line)"
    " VALUES (:tenant, :analysis, 0, :n, :path, 'python', 'function', :name, :name, '', '', :first, :last)"
)
LINK = (
    "INSERT INTO app.links VALUES"
    " (:tenant, :analysis, 0, 0, 'call', 'src/session.py', 4, 'work', 0, 1, 'src/send.py', 'send', 0, 0, 0.95, 'exact')"
)
IMPORT = (
    "INSERT INTO app.imports VALUES"
    " (:tenant, :analysis, 0, 0, 'src/session.py', 1, '', 'src.send', 'send', '', 0, 'file', 'src/send.py', 0.95)"
)


@pytest.fixture
async def index(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with an_index(database_url, redis_url, tmp_path, MemoryVectors()) as made:
        yield made


async def a_graph(index: Index, analysis: UUID, tenant: UUID = LOCAL_TENANT) -> None:
    whose = {"tenant": tenant, "analysis": analysis}
    async with index.backends.engine.begin() as connection:
        await connection.execute(text(LOADED), whose)
        for n, (path, name, first, last) in enumerate(
            (("src/send.py", "send", 1, 2), ("src/session.py", "work", 3, 4))
        ):
            more = {"n": n, "path": path, "name": name, "first": first, "last": last}
            await connection.execute(text(SYMBOL), {**whose, **more})
        await connection.execute(text(LINK), whose)
        await connection.execute(text(IMPORT), whose)
    await index.linked(analysis, links=1, tenant=tenant)


async def test_callers_and_what_is_imported_are_found_by_the_graph(index: Index) -> None:
    analysis = await index.ready(FILES)
    await a_graph(index, analysis.id)

    called, calls = await index.ask("Who calls send?"), await index.ask("What does work call?")
    imported = await index.ask("Who imports src/send.py?")

    assert (called.passages[0].path, called.passages[0].ranks["graph"]) == ("src/session.py", 1)
    assert called.passages[0].scores["graph"] == pytest.approx(0.95)
    assert (called.plan[0].retriever, called.plan[0].found, called.plan[0].about) == ("graph", 1, "callers of send")
    assert calls.passages[0].path == "src/send.py"
    assert (imported.passages[0].path, imported.plan[0].about) == ("src/session.py", "importers of src/send.py")


async def test_without_a_graph_the_search_is_as_any_other_and_says_that_there_is_none_yet(index: Index) -> None:
    analysis = await index.ready(FILES)

    reply = await index.ask("Who calls send?")
    await a_graph(index, analysis.id)
    later, nobody = await index.ask("Who calls send?"), await index.ask("Who calls nothing_that_is_there?")

    assert reply.passages
    told = [(one.plan[0].retriever, one.plan[0].found, one.plan[0].absent) for one in (reply, later, nobody)]
    assert told == [("graph", 0, True), ("graph", 1, False), ("graph", 0, False)]


async def test_who_calls_what_was_found_stands_beside_it_once_the_graph_is_made(index: Index) -> None:
    analysis = await index.ready(FILES)

    before = await index.ask("where is send defined", limit=1)
    await a_graph(index, analysis.id)
    later = await index.ask("where is send defined", limit=1)

    assert ([one.path for one in before.passages], before.settled) == (["src/send.py"], False)
    assert [(one.path, one.relation) for one in later.passages] == [("src/send.py", ""), ("src/session.py", "caller")]
    assert later.settled


async def test_code_without_links_or_imports_is_settled_once_that_is_known(index: Index) -> None:
    analysis = await index.ready(FILES)

    before = await index.ask("where is send defined", limit=1)
    await index.linked(analysis.id)

    assert (before.settled, (await index.ask("where is send defined", limit=1)).settled) == (False, True)


async def test_a_message_is_found_by_the_text_that_makes_it(index: Index) -> None:
    await index.ready(FILES)

    reply = await index.ask('Why do I get "the lock db-7 is held by nobody at all"?')

    assert reply.passages[0].path == "src/locks.py"
    assert (reply.plan[0].retriever, reply.plan[0].found) == ("exact", 1)
    assert "exact" in reply.passages[0].ranks


async def test_the_role_of_searches_sees_the_graph_of_its_own_tenant_alone(index: Index) -> None:
    analysis = await index.ready(FILES)
    await a_graph(index, analysis.id, tenant=uuid4())
    rows, asked = TenantDatabase(index.backends.engine), Relation(RelationKind.CALLERS, "send")

    async with index.backends.engine.begin() as connection:
        await connection.execute(text("SET LOCAL ROLE repostream_search"))
        await connection.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(LOCAL_TENANT)})
        counts = [
            await connection.scalar(text(f"SELECT count(*) FROM app.{t}")) for t in ("symbols", "links", "imports")
        ]

    assert counts == [0, 0, 0]
    assert len(await edges_around(rows, LOCAL_TENANT, analysis.id, asked)) == 2  # as the owner, who sees all
