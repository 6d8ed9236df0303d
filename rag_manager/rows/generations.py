"""Generations and the pointer that says which one a repository's searches go to."""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactRef
from events.index import GenerationKind
from rag_manager.rows import parts
from rag_manager.stages.collection_names import CollectionNames
from rag_manager.stages.may_serve import Serving


@dataclass(frozen=True)
class Generation:
    """One generation as stored. `vectors` is how many its collection holds once it is built."""

    generation_id: UUID
    tenant_id: UUID
    analysis_id: UUID
    kind: GenerationKind
    state: str
    model: str | None
    chunks: int
    vectors: int
    collection: str | None
    artifacts: tuple[ArtifactRef, ...]


_IS_REPLACED = """
p.repository_id = a.repository_id AND b.analysis_id = p.analysis_id AND a.analysis_id <> p.analysis_id
  AND a.requested_at < b.requested_at AND a.retired_at IS NULL AND p.moved_at < now() - make_interval(secs => :grace)
"""
_REPLACED = text(f"""
SELECT DISTINCT a.repository_id FROM rag.analyses a, rag.pointers p, rag.analyses b WHERE {_IS_REPLACED}
""")  # noqa: S608  # our own text
_RETIRE = text(f"""
UPDATE rag.analyses a SET retired_at = now() FROM rag.pointers p, rag.analyses b
WHERE a.repository_id = :repository AND {_IS_REPLACED} RETURNING a.analysis_id
""")  # noqa: S608  # the same
_HOLD = text("SELECT FROM rag.generations WHERE generation_id = :id FOR UPDATE")
_COLUMNS = "generation_id, tenant_id, analysis_id, kind, state, model, chunks, vectors, collection, artifacts"


async def collection_names(engine: AsyncEngine) -> CollectionNames:
    """How this installation names its collections."""
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT id, naming_key FROM rag.installation"))).one()
    return CollectionNames(row.id, row.naming_key)


async def memory_key(engine: AsyncEngine) -> bytes:
    """What this installation seals by what its processes share of searches; it stays in its database."""
    async with engine.connect() as connection:
        naming_key = (await connection.execute(text("SELECT naming_key FROM rag.installation"))).scalar_one()
    return hmac.digest(naming_key, b"shared memory", "sha256")


async def begin(engine: AsyncEngine, generation: Generation) -> None:
    """Say, and commit, that a generation is being built: from now on its collection is nobody's orphan."""
    async with engine.begin() as connection:
        await begin_on(connection, generation)


async def begin_on(connection: AsyncConnection, generation: Generation) -> None:
    """As `begin`. Does not commit."""
    await connection.execute(
        text(
            "INSERT INTO rag.generations (generation_id, tenant_id, analysis_id, kind, state, model, chunks,"
            " collection, artifacts) VALUES (:id, :tenant, :analysis, :kind, 'building', :model, :chunks,"
            " :collection, CAST(:artifacts AS jsonb)) ON CONFLICT (generation_id)"
            " DO UPDATE SET model = excluded.model,"
            " chunks = excluded.chunks, artifacts = excluded.artifacts, changed_at = now(),"
            " collection = CASE generations.state WHEN 'built' THEN generations.collection"
            " ELSE excluded.collection END,"
            " state = CASE generations.state WHEN 'built' THEN 'built' ELSE 'building' END"
        ),
        {
            "id": generation.generation_id,
            "tenant": generation.tenant_id,
            "analysis": generation.analysis_id,
            "kind": generation.kind,
            "model": generation.model,
            "chunks": generation.chunks,
            "collection": generation.collection,
            "artifacts": _to_json(generation.artifacts),
        },
    )


async def finish(connection: AsyncConnection, generation: Generation, *, dimension: int | None) -> None:
    """Say that a generation is complete and verified. Does not commit."""
    await connection.execute(
        text(
            "INSERT INTO rag.generations (generation_id, tenant_id, analysis_id, kind, state, model, dimension, chunks,"
            " vectors, collection, artifacts) VALUES (:id, :tenant, :analysis, :kind, 'built', :model, :dimension,"
            " :chunks, :vectors, :collection, CAST(:artifacts AS jsonb)) ON CONFLICT (generation_id) DO UPDATE"
            " SET state = 'built', dimension = excluded.dimension, artifacts = excluded.artifacts,"
            " collection = excluded.collection,"
            " vectors = excluded.vectors, chunks = excluded.chunks, changed_at = now()"
        ),
        {
            "id": generation.generation_id,
            "tenant": generation.tenant_id,
            "analysis": generation.analysis_id,
            "kind": generation.kind,
            "model": generation.model,
            "dimension": dimension,
            "chunks": generation.chunks,
            "vectors": generation.vectors,
            "collection": generation.collection,
            "artifacts": _to_json(generation.artifacts),
        },
    )


async def serving(connection: AsyncConnection, repository_id: UUID) -> Serving | None:
    """What the repository's pointer points to."""
    row = (
        await connection.execute(
            text(
                "SELECT p.generation_id, p.analysis_id, g.kind, a.requested_at FROM rag.pointers p"
                " JOIN rag.generations g USING (generation_id)"
                " JOIN rag.analyses a ON a.analysis_id = p.analysis_id WHERE p.repository_id = :repository"
            ),
            {"repository": repository_id},
        )
    ).first()
    return None if row is None else Serving(row[0], row[1], GenerationKind(row[2]), row[3])


async def move_pointer(
    connection: AsyncConnection,
    tenant_id: UUID,
    repository_id: UUID,
    target: Serving,
    *,
    expected: Serving | None,
    chosen_over: str | None = None,
) -> bool:
    """Point to `target` if the pointer is still where it was when that was decided. Does not commit.

    `chosen_over` is the model that was wanted when a person chose otherwise.
    """
    moved = await connection.execute(
        text(
            "INSERT INTO rag.pointers AS p (tenant_id, repository_id, analysis_id, generation_id, chosen_over)"
            " SELECT :tenant, :repository, :analysis, :generation, CAST(:chosen_over AS text)"
            " WHERE CAST(:expected AS uuid) IS NULL"
            " OR EXISTS (SELECT 1 FROM rag.pointers WHERE repository_id = :repository)"
            " ON CONFLICT (repository_id) DO UPDATE SET analysis_id = excluded.analysis_id,"
            " generation_id = excluded.generation_id, moved_at = now(), chosen_over = excluded.chosen_over"
            " WHERE p.generation_id = CAST(:expected AS uuid) OR p.generation_id = excluded.generation_id"
        ),
        {
            "tenant": tenant_id,
            "repository": repository_id,
            "analysis": target.analysis_id,
            "generation": target.generation_id,
            "expected": expected.generation_id if expected else None,
            "chosen_over": chosen_over,
        },
    )
    return moved.rowcount == 1


async def get(engine: AsyncEngine, generation_id: UUID) -> Generation | None:
    """The generation with this id."""
    found = await select(engine, "WHERE generation_id = :id", id=generation_id)
    return found[0] if found else None


async def repository_of(engine: AsyncEngine, generation_id: UUID) -> UUID | None:
    """The repository of a generation."""
    async with engine.connect() as connection:
        query = text(
            "SELECT a.repository_id FROM rag.generations g JOIN rag.analyses a USING (analysis_id)"
            " WHERE g.generation_id = :id"
        )
        found: UUID | None = (await connection.execute(query, {"id": generation_id})).scalar_one_or_none()
        return found


async def with_collections(engine: AsyncEngine) -> list[Generation]:
    """Every generation that has, or is about to have, a collection."""
    return await select(engine, "WHERE collection IS NOT NULL AND state <> 'retired'")


async def built_of(engine: AsyncEngine, analysis_id: UUID, kind: GenerationKind) -> list[Generation]:
    """The complete generations of one kind that an analysis has."""
    return await select(
        engine, "WHERE analysis_id = :analysis AND kind = :kind AND state = 'built'", analysis=analysis_id, kind=kind
    )


async def superseded(engine: AsyncEngine, grace: float, model_grace: float) -> list[Generation]:
    """Vector generations of analyses that nobody searches any more, `grace` seconds after another began to serve.

    The quick one stays beside the full one of the same analysis: that of the next analysis will live in its collection.
    Where something was added to an analysis, its older generations of the same kind are replaced as well; those of
    another model stay for `model_grace` seconds.
    """
    return await select(
        engine,
        "g WHERE kind <> 'lexical' AND state <> 'retired' AND EXISTS (SELECT 1 FROM rag.generations n"
        " WHERE n.analysis_id = g.analysis_id AND n.kind = g.kind AND n.state = 'built'"
        " AND n.generation_id <> g.generation_id AND n.changed_at > g.changed_at"
        " AND n.changed_at < now()"
        " - make_interval(secs => CASE WHEN n.model = g.model THEN CAST(:grace AS float8)"
        " ELSE CAST(:model_grace AS float8) END))"
        " OR state = 'built' AND kind <> 'lexical' AND EXISTS (SELECT 1 FROM rag.analyses a JOIN rag.pointers p"
        " USING (repository_id) WHERE a.analysis_id = g.analysis_id AND p.generation_id <> g.generation_id"
        " AND p.moved_at < now() - make_interval(secs => :grace)"
        " AND p.analysis_id <> g.analysis_id)"
        " AND changed_at < now() - make_interval(secs => :grace)",
        grace=grace,
        model_grace=model_grace,
    )


async def retire(engine: AsyncEngine, generation_id: UUID) -> bool:
    """Mark a generation as gone, unless the pointer came back to it. Its collection may be dropped afterwards."""
    async with engine.begin() as connection:
        # First its row: whoever has it serve again holds that, and only a statement that begins later sees the pointer.
        await connection.execute(_HOLD, {"id": generation_id})
        done = await connection.execute(
            text(
                "UPDATE rag.generations g SET state = 'retired', changed_at = now() WHERE generation_id = :id"
                " AND NOT EXISTS (SELECT 1 FROM rag.pointers p WHERE p.generation_id = g.generation_id)"
            ),
            {"id": generation_id},
        )
        return done.rowcount == 1


async def forget_analyses(engine: AsyncEngine, *, grace: float) -> list[UUID]:
    """Delete the chunks and symbols of analyses that a newer one replaced more than `grace` seconds ago.

    Their files stay: a citation of an old answer can still be opened.
    """
    async with engine.connect() as connection:
        found = await connection.execute(_REPLACED, {"grace": grace})
        repositories = list(found.scalars())
    gone: list[UUID] = []
    for repository_id in repositories:
        async with engine.begin() as connection:
            await parts.hold(connection, repository_id)
            rows = await connection.execute(_RETIRE, {"repository": repository_id, "grace": grace})
            retired = list(rows.scalars())
            await parts.let_go(connection, retired, ("chunks", "symbols"))
        gone += retired
    return gone


async def select(engine: AsyncEngine, where: str, **parameters: object) -> list[Generation]:
    """The generations that a condition, and what follows it, choose: SQL of this package alone, never of a caller."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(f"SELECT {_COLUMNS} FROM rag.generations {where}"),  # noqa: S608  # `where` is our own text
            parameters,
        )
        return [_generation(row) for row in rows.mappings()]


def _generation(row: RowMapping) -> Generation:
    artifacts = json.loads(row["artifacts"]) if isinstance(row["artifacts"], str) else row["artifacts"]
    return Generation(
        **{name: row[name] for name in row if name not in {"kind", "artifacts"}},
        kind=GenerationKind(row["kind"]),
        artifacts=tuple(ArtifactRef.model_validate(item) for item in artifacts),
    )


def _to_json(artifacts: Sequence[ArtifactRef]) -> str:
    return json.dumps([artifact.model_dump(mode="json") for artifact in artifacts])
