"""The parts that indexes are put together of, and the layouts that say which analysis has which.

Analyses of one repository share parts. A part is there for as long as a layout names it: whoever changes layouts holds
the repository's lock until the end of the transaction, and nobody else's part goes or comes meanwhile.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rag_manager.stages.layout import Layout, Part, starts_of

COLUMNS = {
    "chunks": ("place", "chunk_id", "path", "language", "file_class", "first_line", "last_line", "symbols", "text"),
    "files": ("path", "language", "file_class", "lines", "source_key", "source_sha256", "source_row"),
    "symbols": ("place", "name", "qualified_name", "kind", "path", "first_line", "last_line"),
}
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended('index ' || CAST(:repository AS text), 0))")
_NAMED = text("""
SELECT DISTINCT l.kind, l.part_id, l.rows FROM rag.layouts l JOIN rag.analyses a USING (analysis_id)
WHERE a.repository_id = :repository AND l.part_id = ANY (:parts)
""")
_COUNTED = {
    kind: text(f"SELECT part_id, count(*) FROM rag.part_{kind} WHERE part_id = ANY (:parts) GROUP BY part_id")  # noqa: S608  # our own names
    for kind in COLUMNS
}
_PLACE = text("""
INSERT INTO rag.layouts (tenant_id, analysis_id, kind, number, part_id, start, rows)
SELECT :tenant, :analysis, :kind, number, part_id, start, rows
FROM unnest(CAST(:numbers AS int[]), CAST(:parts AS uuid[]), CAST(:starts AS int[]), CAST(:rows AS int[]))
  AS t (number, part_id, start, rows)
""")
_LET_GO = text(
    "DELETE FROM rag.layouts WHERE analysis_id = ANY (:analyses) AND kind = ANY (:kinds) RETURNING kind, part_id"
)
_NOBODYS = text("""
SELECT part_id FROM unnest(CAST(:parts AS uuid[])) AS t (part_id)
WHERE NOT EXISTS (SELECT FROM rag.layouts l WHERE l.part_id = t.part_id AND l.kind = :kind)
""")
_REMOVE = {
    kind: text(f"DELETE FROM rag.part_{kind} WHERE part_id = ANY (:parts)")  # noqa: S608  # our own names
    for kind in COLUMNS
}


async def hold(connection: AsyncConnection, repository_id: UUID) -> None:
    """Wait for whoever else changes what the repository's analyses have, and keep others out."""
    await connection.execute(_HOLD, {"repository": str(repository_id)})


async def named(connection: AsyncConnection, repository_id: UUID, parts: Iterable[UUID]) -> dict[str, dict[UUID, int]]:
    """Of these parts, those that an analysis of the repository has: how many rows they should have, by kind."""
    found: dict[str, dict[UUID, int]] = {kind: {} for kind in COLUMNS}
    values = {"repository": repository_id, "parts": sorted(parts)}
    for kind, part_id, rows in await connection.execute(_NAMED, values):
        found[kind][part_id] = rows
    return found


async def whole(connection: AsyncConnection, repository_id: UUID, parts: Iterable[UUID]) -> dict[UUID, int]:
    """Of these parts, those that are there with all of their rows, and how many these are."""
    found: dict[UUID, int] = {}
    for kind, there in (await named(connection, repository_id, parts)).items():
        counted = await connection.execute(_COUNTED[kind], {"parts": sorted(there)})
        found |= {part_id: rows for part_id, rows in counted if there[part_id] == rows}
    return found


async def place(connection: AsyncConnection, tenant_id: UUID, analysis_id: UUID, layout: Layout) -> None:
    """Say of which parts an analysis is put together. It must have let go of those that it had."""
    for kind, parts in layout.items():
        values = {
            "tenant": tenant_id,
            "analysis": analysis_id,
            "kind": kind,
            "numbers": list(range(len(parts))),
            "parts": [part.part_id for part in parts],
            "starts": starts_of(parts),
            "rows": [part.rows for part in parts],
        }
        await connection.execute(_PLACE, values)


async def let_go(
    connection: AsyncConnection,
    analyses: Sequence[UUID],
    kinds: Sequence[str] = tuple(COLUMNS),
    *,
    keep: Iterable[Part] = (),
) -> None:
    """Take from analyses of one repository what they have; what none has then is removed, but for what is to be kept.

    The repository must be held.
    """
    gone: dict[str, set[UUID]] = {kind: set() for kind in kinds}
    for kind, part_id in await connection.execute(_LET_GO, {"analyses": list(analyses), "kinds": list(kinds)}):
        gone[kind].add(part_id)
    kept = {part.part_id for part in keep}
    for kind, parts in gone.items():
        left = await connection.execute(_NOBODYS, {"parts": sorted(parts - kept), "kind": kind})
        await remove(connection, kind, list(left.scalars()))


async def remove(connection: AsyncConnection, kind: str, parts: Sequence[UUID]) -> None:
    """Delete the rows of some parts."""
    if parts:
        await connection.execute(_REMOVE[kind], {"parts": list(parts)})
