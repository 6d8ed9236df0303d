"""Whether the secret key that is set is the one that the database's keys are sealed with."""

import asyncio

import asyncpg

from runtime.sealing import Sealer

_THERE = "SELECT to_regclass('es.payload_keys') IS NOT NULL"
_SOME = """
(SELECT sealed FROM es.payload_keys WHERE sealed IS NOT NULL ORDER BY made_at LIMIT 1)
UNION (SELECT sealed FROM es.payload_keys WHERE sealed IS NOT NULL ORDER BY made_at DESC LIMIT 1)
"""


class KeysCannotBeOpened(Exception):
    """What is sealed in the database stays sealed with the secret key that is set."""


def check_stored_keys(url: str, secret_keys: str) -> None:
    """Open the oldest and the newest key stored in the database at `url`, whatever its revision.

    Raises KeysCannotBeOpened, ValueError for `secret_keys` that are none, and what asyncpg raises.
    """
    stored = asyncio.run(_some(url))
    if not stored:
        return
    if not secret_keys:
        raise KeysCannotBeOpened(
            "The database has sealed events and no secret key is set: set REPOSTREAM_SECRET_KEY to the one of its time."
        )
    sealer = Sealer(secret_keys)
    for sealed in stored:
        try:
            sealer.open(sealed)
        except ValueError:
            raise KeysCannotBeOpened(
                "The database was sealed with another secret key: put the file secret-key of its backup back into the "
                "folder, or set REPOSTREAM_SECRET_KEY. Nothing was changed."
            ) from None


async def _some(url: str) -> list[bytes]:
    connection = await asyncpg.connect(url)
    try:
        there = await connection.fetchval(_THERE)
        return [row["sealed"] for row in await connection.fetch(_SOME)] if there else []
    finally:
        await connection.close()
