"""Remove the rows of a deleted repository, and of a deleted tenant."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rag_manager.rows import parts

_MINE = "(SELECT analysis_id FROM rag.analyses WHERE repository_id = :repository)"
_HIDE = text("DELETE FROM rag.pointers WHERE repository_id = :repository")
# What is retired is not mended: a collection that was dropped is not built again.
_RETIRE = text(f"UPDATE rag.generations SET state = 'retired' WHERE analysis_id IN {_MINE}")  # noqa: S608  # our own text
_COLLECTIONS = text(f"""
SELECT collection FROM rag.generations WHERE collection IS NOT NULL AND analysis_id IN {_MINE}
UNION SELECT name FROM rag.rebuilds JOIN rag.generations g USING (generation_id),
  LATERAL unnest(ARRAY[rebuilds.collection, former]) AS name WHERE name IS NOT NULL AND g.analysis_id IN {_MINE}
UNION SELECT collection FROM rag.ahead WHERE repository_id = :repository
""")  # noqa: S608  # our own text
# What an artifact of several repositories holds stays known to a tenant while one of those is there that are theirs;
# what another has does not count, nor what is being deleted at the same time. The artifacts' names are in the log for
# good: whether the orchestrator has let go of them already does not matter.
_EMBEDDINGS = text("""
DELETE FROM rag.embeddings m WHERE m.artifact_key IN (
  SELECT a->>'key' FROM es.events e CROSS JOIN LATERAL jsonb_array_elements(e.data->'artifacts') a
  WHERE e.repository_id = :repository AND e.type IN ('processing.stage.completed', 'processing.stage.failed')
    AND a->>'kind' = 'vectors'
) AND NOT EXISTS (
  SELECT FROM es.artifact_owners o LEFT JOIN es.streams s ON s.stream_id = 'repository/' || o.repository_id
  WHERE o.key = m.artifact_key AND o.repository_id <> :repository AND (s.tenant_id IS NULL OR s.tenant_id = m.tenant_id)
    AND NOT EXISTS (SELECT FROM es.events d WHERE d.stream_id = s.stream_id AND d.type = 'repository.deleted')
)
""")
_FORGET = (
    text("DELETE FROM rag.ahead WHERE repository_id = :repository"),
    *(
        text(f"DELETE FROM rag.{table} WHERE analysis_id IN {_MINE}")  # noqa: S608  # our own text
        for table in ("generations", "analyses")
    ),
)


_ANALYSES = text("SELECT analysis_id, tenant_id FROM rag.analyses WHERE repository_id = :repository")
_REPOSITORIES = text("""
SELECT repository_id FROM rag.analyses WHERE tenant_id = :tenant
UNION SELECT repository_id FROM rag.ahead WHERE tenant_id = :tenant
""")
_FORGET_TENANT = tuple(
    text(f"DELETE FROM rag.{table} WHERE tenant_id = :tenant")  # noqa: S608  # our own text
    for table in (
        "pointers",
        "embeddings",
        "part_chunks",
        "part_symbols",
        "part_files",
        "layouts",
        "ahead",
        "generations",
        "analyses",
    )
)


async def repositories(connection: AsyncConnection, tenant_id: UUID) -> list[UUID]:
    """The tenant's repositories that have an index."""
    return list((await connection.execute(_REPOSITORIES, {"tenant": tenant_id})).scalars())


async def forget_tenant(connection: AsyncConnection, tenant_id: UUID) -> None:
    """Delete all rows of a tenant, once its repositories are forgotten."""
    for statement in _FORGET_TENANT:
        await connection.execute(statement, {"tenant": tenant_id})


async def hide(connection: AsyncConnection, repository_id: UUID) -> None:
    """Let nothing of the repository be searched any more, nor mended."""
    await connection.execute(_HIDE, {"repository": repository_id})
    await connection.execute(_RETIRE, {"repository": repository_id})


async def analyses(connection: AsyncConnection, repository_id: UUID) -> list[tuple[UUID, UUID]]:
    """Tenant and id of each of its indexed analyses."""
    rows = await connection.execute(_ANALYSES, {"repository": repository_id})
    return [(row.tenant_id, row.analysis_id) for row in rows]


async def collections(connection: AsyncConnection, repository_id: UUID) -> list[str]:
    """The collections of all its generations, also former ones and those being built."""
    return list((await connection.execute(_COLLECTIONS, {"repository": repository_id})).scalars())


async def forget(connection: AsyncConnection, repository_id: UUID) -> None:
    """Delete all its rows, and what is remembered of its texts' vectors."""
    await parts.hold(connection, repository_id)
    await parts.let_go(connection, [analysis_id for _, analysis_id in await analyses(connection, repository_id)])
    for statement in (_EMBEDDINGS, *_FORGET):
        await connection.execute(statement, {"repository": repository_id})
