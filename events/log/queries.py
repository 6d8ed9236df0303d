"""Search in the log, for people and for the events API: by type, stream, repository, correlation and time."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope, Value
from events.log.postgres import ENVELOPE_COLUMNS, envelopes_of

MOST = 1_000  # a page; whoever wants more asks again with `after` or `before`


class EventQuery(Value):
    """What is looked for; what is left out does not matter. `after` and `before` are places in the feed, exclusive."""

    tenant_id: UUID | None = None
    types: tuple[str, ...] = ()
    stream_id: str | None = None
    repository_id: UUID | None = None
    user_id: UUID | None = None
    correlation_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    before: int | None = None
    newest_first: bool = False
    limit: int = Field(default=100, ge=1, le=MOST)


_CONDITIONS = {
    "tenant_id": "e.tenant_id = :tenant_id",
    "types": "e.type = ANY (:types)",
    "stream_id": "e.stream_id = :stream_id",
    "repository_id": "e.repository_id = :repository_id",
    "user_id": "e.user_id = :user_id",
    "correlation_id": "e.correlation_id = :correlation_id",
    "since": "e.occurred_at >= :since",
    "until": "e.occurred_at < :until",
    "after": "f.seq > :after",
    "before": "f.seq < :before",
}


async def find_events(connection: AsyncConnection, query: EventQuery) -> list[Envelope]:
    """Events that have their place in the feed, in its order (or against it)."""
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name in _CONDITIONS
        if (value := getattr(query, name)) not in (None, ())
    }
    where = " AND ".join(_CONDITIONS[name] for name in values) or "true"
    order = "DESC" if query.newest_first else "ASC"
    statement = text(
        f"SELECT {ENVELOPE_COLUMNS} FROM es.feed f JOIN es.events e USING (position) "  # noqa: S608  # our own words only
        f"WHERE {where} ORDER BY f.seq {order} LIMIT :limit"
    )
    rows = await connection.execute(statement, {**values, "limit": query.limit})
    return await envelopes_of(connection, rows)
