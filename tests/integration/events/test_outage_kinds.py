"""What counts as "not now", by real errors of the real driver."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from events.log.outage import is_outage

Fail = Callable[[asyncpg.Connection], Awaitable[object]]


async def copy_too_large(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TEMP TABLE narrow (n int)")
    await connection.copy_records_to_table("narrow", records=[(2**40,)])


async def pass_a_wrong_value(connection: asyncpg.Connection) -> None:
    await connection.fetchval("SELECT $1::int", "one")


async def be_ended(connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


async def use_a_closed_one(connection: asyncpg.Connection) -> None:
    await connection.close()
    await connection.fetchval("SELECT 1")


@pytest.mark.parametrize(
    ("fail", "expected"),
    [(copy_too_large, False), (pass_a_wrong_value, False), (be_ended, True), (use_a_closed_one, True)],
)
async def test_a_value_that_is_refused_is_no_outage_and_a_lost_connection_is_one(
    database_url: str, fail: Fail, *, expected: bool
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ValueError, ArithmeticError)) as caught:
            await fail(connection)
    finally:
        await connection.close()

    assert is_outage(caught.value) is expected
