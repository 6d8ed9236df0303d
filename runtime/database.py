"""The one way to PostgreSQL: an async SQLAlchemy engine over asyncpg."""

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime.sealing import Sealer
from runtime.settings import DatabaseSettings, SecretSettings
from runtime.tenancy import DatabaseRole

logger = logging.getLogger(__name__)

SEALER = "repostream_sealer"  # the execution option that carries what seals the private fields of events
BESIDE = "repostream_beside"  # the one that names tables of `app` whose temporary twins of the connection are meant
_RESTED = 900  # seconds after which a connection is made anew: what lies between forgets those that rest for long
_alone: WeakKeyDictionary[AsyncEngine, AsyncEngine] = WeakKeyDictionary()


def create_engine(settings: DatabaseSettings, *, application: str, role: DatabaseRole | None = None) -> AsyncEngine:
    """An engine whose connections carry `application` as their name, use READ COMMITTED and work as `role`.

    The user of the URL must be that role or a member of it; without a `role` they work as the user.

    Raises ValueError where no URL is set: the caller decides whether that means the embedded server.
    """
    if not settings.url.get_secret_value():
        raise ValueError("REPOSTREAM_DATABASE_URL is not set")
    server_settings = {"application_name": application, **({"role": role.value} if role is not None else {})}
    sealer = sealer_of(SecretSettings())
    if sealer is None and role is not None:  # a service; a person's command only looks
        logger.warning("REPOSTREAM_SECRET_KEY is not set: private fields of events are stored in the clear")
    url = make_url(settings.url.get_secret_value()).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_use_lifo=True,  # those used last have their statements, plans and tables at hand
        pool_recycle=_RESTED,
        connect_args={"server_settings": server_settings, "timeout": 10},
        execution_options={SEALER: sealer},
    )
    listen(engine.sync_engine, "checkout", _refuse_closed)
    listen(engine.sync_engine, "before_cursor_execute", _beside, retval=True)
    return engine


def each_alone(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, whose every statement is its own transaction: one round trip in place of three.

    One for each engine: making it takes as long as a statement does.
    """
    found = _alone.get(engine)
    if found is None:
        found = _alone[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
    return found


def _beside(  # as SQLAlchemy calls it
    _connection: object,
    _cursor: object,
    statement: str,
    parameters: object,
    context: Any,  # noqa: ANN401  # SQLAlchemy's; None where the driver is asked directly
    _many: bool,  # the same
) -> tuple[str, object]:
    """The statement as it is, but where it is meant for the twins of tables (`BESIDE`)."""
    tables = context.execution_options.get(BESIDE) if context is not None else None
    return (to_twins(statement, tables) if tables else statement), parameters


def to_twins(statement: str, tables: Sequence[str]) -> str:
    """The statement with `pg_temp.<table>` for each `app.<table>` of `tables`. Pure."""
    return re.sub(rf"\bapp\.({'|'.join(map(re.escape, tables))})\b", r"pg_temp.\1", statement)


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401  # the driver's
    """Let the pool replace a connection that the server closed.

    The event loop has seen its end by then; `pool_pre_ping` would ask the server for it, in three round trips.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def sealer_of(settings: SecretSettings) -> Sealer | None:
    """What seals with the secret key; None where there is none."""
    key = settings.key.get_secret_value()
    return Sealer(key) if key else None


async def copy_rows(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert many rows into `table` (`schema.name`) inside the caller's transaction.

    PostgreSQL refuses COPY into a table with row-level security, so the rows are copied beside it and inserted from
    there; a twin (`BESIDE`) has none. Raises what asyncpg raises while copying, what SQLAlchemy raises while inserting.
    """
    driver: Any = (await connection.get_raw_connection()).driver_connection
    assert connection.sync_connection is not None  # noqa: S101  # within the caller's block
    name = table.removeprefix("app.")
    if name in connection.sync_connection.get_execution_options().get(BESIDE, ()):
        await driver.copy_records_to_table(
            name, schema_name="pg_temp", columns=list(columns), records=rows, timeout=120
        )
        return
    staging = f"staging_{table.replace('.', '_')}"
    names = ", ".join(f'"{column}"' for column in columns)
    await connection.execute(
        text(f"CREATE TEMP TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS AS SELECT {names} FROM {table} LIMIT 0")  # noqa: S608  # our own names
    )
    await driver.copy_records_to_table(staging, columns=list(columns), records=rows, timeout=120)
    await connection.execute(text(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staging}"))  # noqa: S608  # the same
    await connection.execute(text(f"TRUNCATE {staging}"))  # the same transaction may copy into the table again
