"""The event log as a request sees it: the streams of one tenant, and no others."""

from collections.abc import Sequence
from uuid import UUID

from events.base import Draft, Envelope
from events.log.journal import Journal
from events.log.postgres import append_in, read_feed_in, read_stream_in
from events.log.wake import Wake
from orchestrator.adapters.deletion_of_parts import is_gone
from orchestrator.projections.deleted import without_people
from runtime.tenancy import TenantDatabase


class Journals:
    """Hands out each tenant's journal."""

    def __init__(self, database: TenantDatabase, wake: Wake) -> None:
        self._database = database
        self._wake = wake

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
        async with self._database.of(self._tenant_id) as connection:
            found = await read_stream_in(connection, stream_id, after=after, limit=limit)
            about = found[0].repository_id if found else None
            if about is not None and await is_gone(connection, about, stream_id):
                return []
            return await without_people(connection, found)

    async def read_feed(self, *, after: int, limit: int) -> list[Envelope]:
        """As `Journal.read_feed`, of the tenant's events."""
        async with self._database.of(self._tenant_id) as connection:
            return await read_feed_in(connection, after=after, limit=limit)
