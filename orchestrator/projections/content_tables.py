"""The tables that artifacts go into, and the two ways in: rows copied from a file, or within the database.

An artifact is named by its hash: where another analysis has loaded the same one, its rows are the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef, ConnectionRow, ImportRow, LinkRow
from runtime.database import copy_rows


@dataclass(frozen=True)
class Table:
    """Where the rows of one kind of artifact go. `numbered` tables keep the shard and the place in it.

    `later` are columns that older artifacts do not have, with what is meant there. `of_shard` is the condition of the
    rows of one shard, which go where it comes again.
    """

    name: str
    columns: tuple[str, ...]
    numbered: bool
    later: Mapping[str, object] = field(default_factory=dict)
    of_shard: str = "true"

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns as they are copied."""
        return ("tenant_id", "analysis_id", *(("shard", "ordinal") if self.numbered else ()), *self.columns)


TABLES = {
    ArtifactKind.TREE: Table(
        "files",
        ("path", "language", "file_class", "size", "lines", "shard", "skipped", "rule"),
        numbered=False,
        later={"rule": ""},
    ),
    ArtifactKind.OUTCOMES: Table(
        "outcomes",
        ("path", "outcome", "reason", "symbols", "chunks", "errors"),
        numbered=False,
        of_shard="path IN (SELECT f.path FROM app.files f WHERE f.analysis_id = :analysis_id AND f.shard = :shard)",
    ),
    ArtifactKind.SYMBOLS: Table(
        "symbols",
        (
            "path",
            "language",
            "kind",
            "name",
            "qualified_name",
            "parent",
            "signature",
            "docstring",
            "first_line",
            "last_line",
            "visibility",
            "complexity",
            "code_lines",
        ),
        numbered=True,
        later={"visibility": "", "complexity": 0, "code_lines": 0},
        of_shard="shard = :shard",
    ),
    ArtifactKind.DEPENDENCIES: Table(
        "dependencies",
        ("ecosystem", "name", "constraint", "version", "scope", "group", "path", "line", "locked"),
        numbered=True,
    ),
    ArtifactKind.EDGES: Table(
        "edges", ("path", "kind", "source", "target", "line"), numbered=True, of_shard="shard = :shard"
    ),
    ArtifactKind.IMPORTS: Table("imports", tuple(ImportRow.model_fields), numbered=True),
    ArtifactKind.LINKS: Table("links", tuple(LinkRow.model_fields), numbered=True),
    ArtifactKind.CONNECTIONS: Table("connections", tuple(ConnectionRow.model_fields), numbered=False),
}


@dataclass(frozen=True)
class Loaded:
    """An artifact whose rows another analysis has: which shard of it, and how many they are."""

    analysis_id: UUID
    shard: int
    rows: int


class Moved(Exception):
    """The rows that were to be copied are gone, or others by now."""


_REPLACED = {
    kind: text(f"DELETE FROM app.{table.name} WHERE analysis_id = :analysis_id AND {table.of_shard}")  # noqa: S608  # our own names
    for kind, table in TABLES.items()
}
# A link names symbols by their numbers, which are others then; those of the new ones come with the next links.
_UNLINKED = text("""
DELETE FROM app.links WHERE analysis_id = :analysis_id AND (source_shard = :shard OR target_shard = :shard)
""")
_SAME = text("""
SELECT DISTINCT ON (key) key, analysis_id, shard, rows FROM app.loaded
WHERE key = ANY (:keys) AND code IS NULL ORDER BY key, analysis_id
""")


async def loaded_before(connection: AsyncConnection, keys: Iterable[str]) -> dict[str, Loaded]:
    """Of these artifacts, those that are in the tables already."""
    rows = await connection.execute(_SAME, {"keys": sorted(keys)})
    return {row.key: Loaded(row.analysis_id, row.shard, row.rows) for row in rows}


async def make_room(connection: AsyncConnection, kind: ArtifactKind, analysis_id: UUID, shard: int) -> None:
    """Remove the rows of an earlier run of the same shard; where symbols go, the links that have one of them too."""
    values = {"analysis_id": analysis_id, "shard": shard}
    replaced = _REPLACED[kind]
    await connection.execute(replaced, {name: values[name] for name in replaced.compile().params})
    if kind is ArtifactKind.SYMBOLS:
        await connection.execute(_UNLINKED, values)


async def copy_same(connection: AsyncConnection, ref: ArtifactRef, analysis_id: UUID, shard: int, same: Loaded) -> None:
    """Give an analysis the rows of another one's shard, in a numbered table. Raises Moved."""
    table = TABLES[ref.kind]
    names = ", ".join(f'"{column}"' for column in ("ordinal", *table.columns))
    query = (
        f"INSERT INTO app.{table.name} (tenant_id, analysis_id, shard, {names})"  # noqa: S608  # our own names
        f" SELECT tenant_id, :mine, CAST(:here AS int), {names} FROM app.{table.name}"
        " WHERE analysis_id = :base AND shard = :there AND EXISTS (SELECT FROM app.loaded l"
        " WHERE l.analysis_id = :base AND l.kind = :kind AND l.shard = :there AND l.key = :key)"
    )
    of_base = {"base": same.analysis_id, "there": same.shard, "kind": ref.kind.value, "key": ref.key}
    values = {"mine": analysis_id, "here": shard, **of_base}
    if (await connection.execute(text(query), values)).rowcount != same.rows:
        raise Moved(f"{table.name} of {same.analysis_id}")


async def copy_into(connection: AsyncConnection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy the rows; what COPY says of them becomes a ValueError."""
    import asyncpg

    try:
        await copy_rows(connection, f"app.{table.name}", table.all_columns, rows)
    except asyncpg.InterfaceError as error:
        raise ConnectionError(str(error)) from error
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise ValueError(str(error)) from error
