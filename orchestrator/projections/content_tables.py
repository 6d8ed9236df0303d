"""The tables that artifacts go into.

An artifact is named by its hash. Rows of the large kinds belong to it instead of to an analysis: `app.loaded` says
which analysis has which, and where another analysis of the tenant has loaded the same one, there is nothing to copy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ChurnRow, CommitRow, ConnectionRow, ImportRow, LinkRow
from events.base import derived_id
from runtime.database import copy_rows


@dataclass(frozen=True)
class Table:
    """Where the rows of one kind of artifact go. `numbered` tables keep the shard and the place in it.

    `later` are columns that older artifacts do not have, with what is meant there. `of_shard` is the condition of the
    rows of one shard, which go where it comes again. The rows of `shared` tables are a part, which several analyses
    may have; readers find them by analysis in a view.
    """

    name: str
    columns: tuple[str, ...]
    numbered: bool
    later: Mapping[str, object] = field(default_factory=dict)
    of_shard: str = "true"
    shared: bool = False

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns as they are copied."""
        whose = "part_id" if self.shared else "analysis_id"
        return ("tenant_id", whose, *(("shard", "ordinal") if self.numbered else ()), *self.columns)


TABLES = {
    ArtifactKind.TREE: Table(
        "files",
        ("path", "language", "file_class", "size", "lines", "shard", "skipped", "rule"),
        numbered=False,
        later={"rule": ""},
    ),
    ArtifactKind.OUTCOMES: Table(
        "outcomes",
        ("path", "outcome", "reason", "symbols", "chunks", "errors", "error_lines"),
        numbered=False,
        later={"error_lines": []},
        of_shard="path IN (SELECT f.path FROM app.files f WHERE f.analysis_id = :analysis_id AND f.shard = :shard)",
    ),
    ArtifactKind.SYMBOLS: Table(
        "part_symbols",
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
        shared=True,
    ),
    ArtifactKind.DEPENDENCIES: Table(
        "dependencies",
        ("ecosystem", "name", "constraint", "version", "scope", "group", "path", "line", "locked"),
        numbered=True,
    ),
    ArtifactKind.EDGES: Table("part_edges", ("path", "kind", "source", "target", "line"), numbered=True, shared=True),
    ArtifactKind.IMPORTS: Table("imports", tuple(ImportRow.model_fields), numbered=True),
    ArtifactKind.LINKS: Table("links", tuple(LinkRow.model_fields), numbered=True),
    ArtifactKind.CONNECTIONS: Table("connections", tuple(ConnectionRow.model_fields), numbered=False),
    ArtifactKind.CHURN: Table("churn", tuple(ChurnRow.model_fields), numbered=False),
    ArtifactKind.COMMITS: Table("commits", tuple(CommitRow.model_fields), numbered=False),
}


SHARED = {kind: table for kind, table in TABLES.items() if table.shared}


@dataclass(frozen=True)
class Part:
    """The rows of one artifact: they have this id and shard, which is 0 but for rows from before they were shared."""

    part_id: UUID
    shard: int
    rows: int


class Moved(Exception):
    """Rows that another analysis had are gone by now."""


_REPLACED = {
    kind: text(f"DELETE FROM app.{table.name} WHERE analysis_id = :analysis_id AND {table.of_shard}")  # noqa: S608  # our own names
    for kind, table in TABLES.items()
    if not table.shared
}
_PART_REMOVED = {
    kind: text(f"DELETE FROM app.{table.name} WHERE part_id = :part_id AND shard = :shard")  # noqa: S608  # the same
    for kind, table in SHARED.items()
}
_IS_HAD = text("""
SELECT EXISTS (SELECT FROM app.loaded WHERE part_id = :part_id AND part_shard = :shard AND kind = :kind)
""")
# A link names symbols by their numbers, which are others then; those of the new ones come with the next links.
_UNLINKED = text("""
DELETE FROM app.links WHERE analysis_id = :analysis_id AND (source_shard = :shard OR target_shard = :shard)
""")
_SAME = text("""
SELECT DISTINCT ON (key) key, part_id, part_shard, rows FROM app.loaded
WHERE key = ANY (:keys) AND tenant_id = ANY (:tenants) AND code IS NULL AND part_id IS NOT NULL ORDER BY key
""")


def what_goes(mine: str) -> tuple[str, ...]:
    """Statements that remove what analyses alone have; `mine` selects their ids. `app.loaded` is to go after them."""
    return tuple(
        f"""
        DELETE FROM app.{table.name} p USING (
          SELECT DISTINCT l.part_id, l.part_shard FROM app.loaded l
          WHERE l.kind = '{kind.value}' AND l.part_id IS NOT NULL AND l.analysis_id IN ({mine}) AND NOT EXISTS (
            SELECT FROM app.loaded o WHERE o.part_id = l.part_id AND o.part_shard = l.part_shard AND o.kind = l.kind
              AND o.analysis_id NOT IN ({mine}))
        ) gone WHERE p.part_id = gone.part_id AND p.shard = gone.part_shard
        """  # noqa: S608  # our own names
        for kind, table in SHARED.items()
    )


def new_part(tenant_id: UUID, key: str, rows: int) -> Part:
    """The part that an artifact becomes where the tenant has loaded none like it: always the same one."""
    return Part(derived_id("loaded", tenant_id, key), 0, rows)


async def loaded_before(connection: AsyncConnection, tenants: Iterable[UUID], keys: Iterable[str]) -> dict[str, Part]:
    """Of these artifacts of large kinds, those that are in the tables already."""
    rows = await connection.execute(_SAME, {"keys": sorted(keys), "tenants": sorted(tenants)})
    return {row.key: Part(row.part_id, row.part_shard, row.rows) for row in rows}


async def make_room(connection: AsyncConnection, kind: ArtifactKind, analysis_id: UUID, shard: int) -> None:
    """Remove the rows of an earlier run of the same shard; where symbols go, the links that have one of them too."""
    values = {"analysis_id": analysis_id, "shard": shard}
    if kind in _REPLACED:
        replaced = _REPLACED[kind]
        await connection.execute(replaced, {name: values[name] for name in replaced.compile().params})
    if kind is ArtifactKind.SYMBOLS:
        await connection.execute(_UNLINKED, values)


async def let_go(connection: AsyncConnection, kind: ArtifactKind, part: Part) -> None:
    """Remove the rows of a part unless an analysis has it still."""
    values = {"part_id": part.part_id, "shard": part.shard, "kind": kind.value}
    if not await connection.scalar(_IS_HAD, values):
        await remove(connection, kind, part)


async def remove(connection: AsyncConnection, kind: ArtifactKind, part: Part) -> None:
    """Remove the rows of a part."""
    await connection.execute(_PART_REMOVED[kind], {"part_id": part.part_id, "shard": part.shard})


async def copy_into(connection: AsyncConnection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy the rows; what COPY says of them becomes a ValueError."""
    import asyncpg

    try:
        await copy_rows(connection, f"app.{table.name}", table.all_columns, rows)
    except asyncpg.InterfaceError as error:
        raise ConnectionError(str(error)) from error
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise ValueError(str(error)) from error
