"""Accept that a repository is deleted: one transaction says so, stops what runs, and hides it from then on."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events import processing as facts
from events.base import Context, Draft, derived_id
from events.log.postgres import append_in
from events.log.wake import Wake
from events.repository import RepositoryDeleted
from runtime.tenancy import TenantDatabase

_REGISTERED = text("""
SELECT version FROM es.streams WHERE stream_id = :stream AND tenant_id = :tenant FOR UPDATE
""")
_DELETED = text("SELECT EXISTS (SELECT FROM app.deleted_repositories WHERE repository_id = :repository)")
_COUNT = text("SELECT count(*) FROM app.deleted_repositories")
_HIDE = text("""
INSERT INTO app.deleted_repositories (repository_id, tenant_id, deleted_at) VALUES (:repository, :tenant, :at)
ON CONFLICT DO NOTHING RETURNING repository_id
""")
_OPEN = text("""
SELECT e.stream_id FROM es.events e
WHERE e.repository_id = :repository AND e.type = :begun
  AND NOT EXISTS (SELECT FROM es.events x WHERE x.stream_id = e.stream_id AND x.type = ANY (:ends))
ORDER BY e.stream_id
""")
_FORGET = (
    text("""
    DELETE FROM app.idempotency WHERE analysis_id IN (
      SELECT CAST(split_part(e.stream_id, '/', 2) AS uuid) FROM es.events e
      WHERE e.repository_id = :repository AND e.type = :begun
    )
    """),
    text("DELETE FROM app.intake WHERE repository_id = :repository AND :begun <> ''"),
)
_ENDS = [cls.event_type for cls in (facts.ProcessingRefined, facts.ProcessingFailed, facts.ProcessingCancelled)]
_BEGUN = facts.ProcessingRequested.event_type
_LOOK = 15.0  # seconds
_REASON = "Its repository was deleted."


async def is_deleted(connection: AsyncConnection, repository_id: UUID) -> bool:
    """Whether a repository was deleted. It is hidden from then on, and its id is never used again."""
    return bool((await connection.execute(_DELETED, {"repository": repository_id})).scalar_one())


async def forget_deleted(engine: AsyncEngine, forget: Callable[[], None]) -> None:
    """Call `forget` within some seconds after a repository was deleted, by whichever process; for ever."""
    seen = 0
    while True:
        async with engine.connect() as connection:
            deleted: int = (await connection.execute(_COUNT)).scalar_one()
        if deleted != seen:
            forget()
        seen = deleted
        await asyncio.sleep(_LOOK)


async def delete_repository(connection: AsyncConnection, context: Context, at: datetime) -> bool:
    """Delete the repository that `context` names, in the caller's transaction.

    Whether it is deleted by this: False where the tenant has none of that id, or it was deleted before. Holds the
    stream, so that whoever wants to begin an analysis of it waits, and then sees that it is deleted.
    """
    repository_id = context.repository_id
    assert repository_id is not None  # noqa: S101  # it is what is deleted
    stream_id = f"repository/{repository_id}"
    held = await connection.execute(_REGISTERED, {"stream": stream_id, "tenant": context.tenant_id})
    if held.first() is None:
        return False
    row = {"repository": repository_id, "tenant": context.tenant_id, "at": at}
    if (await connection.execute(_HIDE, row)).first() is None:
        return False
    values = {"repository": repository_id, "begun": _BEGUN}
    for analysis in list((await connection.execute(_OPEN, {**values, "ends": _ENDS})).scalars()):
        stop = Draft(
            event_id=derived_id("deleted", analysis),
            occurred_at=at,
            context=context,
            event=facts.CancelRequested(reason=_REASON),
        )
        await append_in(connection, analysis, [stop])
    said = Draft(
        event_id=derived_id("deleted", repository_id), occurred_at=at, context=context, event=RepositoryDeleted()
    )
    await append_in(connection, stream_id, [said])
    for statement in _FORGET:
        await connection.execute(statement, values)
    return True


class Deletion:
    """Deletes for a request, and wakes the pump."""

    def __init__(self, database: TenantDatabase, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def repository(self, context: Context, at: datetime) -> bool:
        """As `delete_repository`, committed when it returns."""
        async with self._database.of(context.tenant_id) as connection:
            deleted = await delete_repository(connection, context, at)
        self._wake.appended()
        return deleted
