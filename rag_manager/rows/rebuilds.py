"""Collections that are built again beside those that serve: what was asked for, what was found, and the swap."""

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.collection import CollectionRebuild, Comparison
from rag_manager.rows import generations
from rag_manager.rows.generations import Generation

_KEPT_DAYS = 7  # that one is still told of after it ended

# Of an analysis or a repository what serves, or would; a generation by its own id.
_ONE_OF = """
g WHERE state = 'built' AND collection IS NOT NULL AND (generation_id = :of OR analysis_id = :of
  OR generation_id IN (SELECT generation_id FROM rag.pointers WHERE repository_id = :of))
  ORDER BY array_position(ARRAY['full', 'quick'], kind), changed_at DESC LIMIT 1
"""
_IS_INDEXED = text("SELECT EXISTS (SELECT FROM rag.analyses WHERE analysis_id = :of OR repository_id = :of)")
_ASK = text("""
INSERT INTO rag.rebuilds (rebuild_id, generation_id, replace, collection)
SELECT :id, generation_id, :replace, :collection FROM rag.generations WHERE generation_id = :generation FOR KEY SHARE
ON CONFLICT DO NOTHING
""")
_FOUND = """
SELECT b.rebuild_id, b.generation_id, g.analysis_id, a.repository_id, g.kind, g.model, b.replace, b.state, b.asked_at,
  b.ended_at, b.message, b.report::text AS report, b.collection
FROM rag.rebuilds b JOIN rag.generations g USING (generation_id) JOIN rag.analyses a ON a.analysis_id = g.analysis_id
"""
_BY_ID = text(f"{_FOUND} WHERE b.rebuild_id = :id")
_WAITING = text(f"{_FOUND} WHERE b.state = 'asked' ORDER BY b.begun, b.asked_at")
_WAITING_FOR = text(f"{_FOUND} WHERE b.state = 'asked' AND b.generation_id = :generation AND b.replace = :replace")
# Moved are the very vectors that were compared: a generation that was built anew, retired or erased meanwhile is not.
_SWAP = text("""
UPDATE rag.generations SET collection = :collection WHERE generation_id = :generation AND collection = :former
  AND state = 'built' AND CAST(:digests AS text[]) = ARRAY(
    SELECT each->>'sha256' FROM jsonb_array_elements(artifacts) WITH ORDINALITY AS t (each, place) ORDER BY place)
""")
_END = text("""
UPDATE rag.rebuilds SET state = :state, message = :message, report = CAST(:report AS jsonb), former = :former,
  ended_at = clock_timestamp() WHERE rebuild_id = :id AND state = 'asked'
""")
_BEGIN = text("""
UPDATE rag.rebuilds SET begun = begun + 1 WHERE rebuild_id = :id AND state = 'asked' AND begun < :most RETURNING begun
""")
_LEAVE = text("UPDATE rag.rebuilds SET begun = 0 WHERE rebuild_id = :id")
_FAILING = text("""
UPDATE rag.rebuilds SET failed_at = now(),
  failing_since = CASE WHEN failed_at > now() - make_interval(secs => :apart) THEN failing_since ELSE now() END
WHERE rebuild_id = :id RETURNING extract(epoch FROM failed_at - failing_since)
""")
_IS_DEADLY = text("""
SELECT EXISTS (SELECT FROM rag.rebuilds WHERE generation_id = :generation AND state = 'failed' AND begun > 0
  AND ended_at > now() - make_interval(secs => :within))
""")
_KEPT = text("""
SELECT name FROM rag.rebuilds, LATERAL unnest(ARRAY[collection, former]) AS name WHERE name IS NOT NULL
  AND (state = 'asked' OR state = 'done' AND ended_at > now() - make_interval(secs => :grace))
""")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('rebuild ' || :generation, 0))")
_FORGET = text("DELETE FROM rag.rebuilds WHERE ended_at < now() - make_interval(days => :days)")


@dataclass(frozen=True)
class Rebuild:
    """One of them, and the name of the collection that is built, None where it is only compared."""

    told: CollectionRebuild
    collection: str | None


async def try_lock(connection: AsyncConnection, generation_id: UUID) -> bool:
    """Whether no other process works on the generation, nor will until the connection's transaction is over."""
    return bool(await connection.scalar(_TRY_LOCK, {"generation": str(generation_id)}))


async def generation_of(engine: AsyncEngine, of: UUID) -> Generation | None:
    """The generation with vectors that a repository, an analysis or a generation's id stands for."""
    found = await generations.select(engine, _ONE_OF, of=of)
    return found[0] if found else None


async def is_indexed(engine: AsyncEngine, of: UUID) -> bool:
    """Whether anything of an analysis or a repository is indexed."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(_IS_INDEXED, {"of": of}))


async def ask(
    engine: AsyncEngine, rebuild_id: UUID, generation_id: UUID, *, replace: bool, collection: str | None
) -> Rebuild | None:
    """Have it done; where the same is asked for already, that one. None where the generation is gone."""
    values = {"id": rebuild_id, "generation": generation_id, "replace": replace, "collection": collection}
    async with engine.begin() as connection:
        await connection.execute(_ASK, values)
        row = (await connection.execute(_WAITING_FOR, values)).mappings().first()
    return None if row is None else _rebuild(dict(row))


async def one(engine: AsyncEngine, rebuild_id: UUID) -> Rebuild | None:
    """The rebuild with this id."""
    async with engine.connect() as connection:
        row = (await connection.execute(_BY_ID, {"id": rebuild_id})).mappings().first()
    return None if row is None else _rebuild(dict(row))


async def waiting(engine: AsyncEngine) -> list[Rebuild]:
    """Those that are not over: first those that no process died of, the oldest first."""
    async with engine.connect() as connection:
        return [_rebuild(dict(row)) for row in (await connection.execute(_WAITING)).mappings()]


async def begin(engine: AsyncEngine, rebuild: Rebuild, most: int) -> bool:
    """Write down that a process begins; False where `most` have begun and were never heard of again."""
    async with engine.begin() as connection:
        begun = await connection.execute(_BEGIN, {"id": rebuild.told.rebuild_id, "most": most})
        return begun.first() is not None


async def leave(engine: AsyncEngine, rebuild: Rebuild) -> None:
    """Write down that the process which began left it alive."""
    async with engine.begin() as connection:
        await connection.execute(_LEAVE, {"id": rebuild.told.rebuild_id})


async def failing(engine: AsyncEngine, rebuild: Rebuild, apart: float) -> float:
    """Write down that it failed; for how many seconds it has, in all processes, never more than `apart` between two."""
    async with engine.begin() as connection:
        return float(await connection.scalar(_FAILING, {"id": rebuild.told.rebuild_id, "apart": apart}) or 0.0)


async def is_deadly(engine: AsyncEngine, generation_id: UUID, within: float) -> bool:
    """Whether one of the generation ended, less than `within` seconds ago, the processes that did it."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(_IS_DEADLY, {"generation": generation_id, "within": within}))


async def swap(
    engine: AsyncEngine, rebuild: Rebuild, generation: Generation, before: Comparison, after: Comparison
) -> bool:
    """Let searches go to what was built; False where the generation is not what it was, and nothing is changed."""
    async with engine.begin() as connection:
        moved = await connection.execute(
            _SWAP,
            {
                "collection": rebuild.collection,
                "generation": generation.generation_id,
                "former": generation.collection,
                "digests": [artifact.sha256 for artifact in generation.artifacts],
            },
        )
        if moved.rowcount != 1:
            return False
        values = _ended(rebuild, "done", None, before, after) | {"former": generation.collection}
        await connection.execute(_END, values)
    return True


async def end(
    engine: AsyncEngine, rebuild: Rebuild, state: str, message: str | None = None, before: Comparison | None = None
) -> None:
    """Say how it ended, without any change of what serves."""
    async with engine.begin() as connection:
        await connection.execute(_END, _ended(rebuild, state, message, before, None))


async def kept_collections(engine: AsyncEngine, grace: float) -> set[str]:
    """Those being built, and of those that ended less than `grace` seconds ago both: searches may be under way."""
    async with engine.connect() as connection:
        return set((await connection.execute(_KEPT, {"grace": grace})).scalars())


async def forget_old(engine: AsyncEngine) -> None:
    """Remove what ended long ago."""
    async with engine.begin() as connection:
        await connection.execute(_FORGET, {"days": _KEPT_DAYS})


def _ended(
    rebuild: Rebuild, state: str, message: str | None, before: Comparison | None, after: Comparison | None
) -> dict[str, object]:
    found = {"before": before, "after": after}
    report = json.dumps({name: each.model_dump(mode="json") for name, each in found.items() if each is not None})
    return {"id": rebuild.told.rebuild_id, "state": state, "message": message, "report": report, "former": None}


def _rebuild(row: dict[str, object]) -> Rebuild:
    collection, report = row.pop("collection"), json.loads(str(row.pop("report")))
    return Rebuild(CollectionRebuild.model_validate(row | report), None if collection is None else str(collection))
