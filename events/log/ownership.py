"""Which repository refers to which artifact. Artifacts are named by their content, so that two repositories may share
one: it goes when the last of them does.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.database import each_alone
from runtime.faults import Permanent

_CLAIM = text("SELECT es.claim_artifact(:key, :owner)")
# In one order, so that two who claim the same ones do not wait for each other.
_CLAIM_ALL = text("""
SELECT coalesce(bool_and(es.claim_artifact(k.key, :owner)), true)
FROM (SELECT key FROM unnest(CAST(:keys AS text[])) AS t (key) ORDER BY key OFFSET 0) k
""")
_OWNED = text("SELECT key FROM es.artifact_owners WHERE repository_id = :owner ORDER BY key LIMIT :limit")
_RELEASE = text("SELECT es.release_artifact(:key, :owner)")
_RUNNING = text("""
SELECT count(*) FROM es.leases l WHERE l.expires_at >= clock_timestamp() AND l.run_id IN (
  SELECT CASE e.type WHEN 'ai.query.requested' THEN e.event_id ELSE (e.data->>'run_id')::uuid END FROM es.events e
  WHERE e.repository_id = :repository AND e.type IN ('processing.stage.requested', 'ai.query.requested')
)
""")


_RELEASE_BEFORE = text("SELECT es.release_artifact_claimed_before(:key, :owner, :before)")
_STREAM_RUNNING = text("""
SELECT EXISTS (SELECT FROM es.leases l WHERE l.expires_at >= clock_timestamp() AND l.run_id IN (
  SELECT CASE e.type WHEN 'ai.query.requested' THEN e.event_id ELSE (e.data->>'run_id')::uuid END FROM es.events e
  WHERE e.stream_id = :stream AND e.type IN ('processing.stage.requested', 'ai.query.requested')
))
""")
_NOW = text("SELECT clock_timestamp()")


class ArtifactOwners:
    """The books of one database; `runtime.objects.Claims`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = each_alone(engine)

    async def claim(self, keys: Collection[str], owner: UUID) -> None:
        """Say, before they are stored, that `owner` refers to artifacts. Raises Permanent where that was deleted."""
        async with self._engine.connect() as connection:
            if not (await connection.execute(_CLAIM_ALL, {"keys": sorted(keys), "owner": owner})).scalar_one():
                raise _deleted()


async def claim_in(connection: AsyncConnection, key: str, owner: UUID) -> None:
    """As `ArtifactOwners.claim`, in a transaction of the caller's, until whose end nobody deletes the artifact."""
    if not (await connection.execute(_CLAIM, {"key": key, "owner": owner})).scalar_one():
        raise _deleted()


def _deleted() -> Permanent:
    return Permanent("repository_deleted", "The repository was deleted while it was being analysed.")


async def owned(connection: AsyncConnection, owner: UUID, *, limit: int = 1_000) -> list[str]:
    """The keys of artifacts that a repository refers to, at most `limit`."""
    return list((await connection.execute(_OWNED, {"owner": owner, "limit": limit})).scalars())


async def release(connection: AsyncConnection, key: str, owner: UUID) -> bool:
    """Take a reference back; whether it was the last one.

    Until the caller's transaction ends nobody else claims the artifact: where this says so, it may be deleted.
    """
    return bool((await connection.execute(_RELEASE, {"key": key, "owner": owner})).scalar_one())


async def is_worked_on(connection: AsyncConnection, repository_id: UUID) -> bool:
    """Whether somebody holds a lease for a run or a question of the repository."""
    return bool((await connection.execute(_RUNNING, {"repository": repository_id})).scalar_one())


async def release_unclaimed(connection: AsyncConnection, key: str, owner: UUID, before: datetime) -> bool:
    """As `release`, of a reference that was not claimed (again) since `before`, a time of the database's clock."""
    values = {"key": key, "owner": owner, "before": before}
    return bool((await connection.execute(_RELEASE_BEFORE, values)).scalar_one())


async def is_stream_worked_on(connection: AsyncConnection, stream_id: str) -> bool:
    """Whether somebody holds a lease for a run of an analysis, or for a question of a conversation."""
    return bool((await connection.execute(_STREAM_RUNNING, {"stream": stream_id})).scalar_one())


async def idle_since(connection: AsyncConnection, repository_id: UUID) -> datetime | None:
    """A moment (of the database's clock) since which only new work on the repository began; None while some goes on."""
    now: datetime = (await connection.execute(_NOW)).scalar_one()
    return None if await is_worked_on(connection, repository_id) else now
