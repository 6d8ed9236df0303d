"""Two tenants' rows in every table that has a tenant's, and what each role sees of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

OURS, THEIRS = UUID(int=0xA), UUID(int=0xB)
_SEEN_BY = {**dict.fromkeys(("app", "auth", "es", "sandbox"), "repostream_requests"), "rag": "repostream_search"}
_ALLOWED = {"kind": "full", "state": "built", "given": "kept"}  # of columns whose values a check limits
_VALUES = {
    "uuid": lambda _: uuid4(),
    "text": lambda name: _ALLOWED.get(name, f"{name} {uuid4()}"),
    "text[]": lambda _: ["a"],
    "uuid[]": lambda _: [uuid4()],
    "integer": lambda _: 1,
    "smallint": lambda _: 1,
    "bigint": lambda _: uuid4().int >> 66,
    "bigint[]": lambda _: [1],
    "boolean": lambda _: False,
    "jsonb": lambda _: "{}",
    "bytea": lambda _: uuid4().bytes,
    "timestamp with time zone": None,
    "double precision": lambda _: 1.0,
    "real": lambda _: 1.0,
    "numeric": lambda _: 1,
}


@dataclass(frozen=True)
class Seen:
    """How many rows of a table a tenant's transaction saw: its own, and others'."""

    own: int
    foreign: int


async def protected_tables(connection: asyncpg.Connection) -> list[str]:
    """The tables with forced row-level security, as `schema.name`."""
    rows = await connection.fetch("""
        SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('app', 'rag', 'es', 'auth', 'sandbox') AND c.relkind IN ('r', 'p')
          AND c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1
    """)
    return [row["name"] for row in rows]


def reader_of(table: str) -> str:
    """The role that reads the table for one tenant at a time."""
    return _SEEN_BY[table.partition(".")[0]]


async def fill(connection: asyncpg.Connection, tables: list[str]) -> None:
    """A row of each tenant in each table. As the owner, and without foreign keys: a row is all that counts here."""
    await connection.execute("SET session_replication_role = replica")
    for table in tables:
        for tenant in (OURS, THEIRS):
            await insert(connection, table, tenant)
    await connection.execute("RESET session_replication_role")


async def insert(connection: asyncpg.Connection, table: str, tenant: UUID) -> None:
    """A row of `tenant`, with something in every column that must have something."""
    columns = await connection.fetch(
        """
        SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attnotnull
          AND attgenerated = ''
        """,
        table,
    )
    values: list[Any] = []
    marks = []
    for column in columns:
        make = _VALUES[column["type"]]
        if make is None:
            marks.append("now()")
            continue
        values.append(tenant if column["name"] == "tenant_id" else make(column["name"]))
        marks.append(f"${len(values)}")
    names = ", ".join(f'"{column["name"]}"' for column in columns)
    await connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join(marks)})", *values
    )  # names of the catalogue


async def seen(connection: asyncpg.Connection, table: str, tenant: UUID | None) -> Seen:
    """What the table's reader sees in a transaction of `tenant`, or in one of none."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {reader_of(table)}")
        if tenant is not None:
            await connection.execute("SELECT set_config('app.tenant', $1, true)", str(tenant))
        rows = await connection.fetch(f"SELECT tenant_id FROM {table}")  # a name of the catalogue
    own = sum(row["tenant_id"] == tenant for row in rows)
    return Seen(own, len(rows) - own)


async def leaks(connection: asyncpg.Connection, tables: list[str]) -> dict[str, Seen]:
    """The tables in which a tenant sees anything else than its own row alone."""
    found = {table: await seen(connection, table, OURS) for table in tables}
    return {table: what for table, what in found.items() if what != Seen(own=1, foreign=0)}
