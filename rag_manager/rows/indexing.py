"""Write what the index stage found of one analysis, all of it or nothing."""

import json
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactRef
from rag_manager.stages.layout import Layout, Span, common_spans, from_json, to_json
from runtime.database import copy_rows
from runtime.faults import Transient

_CHUNKS = ("ordinal", "chunk_id", "path", "language", "file_class", "first_line", "last_line", "symbols", "text")
_FILES = ("path", "language", "file_class", "lines", "source_key", "source_sha256", "source_row")
_SYMBOLS = ("ordinal", "name", "qualified_name", "kind", "path", "first_line", "last_line")
_NEWEST = text("""
SELECT a.analysis_id, a.lexicon_key, a.lexicon_sha256, a.layout::text AS layout,
  (SELECT count(*) FROM rag.chunks c WHERE c.analysis_id = a.analysis_id) AS chunks,
  (SELECT count(*) FROM rag.symbols s WHERE s.analysis_id = a.analysis_id) AS symbols,
  (SELECT count(*) FROM rag.files f WHERE f.analysis_id = a.analysis_id) AS files
FROM rag.analyses a
WHERE a.repository_id = :repository AND a.tenant_id = :tenant AND a.analysis_id <> :mine
  AND a.layout->>'recipe' = :recipe AND a.retired_at IS NULL
ORDER BY a.indexed_at DESC LIMIT 1
""")
# Until the end of the transaction nothing is added to that index.
_HELD = text("SELECT lexicon_sha256 FROM rag.analyses WHERE analysis_id = :base FOR SHARE")


@dataclass(frozen=True)
class AnalysisRow:
    """One indexed analysis. `requested_at` orders the analyses of a repository."""

    analysis_id: UUID
    repository_id: UUID
    tenant_id: UUID
    commit: str
    requested_at: datetime


@dataclass(frozen=True)
class Base:
    """An analysis that is indexed: where its rows stand, and where its words are."""

    analysis_id: UUID
    lexicon_key: str
    lexicon_sha256: str
    layout: Layout


Blocks = AsyncIterable[Sequence[tuple[object, ...]]]


@dataclass(frozen=True)
class IndexedRows:
    """The rows that `base` (if any) does not have, as tuples in the order of the columns above, without the ids.

    They come in blocks, and may be asked for again. `layout` is that of all rows.
    """

    chunks: Blocks
    files: Blocks
    symbols: Blocks
    layout: Layout
    base: Base | None = None

    @property
    def chunk_count(self) -> int:
        """How many chunks there are in all."""
        return sum(count for _, count in self.layout.chunks)

    @property
    def file_count(self) -> int:
        """How many files there are in all."""
        return sum(count for _, count in self.layout.files)

    @property
    def symbol_count(self) -> int:
        """How many symbols there are in all."""
        return sum(count for _, count in self.layout.symbols)


async def newest_base(
    engine: AsyncEngine, tenant_id: UUID, repository_id: UUID, analysis_id: UUID, recipe: str
) -> Base | None:
    """The analysis of the repository that was indexed last by this recipe and has all of its rows still."""
    values = {"tenant": tenant_id, "repository": repository_id, "mine": analysis_id, "recipe": recipe}
    async with engine.connect() as connection:
        row = (await connection.execute(_NEWEST, values)).first()
    if row is None:
        return None
    layout = from_json(json.loads(row.layout))
    wanted = [sum(count for _, count in parts) for parts in (layout.chunks, layout.symbols, layout.files)]
    if wanted != [row.chunks, row.symbols, row.files]:
        return None
    return Base(row.analysis_id, row.lexicon_key, row.lexicon_sha256, layout)


async def write_index(
    connection: AsyncConnection, analysis: AnalysisRow, rows: IndexedRows, lexicon: ArtifactRef
) -> None:
    """Replace all rows of the analysis. Does not commit.

    Raises Transient where the rows of the base are gone meanwhile.
    """
    await connection.execute(
        text(
            "INSERT INTO rag.analyses (analysis_id, repository_id, tenant_id, commit, requested_at, chunks, files,"
            " lexicon_key, lexicon_sha256, lexicon_bytes, layout)"
            " VALUES (:analysis, :repository, :tenant, :commit, :requested_at, :chunks, :files, :key, :sha256, :bytes,"
            " CAST(:layout AS jsonb))"
            " ON CONFLICT (analysis_id) DO UPDATE SET chunks = excluded.chunks, files = excluded.files,"
            " lexicon_key = excluded.lexicon_key, lexicon_sha256 = excluded.lexicon_sha256,"
            " lexicon_bytes = excluded.lexicon_bytes, layout = excluded.layout, indexed_at = now(), retired_at = NULL"
        ),
        {
            "analysis": analysis.analysis_id,
            "repository": analysis.repository_id,
            "tenant": analysis.tenant_id,
            "commit": analysis.commit,
            "requested_at": analysis.requested_at,
            "chunks": rows.chunk_count,
            "files": rows.file_count,
            "key": lexicon.key,
            "sha256": lexicon.sha256,
            "bytes": lexicon.bytes,
            "layout": json.dumps(to_json(rows.layout)),
        },
    )
    for table, columns, records in (
        ("chunks", _CHUNKS, rows.chunks),
        ("files", _FILES, rows.files),
        ("symbols", _SYMBOLS, rows.symbols),
    ):
        await _replace(connection, analysis, table, columns, records)
    if rows.base is not None:
        await _copy_common(connection, analysis, rows.base, rows.layout)


async def _replace(
    connection: AsyncConnection,
    analysis: AnalysisRow,
    table: str,
    columns: Sequence[str],
    blocks: Blocks,
) -> None:
    whose = (analysis.tenant_id, analysis.analysis_id)
    # `table` is one of three names in this file.
    await connection.execute(text(f"DELETE FROM rag.{table} WHERE analysis_id = :id"), {"id": whose[1]})  # noqa: S608
    names = ("tenant_id", "analysis_id", *columns)
    async for rows in blocks:
        await copy_rows(connection, f"rag.{table}", names, ((*whose, *row) for row in rows))


async def _copy_common(connection: AsyncConnection, analysis: AnalysisRow, base: Base, layout: Layout) -> None:
    if await connection.scalar(_HELD, {"base": base.analysis_id}) != base.lexicon_sha256:
        raise Transient("index_moved", "The index that this one builds on changed: it will be built of what it is now.")
    there = base.layout
    for span in common_spans(there.chunks, layout.chunks):
        await _copy_span(connection, "chunks", _CHUNKS, analysis, base, span)
    for span in common_spans(there.symbols, layout.symbols):
        await _copy_span(connection, "symbols", _SYMBOLS, analysis, base, span)
    known = dict(there.files)
    common = [(name, count) for name, count in layout.files if name in known]
    names = ", ".join(_FILES)
    query = (
        f"INSERT INTO rag.files (tenant_id, analysis_id, {names}) SELECT tenant_id, :mine, {names} FROM rag.files"  # noqa: S608  # our own names
        " WHERE analysis_id = :base AND source_sha256 = ANY(:sources)"
    )
    values = {
        "mine": analysis.analysis_id,
        "base": base.analysis_id,
        "sources": [name for name, _ in common],
    }
    _expect((await connection.execute(text(query), values)).rowcount, sum(count for _, count in common))


async def _copy_span(  # whose rows, of which, where to
    connection: AsyncConnection, table: str, columns: Sequence[str], analysis: AnalysisRow, base: Base, span: Span
) -> None:
    names = ", ".join(columns[1:])
    query = (
        f"INSERT INTO rag.{table} (tenant_id, analysis_id, ordinal, {names})"  # noqa: S608  # our own names
        f" SELECT tenant_id, :mine, ordinal + CAST(:shift AS int), {names} FROM rag.{table}"
        " WHERE analysis_id = :base AND ordinal >= :start AND ordinal < :stop"
    )
    values = {
        "mine": analysis.analysis_id,
        "base": base.analysis_id,
        "shift": span.shift,
        "start": span.start,
        "stop": span.start + span.count,
    }
    _expect((await connection.execute(text(query), values)).rowcount, span.count)


def _expect(copied: int, wanted: int) -> None:
    if copied != wanted:
        raise Transient("index_moved", "The index that this one builds on was removed: it will be built without it.")
