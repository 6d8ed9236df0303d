"""What reads every row for secrets after each test hears one wherever it is written."""

import asyncpg
import pytest

from tests.support.secrets_said import in_tables

SECRET = "rsk_abcdefgh_" + "a1B2" * 10 + "xyz"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", SECRET), ("bytea", f"kept {SECRET}".encode()), ("jsonb", f'{{"deep": ["{SECRET}"]}}')],
)
async def test_a_secret_in_any_column_is_found_and_not_repeated(database_url: str, kind: str, value: object) -> None:
    assert await in_tables(database_url) == []
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"CREATE TABLE said (id int, value {kind})")
        await connection.execute("INSERT INTO said VALUES (1, $1)", value)

        [line] = await in_tables(database_url)

        assert line.startswith("public.said: rsk_abcd")
        assert SECRET not in line
    finally:
        await connection.execute("DROP TABLE said")
        await connection.close()
