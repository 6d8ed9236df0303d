"""The event log in PostgreSQL."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.base import Draft, Envelope
from events.catalog import FACTS
from events.log.drafts import record, topic_and_type
from events.log.journal import WrongExpectedVersion
from events.log.keyring import open_all, opened_with_known, payloads
from events.log.wake import Wake
from runtime.database import each_alone
from runtime.tenancy import TenantDatabase

ENVELOPE_COLUMNS = """e.event_id, e.type, e.schema_version, e.stream_id, e.version, f.seq, e.repository_id, e.user_id,
  e.tenant_id, e.stage, e.correlation_id, e.causation_id, e.traceparent, e.occurred_at, e.data::text AS data"""

_FIELDS = (
    "event_id",
    "event_type",
    "schema_version",
    "stream_id",
    "version",
    "seq",
    "repository_id",
    "user_id",
    "tenant_id",
    "stage",
    "correlation_id",
    "causation_id",
    "traceparent",
    "timestamp",
    "data",
)  # of an envelope, in the order of the columns

_APPEND = text(
    "SELECT event_id, version, fresh FROM es.append(:stream, CAST(:expected AS int), CAST(:events AS jsonb))"
)

_READ_STREAM = text(f"""
SELECT {ENVELOPE_COLUMNS} FROM es.events e LEFT JOIN es.feed f USING (position)
WHERE e.stream_id = :stream AND e.version > :after ORDER BY e.version LIMIT :limit
""")  # noqa: S608  # only our own column names are put in

_READ_FEED = text(f"""
SELECT {ENVELOPE_COLUMNS} FROM es.feed f JOIN es.events e USING (position)
WHERE f.seq > :after ORDER BY f.seq LIMIT :limit
""")  # noqa: S608  # only our own column names are put in

_READ_IDS = text(f"""
SELECT {ENVELOPE_COLUMNS} FROM es.events e LEFT JOIN es.feed f USING (position) WHERE e.event_id = ANY (:ids)
""")  # noqa: S608  # only our own column names are put in


async def envelopes_of(connection: AsyncConnection, rows: Iterable[Row[Any]]) -> list[Envelope]:
    """The envelopes in rows that begin with the columns of `ENVELOPE_COLUMNS`, with their private fields opened."""
    return await open_all(connection, [_envelope_of(row) for row in rows])


async def read_in_tenant(database: TenantDatabase, tenant_id: UUID, query: str, *values: object) -> list[Envelope]:
    """The same of what a query of `TenantDatabase.rows` finds; takes a transaction more where a key is looked up."""
    sealed = [_envelope_of(row) for row in await database.rows(tenant_id, query, *values)]
    opened = opened_with_known(database.engine, sealed)
    if opened is not None:
        return opened
    async with database.of(tenant_id) as connection:
        return await open_all(connection, sealed)


def _envelope_of(row: Iterable[object]) -> Envelope:
    """The envelope as it is stored. Trusted: it is what `append` wrote."""
    values: dict[str, Any] = dict(zip(_FIELDS, row, strict=False))
    values["data"] = from_json(values["data"])  # half as long as the standard library's takes
    return Envelope.recorded(values | {"erased": ()})


def _row_json(draft: Draft, payload: str, *, told: bool) -> str:
    """One element of the array that `es.append` takes."""
    topic, event_type = topic_and_type(draft)
    head = json.dumps(
        {
            "event_id": str(draft.event_id),
            "type": event_type,
            "topic": topic if told else FACTS,
            "schema_version": draft.event.schema_version,
            "stage": draft.stage,
            "occurred_at": draft.occurred_at.isoformat(),
        }
    )
    context = draft.context.model_dump_json()
    return f'{head[:-1]}, {context[1:-1]}, "data": {payload}}}'


async def rows_json(connection: AsyncConnection, drafts: Sequence[Draft], *, told: bool = True) -> str:
    """Drafts as the functions of the database take them, their private fields sealed. `told` as in `append_in`."""
    stored = await payloads(connection, drafts)
    return "[" + ",".join(_row_json(*each, told=told) for each in zip(drafts, stored, strict=True)) + "]"


async def append_in(
    connection: AsyncConnection,
    stream_id: str,
    drafts: Sequence[Draft],
    *,
    expected: int | None = None,
    told: bool = True,
) -> list[Envelope]:
    """Append inside the caller's transaction; otherwise as `Journal.append`. The caller commits, and wakes the pump.

    Where it is not `told`, no consumer hears of it by transport: it happened elsewhere, and was done there.

    Raises WrongExpectedVersion (the transaction is still usable, and nothing was appended by this call), ValueError
    where an event id is in another stream.
    """
    if not drafts:
        return []
    events = await rows_json(connection, drafts, told=told)
    try:
        rows = (await connection.execute(_APPEND, {"stream": stream_id, "expected": expected, "events": events})).all()
    except IntegrityError as error:
        raise ValueError(f"an event for {stream_id} is already in another stream, or twice in this append") from error
    if rows and rows[0].event_id is None:
        raise WrongExpectedVersion(stream_id, -1 if expected is None else expected, rows[0].version)
    old = [row.event_id for row in rows if not row.fresh]
    recorded = await _recorded(connection, old) if old else {}
    by_id = {draft.event_id: draft for draft in drafts}
    return [recorded.get(row.event_id) or record(by_id[row.event_id], stream_id, row.version) for row in rows]


async def _recorded(connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, Envelope]:
    rows = await connection.execute(_READ_IDS, {"ids": ids})
    return {envelope.event_id: envelope for envelope in await envelopes_of(connection, rows)}


async def read_stream_in(
    connection: AsyncConnection, stream_id: str, *, after: int = 0, limit: int | None = None
) -> list[Envelope]:
    """`Journal.read_stream` inside the caller's transaction."""
    rows = await connection.execute(_READ_STREAM, {"stream": stream_id, "after": after, "limit": limit})
    return await envelopes_of(connection, rows)


async def read_feed_in(connection: AsyncConnection, *, after: int, limit: int) -> list[Envelope]:
    """`Journal.read_feed` inside the caller's transaction."""
    rows = await connection.execute(_READ_FEED, {"after": after, "limit": limit})
    return await envelopes_of(connection, rows)


class PostgresJournal:
    """`Journal` over PostgreSQL. With a `wake`, the pump hears of each append at once, else at its next poll."""

    def __init__(self, engine: AsyncEngine, wake: Wake | None = None) -> None:
        self._each_alone = each_alone(engine)  # one statement, one round trip
        self._wake = wake

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """As `Journal.append`: one statement, which is its own transaction."""
        async with self._each_alone.connect() as connection:
            envelopes = await append_in(connection, stream_id, drafts, expected=expected)
        if self._wake is not None:
            self._wake.appended()
        return envelopes

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """As `Journal.read_stream`."""
        async with self._each_alone.connect() as connection:
            return await read_stream_in(connection, stream_id, after=after, limit=limit)

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`."""
        async with self._each_alone.connect() as connection:
            return await read_feed_in(connection, after=after, limit=limit)
