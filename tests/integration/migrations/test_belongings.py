"""Every table has a rule for deletion and for export: the one list is compared with the database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from orchestrator.adapters.belongings import BELONGINGS, Fate, unknown

SCHEMAS = ["app", "auth", "audit", "es", "rag", "public"]


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
