"""Which generations live in one collection."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactRef
from rag_manager.rows import generations
from rag_manager.rows.generations import Generation

_REFS = TypeAdapter(tuple[ArtifactRef, ...])
_NEWEST = text("""
SELECT g.generation_id, g.collection, g.model, g.dimension, g.chunks, g.vectors, g.artifacts::text AS artifacts
FROM rag.generations g JOIN rag.analyses a USING (analysis_id)
WHERE a.repository_id = :repository AND g.generation_id <> :mine AND g.kind = :kind AND g.state = 'built'
  AND g.collection IS NOT NULL
ORDER BY g.analysis_id = :analysis DESC, g.changed_at DESC LIMIT 1
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('collection ' || :collection, 0))")
_MAY_SHARE = text("""
SELECT EXISTS (SELECT FROM rag.generations WHERE generation_id = :base AND state = 'built' AND collection = :collection
    FOR SHARE)
  AND NOT EXISTS (SELECT FROM rag.generations
    WHERE collection = :collection AND state = 'building' AND generation_id <> :mine)
""")
_LIVING = text("""
SELECT artifacts::text FROM rag.generations WHERE collection = :collection AND state <> 'retired'
""")
_EVERY = text("""
SELECT artifacts::text FROM rag.generations WHERE collection = :collection
  OR generation_id IN (SELECT generation_id FROM rag.rebuilds WHERE former = :collection)
""")
_SHARED = text("""
SELECT collection FROM rag.generations WHERE collection IS NOT NULL GROUP BY collection HAVING count(*) > 1
UNION SELECT former FROM rag.rebuilds WHERE former IS NOT NULL
""")
_LEFT = text("""
SELECT l.collection FROM rag.generations l WHERE l.state <> 'retired' AND l.collection IS NOT NULL AND (
  EXISTS (SELECT FROM rag.generations r WHERE r.collection = l.collection AND r.state = 'retired')
  OR EXISTS (SELECT FROM rag.rebuilds b WHERE b.former = l.collection
    AND b.ended_at < now() - make_interval(secs => :grace)))
GROUP BY l.collection
""")
_FORGET = (
    text("UPDATE rag.generations SET collection = NULL WHERE collection = :collection AND state = 'retired'"),
    text("UPDATE rag.rebuilds SET former = NULL WHERE former = :collection"),
)


@dataclass(frozen=True)
class Base:
    """A generation whose collection another one may live in."""

    generation_id: UUID
    collection: str
    model: str
    dimension: int | None
    chunks: int
    vectors: int
    artifacts: tuple[ArtifactRef, ...]


async def newest_built(engine: AsyncEngine, repository_id: UUID, generation: Generation) -> Base | None:
    """The newest other complete generation of the kind: of the same analysis, else of another of the repository."""
    async with engine.connect() as connection:
        values = {
            "repository": repository_id,
            "analysis": generation.analysis_id,
            "mine": generation.generation_id,
            "kind": generation.kind,
        }
        row = (await connection.execute(_NEWEST, values)).first()
    if row is None:
        return None
    artifacts = _REFS.validate_json(row.artifacts)
    return Base(row.generation_id, row.collection, row.model or "", row.dimension, row.chunks, row.vectors, artifacts)


async def begin_in(engine: AsyncEngine, generation: Generation, base: UUID) -> bool:
    """As `generations.begin`, in the collection of `base`; False where that is gone, or somebody else is writing it."""
    async with engine.begin() as connection:
        values = {"base": base, "collection": generation.collection, "mine": generation.generation_id}
        await connection.execute(_LOCK, {"collection": generation.collection})
        if not (await connection.execute(_MAY_SHARE, values)).scalar_one():
            return False
        await generations.begin_on(connection, generation)
        return True


async def living_in(engine: AsyncEngine, collection: str) -> list[tuple[ArtifactRef, ...]]:
    """The vectors of each generation that has, or is about to have, the collection."""
    async with engine.connect() as connection:
        rows = await connection.execute(_LIVING, {"collection": collection})
        return [_REFS.validate_json(row[0]) for row in rows]


async def all_in(engine: AsyncEngine, collection: str) -> list[tuple[ArtifactRef, ...]]:
    """As `living_in`, with those that left it, retired or built again elsewhere, and whose vectors are there still."""
    async with engine.connect() as connection:
        rows = await connection.execute(_EVERY, {"collection": collection})
        return [_REFS.validate_json(row[0]) for row in rows]


async def shared(engine: AsyncEngine) -> set[str]:
    """The collections that may have more than one generation's vectors."""
    async with engine.connect() as connection:
        return set((await connection.execute(_SHARED)).scalars())


async def left_by_some(engine: AsyncEngine, grace: float) -> list[str]:
    """The collections in use that others left: retired, or built again elsewhere more than `grace` seconds ago."""
    async with engine.connect() as connection:
        return list((await connection.execute(_LEFT, {"grace": grace})).scalars())


async def forget_left(connection: AsyncConnection, collection: str) -> None:
    """Say that nothing of those that left is in a collection any more. Does not commit."""
    for statement in _FORGET:
        await connection.execute(statement, {"collection": collection})
