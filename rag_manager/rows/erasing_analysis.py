"""Remove the rows of one deleted analysis, of a repository that stays; remember its texts' vectors elsewhere."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactRef
from rag_manager.rows import parts

_REFS = TypeAdapter(list[ArtifactRef])
_HIDE = (
    text("DELETE FROM rag.pointers WHERE analysis_id = :analysis"),
    # What is retired is not mended: a collection that was dropped is not built again.
    text("UPDATE rag.generations SET state = 'retired' WHERE analysis_id = :analysis"),
)
_COLLECTIONS = text("""
SELECT collection FROM rag.generations WHERE collection IS NOT NULL AND analysis_id = :analysis
UNION SELECT name FROM rag.rebuilds JOIN rag.generations g USING (generation_id),
  LATERAL unnest(ARRAY[rebuilds.collection, former]) AS name WHERE name IS NOT NULL AND g.analysis_id = :analysis
UNION SELECT collection FROM rag.ahead WHERE analysis_id = :analysis
""")
# The `vectors` artifacts that no other analysis of the repository has: they are about to go.
_GOING = text("""
WITH brought AS (
  SELECT e.stream_id, a->>'key' AS key FROM es.events e
  CROSS JOIN LATERAL jsonb_array_elements(e.data->'artifacts') a
  WHERE e.repository_id = :repository AND e.type IN ('processing.stage.completed', 'processing.stage.failed')
    AND a->>'kind' = 'vectors'
)
SELECT DISTINCT b.key FROM brought b WHERE b.stream_id = 'analysis/' || CAST(CAST(:analysis AS uuid) AS text)
  AND NOT EXISTS (
    SELECT FROM brought o JOIN es.streams s USING (stream_id)
    WHERE o.key = b.key AND o.stream_id <> b.stream_id AND s.archived_at IS NULL)
""")
_STAYING = text("""
SELECT g.artifacts::text AS artifacts, g.model, g.tenant_id
FROM rag.generations g JOIN rag.analyses a USING (analysis_id)
WHERE a.repository_id = :repository AND a.analysis_id <> :analysis AND g.kind = 'full' AND g.state = 'built'
ORDER BY a.requested_at DESC LIMIT 1
""")
_MOVE = text("""
UPDATE rag.embeddings m SET artifact_key = :key, artifact_sha256 = :sha256, artifact_row = t.row
FROM unnest(CAST(:hashes AS text[]), CAST(:rows AS int[])) AS t (hash, row)
WHERE m.tenant_id = :tenant AND m.model = :model AND m.text_sha256 = t.hash AND m.artifact_key = ANY (:going)
""")
_FORGET = (
    text("""
    DELETE FROM rag.embeddings m WHERE m.artifact_key = ANY (:going) AND NOT EXISTS (
      SELECT FROM es.artifact_owners o WHERE o.key = m.artifact_key AND o.repository_id <> :repository)
    """),
    *(
        text(f"DELETE FROM rag.{table} WHERE analysis_id = :analysis")  # noqa: S608  # our own names
        for table in ("ahead", "generations", "analyses")
    ),
)


async def hide(connection: AsyncConnection, analysis_id: UUID) -> list[str]:
    """Let nothing of the analysis be searched or mended; its collections, also former ones and those being built."""
    for statement in _HIDE:
        await connection.execute(statement, {"analysis": analysis_id})
    return list((await connection.execute(_COLLECTIONS, {"analysis": analysis_id})).scalars())


async def going(connection: AsyncConnection, repository_id: UUID, analysis_id: UUID) -> list[str]:
    """The keys of vectors that no other analysis of the repository has."""
    values = {"repository": repository_id, "analysis": analysis_id}
    return list((await connection.execute(_GOING, values)).scalars())


async def staying(
    connection: AsyncConnection, repository_id: UUID, analysis_id: UUID
) -> tuple[UUID, str, list[ArtifactRef]] | None:
    """Tenant, model and vectors of the newest refined generation of another analysis of the repository."""
    values = {"repository": repository_id, "analysis": analysis_id}
    row = (await connection.execute(_STAYING, values)).first()
    if row is None or row.model is None:
        return None
    return row.tenant_id, row.model, _REFS.validate_json(row.artifacts)


async def move(  # where to, of whom, which texts, from where
    connection: AsyncConnection,
    artifact: ArtifactRef,
    *,
    tenant_id: UUID,
    model: str,
    hashes: Sequence[str],
    going: Sequence[str],
) -> None:
    """Look for the vectors of these texts, in the order of the artifact's rows, where they stay."""
    values = {"key": artifact.key, "sha256": artifact.sha256, "tenant": tenant_id, "model": model}
    texts = {"hashes": list(hashes), "rows": list(range(len(hashes))), "going": list(going)}
    await connection.execute(_MOVE, values | texts)


async def forget(connection: AsyncConnection, repository_id: UUID, analysis_id: UUID, going: Sequence[str]) -> None:
    """Delete all rows of the analysis, and what is remembered of vectors that go with it."""
    values = {"repository": repository_id, "analysis": analysis_id, "going": list(going)}
    await parts.hold(connection, repository_id)
    await parts.let_go(connection, [analysis_id])
    for statement in _FORGET:
        await connection.execute(statement, values)
