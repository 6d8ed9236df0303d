"""Read models have nothing of what was deleted, also where they are built again, or are behind."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.repository import RepositoryDeleted

_DELETED = text("SELECT repository_id FROM app.deleted_repositories WHERE repository_id = ANY (:ids)")
_TENANTS = text("SELECT tenant_id FROM auth.tenants WHERE tenant_id = ANY (:ids) AND deleted_at IS NOT NULL")
_PEOPLE = text("SELECT user_id FROM auth.users WHERE user_id = ANY (:ids) AND deleted_at IS NOT NULL")
_TALK = "conversation/"  # what somebody said is theirs; what their team had analysed is not


async def deleted_of(connection: AsyncConnection, repositories: set[UUID]) -> set[UUID]:
    """Those of `repositories` that were deleted."""
    if not repositories:
        return set()
    return set((await connection.execute(_DELETED, {"ids": sorted(repositories)})).scalars())


async def without_people(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """The envelopes that are not what somebody said whose account was deleted."""
    said = {e.user_id for e in envelopes if e.user_id is not None and e.stream_id.startswith(_TALK)}
    if not said:
        return list(envelopes)
    gone = set((await connection.execute(_PEOPLE, {"ids": sorted(said)})).scalars())
    return [e for e in envelopes if e.user_id not in gone or not e.stream_id.startswith(_TALK)]


async def without_deleted(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """The envelopes that are about nothing that was deleted, and those that say that a repository was."""
    gone = await deleted_of(connection, {e.repository_id for e in envelopes if e.repository_id is not None})
    tenants = sorted({e.tenant_id for e in envelopes})
    over = set((await connection.execute(_TENANTS, {"ids": tenants})).scalars()) if tenants else set()
    left = [
        e
        for e in envelopes
        if e.event_type == RepositoryDeleted.event_type or (e.repository_id not in gone and e.tenant_id not in over)
    ]
    return await without_people(connection, left)
