"""Collections that are written into before their generation is there."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# Where the repository has vectors, those of the next analysis will live beside them, or need not be written at all. Who
# comes late, without a lease, must leave nothing of an analysis that is deleted.
_BEGIN = text("""
INSERT INTO rag.ahead (collection, tenant_id, repository_id, analysis_id)
SELECT :collection, :tenant, :repository, :analysis WHERE NOT EXISTS (
  SELECT FROM rag.generations g JOIN rag.analyses a USING (analysis_id)
  WHERE a.repository_id = :repository AND g.kind = 'quick' AND g.state = 'built')
AND NOT EXISTS (
  SELECT FROM es.streams
  WHERE stream_id = 'analysis/' || CAST(CAST(:analysis AS uuid) AS text) AND archived_at IS NOT NULL)
ON CONFLICT (collection) DO UPDATE SET written_at = clock_timestamp()
""")
_COLLECTIONS = text("""
SELECT collection FROM rag.ahead WHERE written_at > clock_timestamp() - make_interval(secs => :grace)
""")
_FORGET_OLD = text("DELETE FROM rag.ahead WHERE written_at <= clock_timestamp() - make_interval(secs => :grace)")
_FORGET = text("DELETE FROM rag.ahead WHERE analysis_id = :analysis")


async def begin(
    engine: AsyncEngine, collection: str, *, tenant_id: UUID, repository_id: UUID, analysis_id: UUID
) -> bool:
    """Say, and commit, that a collection is written into.

    False where the repository has a quick generation, or the analysis is deleted.
    """
    values = {"collection": collection, "tenant": tenant_id, "repository": repository_id, "analysis": analysis_id}
    async with engine.begin() as connection:
        return (await connection.execute(_BEGIN, values)).rowcount == 1


async def collections(engine: AsyncEngine, grace: float) -> set[str]:
    """Those that were written into less than `grace` seconds ago; of older ones nothing is known afterwards."""
    async with engine.begin() as connection:
        await connection.execute(_FORGET_OLD, {"grace": grace})
        return set((await connection.execute(_COLLECTIONS, {"grace": grace})).scalars())


async def forget(connection: AsyncConnection, analysis_id: UUID) -> None:
    """The generation of an analysis is there, in this collection or in another. Does not commit."""
    await connection.execute(_FORGET, {"analysis": analysis_id})
