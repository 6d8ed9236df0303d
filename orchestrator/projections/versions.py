"""Which version of a projection writes its rows: the newest that ever began, and no other.

In a rolling upgrade, processes of two releases run side by side. A newer version takes over in the transaction that
removes the rows of the older one; from then on the older one finds, under the lock in which it would write, that it
was superseded. Its cursor is moved behind every event too, so that a release that does not ask finds nothing to write.
"""

from typing import Protocol

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.database import each_alone

_LIVE, _SUPERSEDED = "live", "superseded"
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('projection ' || :name, 0))")
_NEWEST = text("SELECT max(version) FROM es.projections WHERE name = :name")
_REGISTER = text("INSERT INTO es.projections (name, version, status) VALUES (:name, :version, :status)")
_SUPERSEDE = text("""
UPDATE es.projections SET status = :status, cursor_seq = 9223372036854775807 WHERE name = :name AND version < :version
""")
_READ = text("SELECT cursor_seq, status FROM es.projections WHERE name = :name AND version = :version")
_HOLD = text("SELECT cursor_seq, status FROM es.projections WHERE name = :name AND version = :version FOR UPDATE")
_MOVE = text("UPDATE es.projections SET cursor_seq = :seq WHERE name = :name AND version = :version")
_PASS_OVER = text("""
UPDATE es.projections SET cursor_seq = :seq
WHERE name = :name AND version = :version AND status = :status AND cursor_seq = :after
""")


class Superseded(Exception):
    """A newer version of the projection writes its rows, so that this one may not any more."""


class Versioned(Protocol):
    """What has a name and a version, and rows that can be removed."""

    @property
    def name(self) -> str:
        """Its name in `es.projections`."""
        ...

    @property
    def version(self) -> int:
        """The version of its rows."""
        ...

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove all rows."""
        ...


async def begin(connection: AsyncConnection, projection: Versioned) -> int:
    """Where a projection goes on; the first time, it takes over from older versions and removes their rows.

    Waits for whoever is writing them. Raises Superseded.
    """
    name, version = projection.name, projection.version
    if (found := await _cursor(connection, projection, _READ)) is not None:
        return found
    await connection.execute(_ONE_AT_A_TIME, {"name": name})
    if (found := await _cursor(connection, projection, _READ)) is not None:
        return found
    newest = (await connection.execute(_NEWEST, {"name": name})).scalar_one()
    if newest is not None and newest > version:
        raise _superseded(projection)
    await connection.execute(_REGISTER, {"name": name, "version": version, "status": _LIVE})
    await connection.execute(_SUPERSEDE, {"name": name, "version": version, "status": _SUPERSEDED})
    await projection.clear(connection)
    return 0


async def hold(connection: AsyncConnection, projection: Versioned) -> int:
    """Where a projection goes on; nobody else writes its rows until the transaction ends. Raises Superseded."""
    found = await _cursor(connection, projection, _HOLD)
    if found is None:
        raise _superseded(projection)
    return found


async def move(connection: AsyncConnection, projection: Versioned, seq: int) -> None:
    """Let a projection that is held go on after `seq`."""
    await connection.execute(_MOVE, {"name": projection.name, "version": projection.version, "seq": seq})


async def pass_over(engine: AsyncEngine, projection: Versioned, after: int, seq: int) -> bool:
    """Let a projection that stands at `after` go on after `seq`, without holding it; whether it stood there."""
    values = {"name": projection.name, "version": projection.version, "status": _LIVE, "after": after, "seq": seq}
    async with each_alone(engine).connect() as connection:
        return (await connection.execute(_PASS_OVER, values)).rowcount == 1


async def _cursor(connection: AsyncConnection, projection: Versioned, statement: TextClause) -> int | None:
    values = {"name": projection.name, "version": projection.version}
    row = (await connection.execute(statement, values)).first()
    if row is not None and row.status == _SUPERSEDED:
        raise _superseded(projection)
    return None if row is None else row.cursor_seq


def _superseded(projection: Versioned) -> Superseded:
    return Superseded(f"version {projection.version} of {projection.name} is over: a newer release builds its rows")
