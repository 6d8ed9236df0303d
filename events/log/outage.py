"""Which errors of PostgreSQL say "not now" rather than "not like this"."""

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Classes of SQLSTATE: connection, out of resources, operator intervention (shutdown, crash), system error.
_UNAVAILABLE = ("08", "53", "57", "58")
_CONFLICT = ("40",)  # deadlock, serialization failure
# The last is what the driver says of a connection whose server is gone before it has noticed.
_LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError)
# What talking to the database may raise: SQLAlchemy wraps most of the driver's errors, not all.
DRIVER_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, *_LOST, ConnectionRefusedError, ConnectionResetError)


def _sqlstate(error: BaseException) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(origin, "sqlstate", None) or "")


def is_conflict(error: BaseException) -> bool:
    """Whether the same transaction may well succeed at once (PostgreSQL broke a deadlock)."""
    return _sqlstate(error).startswith(_CONFLICT)


def is_outage(error: BaseException) -> bool:
    """Whether the database was away, restarting, or had no connection left."""
    if isinstance(error, (PoolTimeoutError, OSError, TimeoutError, *_LOST)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, DBAPIError | asyncpg.PostgresError):
        return _sqlstate(error).startswith(_UNAVAILABLE) or not _sqlstate(error)
    return isinstance(error, SQLAlchemyError) and "connection" in str(error).lower()


def is_database_away(error: BaseException) -> bool:
    """Whether an error of whatever work is such an outage: what else takes too long, or a file that fails, is none."""
    return isinstance(error, DRIVER_ERRORS) and is_outage(error)
