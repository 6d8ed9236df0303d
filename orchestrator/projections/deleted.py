"""Read models have nothing of what was deleted, also where they are built again, or are behind."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.repository import RepositoryDeleted

_DELETED = text("SELECT repository_id FROM app.deleted_repositories WHERE repository_id = ANY (:ids)")


async def deleted_of(connection: AsyncConnection, repositories: set[UUID]) -> set[UUID]:
    """Those of `repositories` that were deleted."""
    if not repositories:
        return set()
    return set((await connection.execute(_DELETED, {"ids": sorted(repositories)})).scalars())


async def without_deleted(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """The envelopes that are about nothing that was deleted, and those that say that it was."""
    gone = await deleted_of(connection, {e.repository_id for e in envelopes if e.repository_id is not None})
    return [e for e in envelopes if e.repository_id not in gone or e.event_type == RepositoryDeleted.event_type]
