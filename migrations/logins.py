"""Let the services sign in: the embedded server's roles get passwords. Elsewhere an administrator does that once."""

import asyncio
import re
from collections.abc import Mapping

import asyncpg

_PLAIN = re.compile(r"[A-Za-z0-9_-]{16,}")  # what stands in a statement that takes no parameters


def let_sign_in(url: str, passwords: Mapping[str, str]) -> None:
    """Give each role of the database at `url` its password. Raises ValueError for one that would need quoting."""
    if not all(_PLAIN.fullmatch(word) for word in passwords.values()) or not all(map(str.isidentifier, passwords)):
        raise ValueError("a password of a database role has characters that it must not have: remove its file")
    asyncio.run(_let_sign_in(url, passwords))


async def _let_sign_in(url: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for role, password in passwords.items():
                await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password}'")
    finally:
        await connection.close()
