"""The event log as a request sees it: the streams of one tenant, and no others."""

from collections.abc import Sequence
from uuid import UUID

from events.base import Draft, Envelope, derived_id
from events.log.journal import Journal
from events.log.postgres import ENVELOPE_COLUMNS, append_in, read_feed_in, read_in_tenant
from events.log.wake import Wake
from runtime.tenancy import TenantDatabase

# Nothing of what was deleted, and nothing that somebody said whose account was.
_THERE = f"""
SELECT {ENVELOPE_COLUMNS} FROM es.streams s JOIN es.events e USING (stream_id) LEFT JOIN es.feed f USING (position)
WHERE (e.repository_id IS NULL OR s.archived_at IS NULL
    AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = e.repository_id))
  AND NOT (starts_with(e.stream_id, 'conversation/') AND EXISTS (
    SELECT FROM auth.users u WHERE u.user_id = e.user_id AND u.deleted_at IS NOT NULL))
"""  # noqa: S608  # only our own column names are put in
_STREAM = f"{_THERE} AND s.stream_id = $1 AND e.version > $2 ORDER BY e.version LIMIT $3"
# The read model learns of a question a moment later than the log, which has no other way to older ones.
_ABOUT = f"""{_THERE} AND s.stream_id = (
  SELECT n.stream_id FROM es.events n WHERE n.event_id = $2
  UNION ALL
  SELECT 'conversation/' || CAST(q.conversation_id AS text) FROM app.questions q WHERE q.question_id = $1 LIMIT 1
) ORDER BY e.version"""  # noqa: S608  # the same


def accepted_as(question_id: UUID) -> UUID:
    """The id of the event by which a question is accepted."""
    return derived_id("accepted", question_id)


class Journals:
    """Hands out each tenant's journal."""

    def __init__(self, database: TenantDatabase, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def about(self, tenant_id: UUID, question_id: UUID) -> list[Envelope]:
        """The events of the conversation in which a question was asked; none where there is none."""
        return await read_in_tenant(self._database, tenant_id, _ABOUT, question_id, accepted_as(question_id))

    def of(self, tenant_id: UUID) -> Journal:
        """The journal in which another tenant's stream has no events, and cannot be appended to."""
        return _TenantJournal(self._database, self._wake, tenant_id)


class _TenantJournal:
    """See `Journal`. Each call is a transaction of its own."""

    __slots__ = ("_database", "_tenant_id", "_wake")  # every open stream has one

    def __init__(self, database: TenantDatabase, wake: Wake, tenant_id: UUID) -> None:
        self._database = database
        self._wake = wake
        self._tenant_id = tenant_id

    async def append(self, stream_id: str, drafts: Sequence[Draft], *, expected: int | None = None) -> list[Envelope]:
        """As `Journal.append`. A stream of another tenant, or an event for one, is refused by the database."""
        async with self._database.of(self._tenant_id) as connection:
            envelopes = await append_in(connection, stream_id, drafts, expected=expected)
        self._wake.appended()
        return envelopes

    async def read_stream(self, stream_id: str, *, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """As `Journal.read_stream`. Nothing of what was deleted, and of who was, is there."""
        return await read_in_tenant(self._database, self._tenant_id, _STREAM, stream_id, after, limit)

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`, of the tenant's events."""
        async with self._database.of(self._tenant_id) as connection:
            return await read_feed_in(connection, after=after, limit=limit)
