"""Accept that a repository is deleted: one transaction says so, stops what runs, and hides it from then on."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events import processing as facts
from events.base import Context, Draft, derived_id
from events.log.postgres import append_in
from events.log.wake import Wake
from events.repository import RepositoryDeleted
from orchestrator.adapters.idempotency import FORGET as forget_answers  # noqa: N811
from runtime.tenancy import TenantDatabase

_REGISTERED = text("""
SELECT stream_id FROM es.streams WHERE stream_id = ANY (:streams) AND tenant_id = :tenant ORDER BY stream_id FOR UPDATE
""")
_DELETED = text("SELECT EXISTS (SELECT FROM app.deleted_repositories WHERE repository_id = :repository)")
_COUNT = text("SELECT count(*) FROM app.deleted_repositories")
_HIDE = text("""
INSERT INTO app.deleted_repositories (repository_id, tenant_id, deleted_at)
SELECT id, :tenant, :at FROM unnest(CAST(:repositories AS uuid[])) id ON CONFLICT DO NOTHING RETURNING repository_id
""")
_OPEN = text("""
SELECT e.stream_id, e.repository_id FROM es.events e
WHERE e.repository_id = ANY (:repositories) AND e.type = :begun
  AND NOT EXISTS (SELECT FROM es.events x WHERE x.stream_id = e.stream_id AND x.type = ANY (:ends))
ORDER BY e.stream_id
""")
# One that failed is over, unless somebody had it go on.
_AT_WORK = text("""
SELECT EXISTS (
  SELECT FROM es.events e WHERE e.repository_id = :repository AND e.type = :begun AND NOT EXISTS (
    SELECT FROM es.events x WHERE x.stream_id = e.stream_id AND x.type = ANY (:ends) AND NOT EXISTS (
      SELECT FROM es.events r WHERE r.stream_id = x.stream_id AND r.version > x.version AND r.type = :retried)))
""")
_FORGET = (
    forget_answers,
    text("DELETE FROM app.intake WHERE repository_id = ANY (:repositories)"),
)
# Not that it failed: it may have been retried since, or be about to be, and what it had queued may still be there.
_ENDS = [cls.event_type for cls in (facts.ProcessingRefined, facts.ProcessingCancelled)]
_BEGUN = facts.ProcessingRequested.event_type
_LOOK = 15.0  # seconds
_REASON = "Its repository was deleted."


async def is_deleted(connection: AsyncConnection, repository_id: UUID) -> bool:
    """Whether a repository was deleted. It is hidden from then on, and its id is never used again."""
    return bool((await connection.execute(_DELETED, {"repository": repository_id})).scalar_one())


async def is_analysed(connection: AsyncConnection, repository_id: UUID) -> bool:
    """Whether an analysis of a repository has not come to its end."""
    ends = [*_ENDS, facts.ProcessingFailed.event_type]
    values = {"repository": repository_id, "begun": _BEGUN, "ends": ends, "retried": facts.RetryRequested.event_type}
    return bool((await connection.execute(_AT_WORK, values)).scalar_one())


async def forget_deleted(engine: AsyncEngine, forget: Sequence[Callable[[], None]]) -> None:
    """Call each of `forget` within some seconds after a repository was deleted, by whichever process; for ever."""
    seen = 0
    while True:
        async with engine.connect() as connection:
            deleted: int = (await connection.execute(_COUNT)).scalar_one()
        if deleted != seen:
            for each in forget:
                each()
        seen = deleted
        await asyncio.sleep(_LOOK)


async def delete_repositories(
    connection: AsyncConnection, context: Context, at: datetime, repositories: Sequence[UUID], policy: str = ""
) -> list[UUID]:
    """Delete repositories of the tenant that `context` names, in the caller's transaction; those that it deleted.

    `policy` names what had them deleted, where it was no person.

    One that the tenant does not have, or that was deleted before, is left out. Holds their streams, so that whoever
    wants to begin an analysis of one waits, and then sees that it is deleted.
    """
    streams = [f"repository/{each}" for each in repositories]
    held = await connection.execute(_REGISTERED, {"streams": streams, "tenant": context.tenant_id})
    there = [UUID(stream.partition("/")[2]) for stream in held.scalars()]
    hidden = await connection.execute(_HIDE, {"repositories": there, "tenant": context.tenant_id, "at": at})
    deleted = sorted(hidden.scalars())
    values = {"repositories": deleted, "begun": _BEGUN}
    for analysis, repository in list(await connection.execute(_OPEN, {**values, "ends": _ENDS})):
        stop = Draft(
            event_id=derived_id("deleted", analysis),
            occurred_at=at,
            context=context.model_copy(update={"repository_id": repository}),
            event=facts.CancelRequested(reason=_REASON),
        )
        await append_in(connection, analysis, [stop])
    for repository in deleted:
        said = Draft(
            event_id=derived_id("deleted", repository),
            occurred_at=at,
            context=context.model_copy(update={"repository_id": repository}),
            event=RepositoryDeleted(policy=policy),
        )
        await append_in(connection, f"repository/{repository}", [said])
    for statement in _FORGET:
        await connection.execute(statement, {"repositories": values["repositories"]})
    return deleted


class Deletion:
    """Deletes for a request, and wakes the pump."""

    def __init__(self, database: TenantDatabase, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def repository(self, context: Context, at: datetime) -> bool:
        """Delete the repository that `context` names; whether it was there. Committed when it returns."""
        assert context.repository_id is not None  # noqa: S101  # it is what is deleted
        async with self._database.of(context.tenant_id) as connection:
            deleted = await delete_repositories(connection, context, at, [context.repository_id])
        self._wake.appended()
        return bool(deleted)
