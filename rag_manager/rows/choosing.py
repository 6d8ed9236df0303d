"""Which models made the full generations that serve and those that are kept, and a person's choice among them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rag_manager.rows import generations
from rag_manager.stages.may_serve import Serving

_OF_OTHER_MODELS = text("""
SELECT g.tenant_id, a.repository_id, g.analysis_id, g.generation_id, coalesce(g.model, ''),
  p.moved_at, p.chosen_over IS NOT DISTINCT FROM CAST(:wanted AS text)
FROM rag.pointers p JOIN rag.generations g USING (generation_id) JOIN rag.analyses a ON a.analysis_id = g.analysis_id
WHERE g.kind = 'full' AND g.model IS DISTINCT FROM :wanted ORDER BY a.requested_at DESC, g.generation_id
""")
_FORGET = text("UPDATE rag.pointers SET chosen_over = NULL WHERE chosen_over <> :wanted")
_KEPT = text("""
SELECT g.generation_id, coalesce(g.model, '') AS model, g.chunks, g.vectors, g.changed_at AS since,
  s.serves, CASE WHEN NOT s.serves THEN (SELECT min(n.changed_at + make_interval(secs =>
      CASE WHEN n.model = g.model THEN CAST(:grace AS float8) ELSE CAST(:model_grace AS float8) END))
    FROM rag.generations n WHERE n.analysis_id = g.analysis_id AND n.kind = g.kind AND n.state = 'built'
      AND n.changed_at > g.changed_at) END AS kept_until
FROM rag.generations g, LATERAL (
  SELECT EXISTS (SELECT FROM rag.pointers p WHERE p.generation_id = g.generation_id) AS serves
) s
WHERE g.analysis_id = :analysis AND g.tenant_id = :tenant AND g.kind = 'full' AND g.state = 'built'
ORDER BY g.changed_at DESC, g.generation_id
""")
_AT_ONCE = 10_000  # rows
_PASSAGES = text("SELECT chunk_id FROM rag.chunks WHERE analysis_id = :analysis")
# From now on it is what served last: by its analysis it is found first, and the other one's grace begins.
_RENEW = text("""
UPDATE rag.generations SET changed_at = now() WHERE generation_id = :id AND state = 'built'
""")


@dataclass(frozen=True)
class Kept:
    """A complete full generation of an analysis, as `events.collection.KeptGeneration` tells it."""

    generation_id: UUID
    model: str
    chunks: int
    vectors: int
    since: datetime
    serves: bool
    kept_until: datetime | None


@dataclass(frozen=True)
class OfAnother:
    """A full generation that serves, and was made by another model than is wanted; `chosen` over that by a person.

    `moved_at` is when the repository's pointer came to it.
    """

    tenant_id: UUID
    repository_id: UUID
    analysis_id: UUID
    generation_id: UUID
    model: str
    moved_at: datetime
    chosen: bool = False


async def of_other_models(engine: AsyncEngine, wanted: str) -> list[OfAnother]:
    """The full generations that serve and are not of the model `wanted`, those of the newest analyses first."""
    async with engine.connect() as connection:
        rows = await connection.execute(_OF_OTHER_MODELS, {"wanted": wanted})
        return [OfAnother(*row) for row in rows]


async def forget_choices(engine: AsyncEngine, wanted: str) -> None:
    """Forget what was chosen over other models than `wanted`: they are not set any more."""
    async with engine.begin() as connection:
        await connection.execute(_FORGET, {"wanted": wanted})


async def kept(engine: AsyncEngine, tenant_id: UUID, analysis_id: UUID, graces: tuple[float, float]) -> list[Kept]:
    """The complete full generations of an analysis, what served last first.

    `graces`: for how many seconds one is kept after it was replaced, by another of its model and by one of another.
    """
    values = {"tenant": tenant_id, "analysis": analysis_id, "grace": graces[0], "model_grace": graces[1]}
    async with engine.connect() as connection:
        return [Kept(*row) for row in await connection.execute(_KEPT, values)]


async def passages(engine: AsyncEngine, analysis_id: UUID) -> set[str]:
    """The ids of what is searched of an analysis."""
    found = set[str]()
    async with engine.connect() as connection:
        rows = await connection.stream_scalars(_PASSAGES, {"analysis": analysis_id})
        async for part in rows.partitions(_AT_ONCE):  # others have their turn in between
            found.update(part)
    return found


async def choose(  # whose, from where to where, and over what
    connection: AsyncConnection,
    tenant_id: UUID,
    repository_id: UUID,
    target: Serving,
    *,
    current: Serving,
    chosen_over: str | None,
) -> bool:
    """Have a complete generation serve; False where it is gone, or another one serves by now. Does not commit."""
    renewed = await connection.execute(_RENEW, {"id": target.generation_id})
    if renewed.rowcount != 1:
        return False
    return await generations.move_pointer(
        connection, tenant_id, repository_id, target, expected=current, chosen_over=chosen_over
    )
