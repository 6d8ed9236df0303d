"""Write what the index stage found of one analysis, all of it or nothing."""

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactRef
from rag_manager.rows import parts
from rag_manager.stages.layout import Layout
from runtime.database import copy_rows
from runtime.faults import Transient

_NEWEST = text("""
SELECT lexicon_key, lexicon_sha256 FROM rag.analyses
WHERE repository_id = :repository AND tenant_id = :tenant AND analysis_id <> :mine AND recipe = :recipe
  AND retired_at IS NULL
ORDER BY indexed_at DESC LIMIT 1
""")
_ANALYSIS = text("""
INSERT INTO rag.analyses (analysis_id, repository_id, tenant_id, commit, requested_at, chunks, files,
  lexicon_key, lexicon_sha256, lexicon_bytes, recipe)
VALUES (:analysis, :repository, :tenant, :commit, :requested_at, :chunks, :files, :key, :sha256, :bytes, :recipe)
ON CONFLICT (analysis_id) DO UPDATE SET chunks = excluded.chunks, files = excluded.files,
  lexicon_key = excluded.lexicon_key, lexicon_sha256 = excluded.lexicon_sha256,
  lexicon_bytes = excluded.lexicon_bytes, recipe = excluded.recipe, indexed_at = now(), retired_at = NULL
""")


@dataclass(frozen=True)
class AnalysisRow:
    """One indexed analysis. `requested_at` orders the analyses of a repository."""

    analysis_id: UUID
    repository_id: UUID
    tenant_id: UUID
    commit: str
    requested_at: datetime


Blocks = AsyncIterable[Sequence[tuple[object, ...]]]


@dataclass(frozen=True)
class NewRows:
    """The rows of some parts, each with its part's id and then as `parts.COLUMNS` says. They may be asked for again."""

    parts: frozenset[UUID]
    blocks: Blocks


@dataclass(frozen=True)
class IndexedRows:
    """Of which parts an index is put together, and, by kind, the rows of those that are not there yet."""

    layout: Layout
    new: Mapping[str, NewRows]

    def count(self, kind: str) -> int:
        """How many rows of a kind there are in all."""
        return sum(part.rows for part in self.layout[kind])


async def newest_words(
    engine: AsyncEngine, tenant_id: UUID, repository_id: UUID, analysis_id: UUID, recipe: str
) -> tuple[str, str] | None:
    """Key and hash of the lexicon of the repository's other analysis that was indexed last by this recipe."""
    values = {"tenant": tenant_id, "repository": repository_id, "mine": analysis_id, "recipe": recipe}
    async with engine.connect() as connection:
        row = (await connection.execute(_NEWEST, values)).first()
        return None if row is None else (row.lexicon_key, row.lexicon_sha256)


async def known_parts(engine: AsyncEngine, repository_id: UUID, wanted: Iterable[UUID]) -> dict[UUID, int]:
    """Of these parts, those that are there with all of their rows, and how many these are."""
    async with engine.connect() as connection:
        return await parts.whole(connection, repository_id, wanted)


async def write_index(
    connection: AsyncConnection, analysis: AnalysisRow, rows: IndexedRows, lexicon: ArtifactRef
) -> None:
    """Replace what the analysis has. Does not commit.

    Raises Transient where a part that was there is gone meanwhile.
    """
    await parts.hold(connection, analysis.repository_id)
    await _expect_others(connection, analysis.repository_id, rows)
    await connection.execute(
        _ANALYSIS,
        {
            "analysis": analysis.analysis_id,
            "repository": analysis.repository_id,
            "tenant": analysis.tenant_id,
            "commit": analysis.commit,
            "requested_at": analysis.requested_at,
            "chunks": rows.count("chunks"),
            "files": rows.count("files"),
            "key": lexicon.key,
            "sha256": lexicon.sha256,
            "bytes": lexicon.bytes,
            "recipe": lexicon.made_from,
        },
    )
    for kind, new in rows.new.items():
        await parts.remove(connection, kind, sorted(new.parts))  # another analysis wrote it meanwhile, or it lost rows
        names = ("tenant_id", "part_id", *parts.COLUMNS[kind])
        async for block in new.blocks:
            await copy_rows(connection, f"rag.part_{kind}", names, ((analysis.tenant_id, *row) for row in block))
    await parts.let_go(
        connection, [analysis.analysis_id], keep=(part for kind in rows.layout.values() for part in kind)
    )
    await parts.place(connection, analysis.tenant_id, analysis.analysis_id, rows.layout)


async def _expect_others(connection: AsyncConnection, repository_id: UUID, rows: IndexedRows) -> None:
    for kind, placed in rows.layout.items():
        others = {part.part_id for part in placed} - rows.new[kind].parts
        if others - (await parts.named(connection, repository_id, others))[kind].keys():
            raise Transient("index_moved", "What this index shares with another one went: it will be built without it.")
