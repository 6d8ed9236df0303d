"""Alembic's entry: one connection, one transaction a revision, one lock, so that two processes may start at once.

A revision waits a few seconds for each lock that it needs: whoever comes to the table meanwhile stands behind it.
"""

import asyncio
import time

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_LOOK = 0.1  # seconds between two tries for the lock
_LOCK = 6_017_430_001  # any number that nobody else uses for an advisory lock


def _run(connection: Connection) -> None:
    seconds = context.config.attributes["lock_timeout"]
    # Held by the session, over all transactions. Who waits for it holds up nobody, and may wait; but in no statement,
    # for whoever has it may be building an index, which waits for all statements that began before.
    while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one():
        connection.rollback()
        time.sleep(_LOOK)
    connection.execute(text(f"SET lock_timeout = {round(seconds * 1_000)}"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS es"))
    connection.commit()
    context.configure(
        connection=connection, version_table="migrations", version_table_schema="es", transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    engine = create_async_engine(
        context.config.attributes["url"],
        poolclass=NullPool,
        connect_args={"server_settings": {"application_name": "repostream-migrations"}},
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_main())
