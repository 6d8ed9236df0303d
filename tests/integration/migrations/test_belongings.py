"""Every table has a rule for deletion and for export: the one list is compared with the database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from orchestrator.adapters.belongings import BELONGINGS, Fate, unknown

SCHEMAS = ["app", "auth", "audit", "es", "rag", "sandbox", "public"]


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def columns(connection: asyncpg.Connection) -> dict[str, set[str]]:
    rows = await connection.fetch(
        """
        SELECT table_schema || '.' || table_name AS name, array_agg(column_name::text) AS columns
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = ANY ($1) AND table_type = 'BASE TABLE' GROUP BY 1
        """,
        SCHEMAS,
    )
    return {row["name"]: set(row["columns"]) for row in rows}


async def test_every_table_has_a_rule(connection: asyncpg.Connection) -> None:
    there = await columns(connection)

    assert unknown([*there]) == []
    assert {each.table for each in BELONGINGS} == set(there)
    assert len(BELONGINGS) == len(there)


async def test_a_table_without_a_rule_is_found(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TABLE app.forgotten (tenant_id uuid)")

    assert unknown([*await columns(connection)]) == ["app.forgotten"]


async def test_the_rules_name_columns_that_are_there_and_leave_out_nobodys_rows(
    connection: asyncpg.Connection,
) -> None:
    there = await columns(connection)

    for each in BELONGINGS:
        assert {*each.personal, *each.key, *each.secret} <= there[each.table], each.table
        assert bool(each.file) or bool(each.why), each.table
        for column, condition in (("tenant_id", each.tenant), ("user_id", each.user)):
            if column in there[each.table] and each.fate is not Fate.NOBODYS:
                assert condition or each.table in EXEMPT, (each.table, column)
            if condition:
                where = condition.replace(":tenant", "$1").replace(":user", "$1")
                await connection.fetch(f"SELECT 1 FROM {each.table} WHERE {where}", each_id())


EXEMPT = {"audit.entries"}  # what a person did in a tenant is the person's


_FOLLOWS = "read models skip what was deleted, in the order of the feed, and are waited for"
_CASCADES = "goes with the row that it is of"
# Tables of which nothing is refused though their rows are deleted with somebody, each with why nothing is left there.
UNGUARDED = {
    **dict.fromkeys(("app.repositories", "app.analyses", "app.questions", "app.conversations", "app.files"), _FOLLOWS),
    **dict.fromkeys(("app.imports", "app.links", "app.connections", "app.churn", "app.commits"), _FOLLOWS),
    **dict.fromkeys(("app.outcomes", "app.part_symbols", "app.part_edges", "app.dependencies", "app.loaded"), _FOLLOWS),
    "app.embedding_costs": _FOLLOWS,
    "app.webhook_deliveries": _CASCADES,
    "app.webhook_attempts": _CASCADES,
    "app.push_deliveries": _CASCADES,
    "sandbox.runs": _CASCADES,
    "sandbox.artifacts": _CASCADES,
    "es.timers": "of work on repositories, which are deleted first, and whose work is cancelled",
    "es.snapshots": "requests do not write it; what is deleted is looked for under the lock that erasing waits for",
}


async def test_every_table_that_requests_write_refuses_rows_of_whoever_is_deleted(
    connection: asyncpg.Connection,
) -> None:
    rows = await connection.fetch(
        "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'refuse_deleted'"
    )
    guarded = {row["name"] for row in rows}
    deleted = {each.table for each in BELONGINGS if each.fate is Fate.DELETED and each.by == "orchestrator"}

    assert guarded == (deleted - UNGUARDED.keys()) | {"es.events"}
    assert deleted >= UNGUARDED.keys()


def each_id() -> str:
    return "00000000-0000-4000-8000-00000000000f"


async def test_no_secret_is_in_an_export(connection: asyncpg.Connection) -> None:
    """Whatever is stored as bytes is a hash, or sealed: an export has none of it."""
    rows = await connection.fetch(
        """
        SELECT table_schema || '.' || table_name AS name, column_name AS column FROM information_schema.columns
        WHERE table_schema = ANY ($1) AND data_type = 'bytea'
        """,
        SCHEMAS,
    )
    secret = {(each.table, column) for each in BELONGINGS for column in each.secret}
    exported = {each.table for each in BELONGINGS if each.file}

    assert {(row["name"], row["column"]) for row in rows if row["name"] in exported} - secret == {
        ("audit.entries", "hash"),
        ("audit.entries", "origin"),
        ("audit.entries", "salt"),
    }
