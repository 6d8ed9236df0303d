"""Write what the index stage found of one analysis, all of it or nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactRef
from runtime.database import copy_rows

_CHUNKS = ("ordinal", "chunk_id", "path", "language", "file_class", "first_line", "last_line", "symbols", "text")
_FILES = ("path", "language", "file_class", "lines", "source_key", "source_sha256", "source_row")
_SYMBOLS = ("ordinal", "name", "qualified_name", "kind", "path", "first_line", "last_line")


@dataclass(frozen=True)
class AnalysisRow:
    """One indexed analysis. `requested_at` orders the analyses of a repository."""

    analysis_id: UUID
    repository_id: UUID
    tenant_id: UUID
    commit: str
    requested_at: datetime


@dataclass(frozen=True)
class IndexedRows:
    """Tuples in the order of the columns above, without the tenant's and the analysis' id."""

    chunks: Sequence[tuple[object, ...]]
    files: Sequence[tuple[object, ...]]
    symbols: Sequence[tuple[object, ...]]


async def write_index(
    connection: AsyncConnection, analysis: AnalysisRow, rows: IndexedRows, lexicon: ArtifactRef
) -> None:
    """Replace all rows of the analysis. Does not commit."""
    await connection.execute(
        text(
            "INSERT INTO rag.analyses (analysis_id, repository_id, tenant_id, commit, requested_at, chunks, files,"
            " lexicon_key, lexicon_sha256, lexicon_bytes)"
            " VALUES (:analysis, :repository, :tenant, :commit, :requested_at, :chunks, :files, :key, :sha256, :bytes)"
            " ON CONFLICT (analysis_id) DO UPDATE SET chunks = excluded.chunks, files = excluded.files,"
            " lexicon_key = excluded.lexicon_key, lexicon_sha256 = excluded.lexicon_sha256,"
            " lexicon_bytes = excluded.lexicon_bytes, indexed_at = now(), retired_at = NULL"
        ),
        {
            "analysis": analysis.analysis_id,
            "repository": analysis.repository_id,
            "tenant": analysis.tenant_id,
            "commit": analysis.commit,
            "requested_at": analysis.requested_at,
            "chunks": len(rows.chunks),
            "files": len(rows.files),
            "key": lexicon.key,
            "sha256": lexicon.sha256,
            "bytes": lexicon.bytes,
        },
    )
    for table, columns, records in (
        ("chunks", _CHUNKS, rows.chunks),
        ("files", _FILES, rows.files),
        ("symbols", _SYMBOLS, rows.symbols),
    ):
        await _replace(connection, analysis, table, columns, records)


async def _replace(
    connection: AsyncConnection,
    analysis: AnalysisRow,
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[object, ...]],
) -> None:
    whose = (analysis.tenant_id, analysis.analysis_id)
    # `table` is one of three names in this file.
    await connection.execute(text(f"DELETE FROM rag.{table} WHERE analysis_id = :id"), {"id": whose[1]})  # noqa: S608
    await copy_rows(
        connection, f"rag.{table}", ("tenant_id", "analysis_id", *columns), ((*whose, *row) for row in rows)
    )
