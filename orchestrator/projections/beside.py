"""Build read models again beside the ones that serve, compare the two, and put right what differs.

The projections' own code writes both. Of the tables of a projection there are empty twins in the temporary schema of
one connection; there `app.<table>` means the twin (`runtime.database.BESIDE`). Readers see the old rows until the new
ones are committed, all at once.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Envelope
from events.log.journal import Journal
from orchestrator.projections import versions
from orchestrator.projections.runner import Projection
from runtime.database import BESIDE

_ROUNDS = 50  # looks at a feed that grows, before the rest is taken while the live projection waits
_TWIN = "CREATE TEMP TABLE {table} (LIKE app.{table} INCLUDING ALL)"
_SUMS = """
SELECT {key} AS key, count(*) AS rows, sum(hashtextextended(t::text, 0)) AS sum FROM {schema}.{table} t GROUP BY 1
"""
_COMPARE = """
WITH live AS ({live}), twin AS ({twin})
SELECT coalesce(sum(live.rows), 0)::bigint AS rows, coalesce(sum(twin.rows), 0)::bigint AS rebuilt,
  mod(coalesce(sum(live.sum), 0), 18446744073709551616)::text AS checksum,
  mod(coalesce(sum(twin.sum), 0), 18446744073709551616)::text AS rebuilt_checksum,
  array_agg(coalesce(live.key, twin.key)::text ORDER BY coalesce(live.key, twin.key))
    FILTER (WHERE (live.rows, live.sum) IS DISTINCT FROM (twin.rows, twin.sum)) AS differing
FROM live FULL JOIN twin USING (key)
"""


class Rebuildable(Projection, Protocol):
    """A projection whose rows can be built beside: `tables` has the column that says whose a row is, by table."""

    @property
    def tables(self) -> Mapping[str, str]:
        """Its tables in schema `app`, each with the column of ids by which rows are compared and replaced."""
        ...

    @property
    def touched(self) -> Sequence[str]:
        """Tables that it writes to and that are not its own: what it writes to them again is not wanted."""
        ...

    def on(self, connection: "Held") -> "Rebuildable":
        """The same projection, which looks at what is loaded through one connection."""
        ...


@dataclass(frozen=True)
class TableCompared:
    """One table: rows and checksum as they serve and as they were rebuilt, and the ids whose rows differ."""

    table: str
    rows: int
    rebuilt: int
    checksum: str
    rebuilt_checksum: str
    differing: tuple[str, ...]


@dataclass(frozen=True)
class Rebuilt:
    """One projection, built again up to the place `seq` of the feed; `seconds` in all, `waited` for the live one."""

    projection: str
    seq: int
    events: int
    seconds: float
    waited: float
    tables: tuple[TableCompared, ...]

    @property
    def agrees(self) -> bool:
        """Whether every row was the same."""
        return not any(table.differing for table in self.tables)


class Held:
    """One connection, as projections know an engine: whoever connects gets it, in the transaction that there is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """The connection, in a transaction."""
        if self._connection.in_transaction():
            yield self._connection
        else:
            async with self._connection.begin():
                yield self._connection


async def rebuild_beside(
    engine: AsyncEngine, journal: Journal, projection: Rebuildable, *, replace: bool = True
) -> Rebuilt:
    """Build all rows anew from the first event; with `replace`, those that differ take the place of the old ones.

    Without it nothing is changed. Events of the meantime are in both. Raises Superseded.
    """
    began = time.monotonic()
    async with engine.connect() as connection:
        try:
            twins = (*projection.tables, *projection.touched)
            await connection.execution_options(**{BESIDE: twins})
            async with connection.begin():
                for table in twins:
                    await _plain(connection, _TWIN.format(table=table))
            twin = _Twin(connection, journal, projection.on(Held(connection)))
            await twin.follow()
            waits = time.monotonic()
            async with connection.begin():
                await twin.reach(await versions.hold(connection, projection))
                compared = [await _compare(connection, table, key) for table, key in projection.tables.items()]
                for found in compared if replace else ():
                    await _replace(connection, found, projection.tables[found.table])
            ended = time.monotonic()
        finally:
            await connection.invalidate()  # its end is the end of the twins
    seconds, waited = round(ended - began, 3), round(ended - waits, 3)
    return Rebuilt(projection.name, twin.seq, twin.events, seconds, waited, tuple(compared))


class _Twin:
    """What is built: how far it is, of how many events."""

    def __init__(self, connection: AsyncConnection, journal: Journal, projection: Rebuildable) -> None:
        self._connection = connection
        self._journal = journal
        self._projection = projection
        self.seq = 0
        self.events = 0

    async def follow(self) -> None:
        """Come close to the place of the live projection."""
        for _ in range(_ROUNDS):
            async with self._connection.begin():
                live = await versions.begin(self._connection, self._projection)
            before = self.seq
            await self.reach(live)
            if self.seq - before <= self._projection.batch:
                return

    async def reach(self, seq: int) -> None:
        """Take the events up to a place of the feed, which the live projection took."""
        while self.seq < seq:
            batch = await self._journal.read_feed(after=self.seq, limit=self._projection.batch)
            offered: Sequence[Envelope] = [e for e in batch if e.seq is not None and e.seq <= seq]
            if not offered:
                return
            step = await self._projection.prepare(offered)
            async with Held(self._connection).connect():
                await step.write(self._connection)
            self.seq = offered[step.taken - 1].seq or 0
            self.events += step.taken


async def _plain(connection: AsyncConnection, statement: str, **values: object) -> None:
    """Execute a statement in which `app` is `app`."""
    await connection.execute(text(statement), values, execution_options={BESIDE: ()})


async def _compare(connection: AsyncConnection, table: str, key: str) -> TableCompared:
    live, twin = (_SUMS.format(schema=schema, table=table, key=key) for schema in ("app", "pg_temp"))
    statement = text(_COMPARE.format(live=live, twin=twin))
    row = (await connection.execute(statement, execution_options={BESIDE: ()})).one()
    return TableCompared(table, row.rows, row.rebuilt, row.checksum, row.rebuilt_checksum, tuple(row.differing or ()))


async def _replace(connection: AsyncConnection, table: TableCompared, key: str) -> None:
    if not table.differing:
        return
    live, twin, ids = f"app.{table.table}", f"pg_temp.{table.table}", list(table.differing)
    whose = f"{key} = ANY (CAST(:ids AS uuid[]))"
    await _plain(connection, f"DELETE FROM {live} WHERE {whose}", ids=ids)  # noqa: S608  # our own names
    await _plain(connection, f"INSERT INTO {live} SELECT * FROM {twin} WHERE {whose}", ids=ids)  # noqa: S608  # the same
