"""Read what a search needs: what serves, the catalogue, the text of the chosen chunks, where a file's lines are.

Everything in a transaction of the tenant: what is another's is not there.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.index import GenerationKind
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.show_passages import ChunkText
from runtime.tenancy import TenantDatabase

# Which commits are there: of an analysis at most one artifact of the kind, with the shard 0.
_TOLD = "SELECT key FROM app.loaded WHERE kind = 'commits' AND shard = 0 AND code IS NULL AND analysis_id"
_GENERATIONS = "FROM rag.analyses a JOIN rag.generations g USING (analysis_id)"
_SERVING = f"""
SELECT a.analysis_id, a.commit, a.chunks, a.lexicon_key, a.lexicon_sha256, g.generation_id, g.kind, g.model,
  g.collection, ({_TOLD} = a.analysis_id) AS told
{_GENERATIONS}
"""  # only our own text is put in
_BEST = """
WHERE a.analysis_id = $1 AND a.repository_id = $2 AND g.state = 'built'
  AND a.retired_at IS NULL AND coalesce(g.model, '') <> ALL (CAST($3 AS text[]))
ORDER BY array_position(ARRAY['full', 'quick', 'lexical'], g.kind), g.changed_at DESC LIMIT 1
"""
# One row at least where the analysis is there: texts and digest are of one moment. Rows are looked up one by one
# (`LATERAL … OFFSET 0`): the planner foresees a few rows of an analysis, and would compare each place with all of them.
_TEXTS = """
SELECT a.lexicon_sha256, t.* FROM rag.analyses a LEFT JOIN (
  SELECT o.ordinal, c.text, c.language, c.symbols FROM rag.layouts l
  CROSS JOIN LATERAL (
    SELECT n AS ordinal FROM unnest($2::int[]) AS n WHERE n >= l.start AND n < l.start + l.rows OFFSET 0
  ) o
  CROSS JOIN LATERAL (
    SELECT p.text, p.language, p.symbols FROM rag.part_chunks p
    WHERE p.part_id = l.part_id AND p.place = o.ordinal - l.start OFFSET 0
  ) c
  WHERE l.analysis_id = $1 AND l.kind = 'chunks'
) t ON true WHERE a.analysis_id = $1
"""
_LEXICON = "SELECT lexicon_sha256 FROM rag.analyses WHERE analysis_id = :id"


@dataclass(frozen=True)
class Served:
    """A generation that answers searches, and the lexical index of its analysis.

    `told` is the key of the artifact that has what earlier commits say; None where there is none (yet).
    """

    analysis_id: UUID
    commit: str
    chunks: int
    lexicon_key: str
    lexicon_sha256: str
    generation_id: UUID
    kind: GenerationKind
    model: str | None
    collection: str | None
    told: str | None = None


@dataclass(frozen=True)
class FilePlace:
    """Where the text of one file is: a row of a `sources` artifact."""

    path: str
    language: str | None
    lines: int
    source_key: str
    source_sha256: str
    source_row: int


@dataclass(frozen=True)
class Indexed:
    """What the index stage recorded of an analysis."""

    requested_at: datetime
    chunks: int
    files: int


async def indexed(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID) -> Indexed | None:
    """What is indexed of an analysis, or None."""
    async with rows.of(tenant_id) as connection:
        query = text(
            "SELECT requested_at, chunks, files FROM rag.analyses WHERE analysis_id = :id AND tenant_id = :tenant"
        )
        row = (await connection.execute(query, {"id": analysis_id, "tenant": tenant_id})).first()
        return Indexed(*row) if row else None


async def served_by_repository(rows: TenantDatabase, tenant_id: UUID, repository_id: UUID) -> Served | None:
    """What the repository's pointer points to, or None where nothing is indexed yet."""
    return await _served(
        rows,
        tenant_id,
        f"{_SERVING} JOIN rag.pointers p USING (generation_id) WHERE p.repository_id = $1",
        repository_id,
    )


async def served_by_analysis(
    rows: TenantDatabase, tenant_id: UUID, repository_id: UUID, analysis_id: UUID, *, but_of: Collection[str] = ()
) -> Served | None:
    """The best complete generation of one analysis of this repository, but of these models, or None."""
    return await _served(rows, tenant_id, f"{_SERVING} {_BEST}", analysis_id, repository_id, sorted(but_of))


async def best_generation(
    rows: TenantDatabase, tenant_id: UUID, repository_id: UUID, analysis_id: UUID, *, but_of: Collection[str] = ()
) -> UUID | None:
    """As `served_by_analysis`, for a stage, whose role sees no rows of the graph: the generation's id."""
    query = f"SELECT g.generation_id {_GENERATIONS} {_BEST}"  # only our own text is put in
    found = await rows.rows(tenant_id, query, analysis_id, repository_id, sorted(but_of))
    return found[0]["generation_id"] if found else None


async def told_of(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID) -> str | None:
    """As `Served.told`, of any analysis."""
    found = await rows.rows(tenant_id, f"{_TOLD} = $1", analysis_id)
    return found[0]["key"] if found else None


class IndexChanged(Exception):
    """The rows of an analysis are others by now: something was added to its index."""


async def catalogue(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID, lexicon_sha256: str) -> Catalogue:
    """All places of one analysis, without text. Raises IndexChanged where they belong to another lexicon by now."""
    async with rows.of(tenant_id) as connection:
        chunks = await connection.execute(
            text(
                "SELECT chunk_id, path, file_class, first_line, last_line, language FROM rag.chunks"
                " WHERE analysis_id = :id ORDER BY ordinal"
            ),
            {"id": analysis_id},
        )
        symbols = await connection.execute(
            text(
                "SELECT name, kind, path, first_line, last_line FROM rag.symbols"
                " WHERE analysis_id = :id ORDER BY ordinal"
            ),
            {"id": analysis_id},
        )
        files = await connection.execute(
            text("SELECT path, lines FROM rag.files WHERE analysis_id = :id"), {"id": analysis_id}
        )
        # Last: rows are replaced at once, and a digest that is the same now was the same all the time.
        if await connection.scalar(text(_LEXICON), {"id": analysis_id}) != lexicon_sha256:
            raise IndexChanged
        read = chunks.all(), symbols.all(), files.all()
    # On a thread: of a large repository it takes seconds, in which others are searched.
    return await asyncio.to_thread(_made, *read)


def _made(chunks: Iterable[Any], symbols: Iterable[Any], files: Iterable[Any]) -> Catalogue:
    named = ((row[0], row[1], row[2], row[3], row[4]) for row in symbols)
    return make_catalogue((ChunkPlace(*row) for row in chunks), named, ((row[0], row[1]) for row in files))


async def chunk_texts(
    rows: TenantDatabase, tenant_id: UUID, served: Served, ordinals: Sequence[int]
) -> dict[int, ChunkText]:
    """The text of some chunks, by number. Raises IndexChanged where the numbers are other chunks' by now."""
    found = await rows.rows(tenant_id, _TEXTS, served.analysis_id, list(ordinals))
    if not found or found[0]["lexicon_sha256"] != served.lexicon_sha256:
        raise IndexChanged
    there = (row for row in found if row["ordinal"] is not None)
    return {row["ordinal"]: ChunkText(row["text"], row["language"], tuple(row["symbols"])) for row in there}


async def file_place(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID, path: str) -> FilePlace | None:
    """Where the lines of a file are, or None where the analysis has no such file."""
    query = (
        "SELECT path, language, lines, source_key, source_sha256, source_row FROM rag.files"
        " WHERE analysis_id = $1 AND path = $2"
    )
    found = await rows.rows(tenant_id, query, analysis_id, path)
    return FilePlace(*found[0]) if found else None


async def _served(rows: TenantDatabase, tenant_id: UUID, query: str, *values: object) -> Served | None:
    found = await rows.rows(tenant_id, query, *values)
    return Served(**{**found[0], "kind": GenerationKind(found[0]["kind"])}) if found else None


async def existing_lexicons(engine: AsyncEngine) -> set[tuple[UUID, UUID, str]]:
    """Tenant, analysis and digest of the lexicon of every analysis that is indexed, of all tenants."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT tenant_id, analysis_id, lexicon_sha256 FROM rag.analyses"))
        return {(row[0], row[1], row[2]) for row in rows}


async def existing_sources(engine: AsyncEngine, held: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these sources (key and digest), those that an indexed analysis of any tenant still has."""
    if not held:
        return set()
    pairs = sorted(held)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT key, sha256 FROM unnest(CAST(:keys AS text[]), CAST(:digests AS text[])) AS t (key, sha256)"
                " WHERE EXISTS (SELECT FROM rag.files f WHERE f.source_sha256 = t.sha256 AND f.source_key = t.key)"
            ),
            {"keys": [key for key, _ in pairs], "digests": [sha256 for _, sha256 in pairs]},
        )
        return {(row[0], row[1]) for row in rows}
