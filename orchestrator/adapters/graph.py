"""The graph of an analysis, as the projection `contents` loaded it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from orchestrator.api.graph_models import (
    ConnectionPage,
    ConnectionView,
    ImportPage,
    ImportView,
    LinkPage,
    LinkView,
    ModuleEdgeView,
    ModuleMap,
    Treemap,
    TreemapItem,
)
from orchestrator.api.paging import CONNECTIONS, IMPORTS, LINKS, Page
from runtime.tenancy import TenantDatabase

_END = {"callers": ("target", "source"), "callees": ("source", "target")}
_LINKS = """
SELECT l.kind, l.path, l.line, l.confidence, l.level, l.shard, l.ordinal,
  CASE WHEN l.{other}_shard >= 0 THEN l.{other}_shard || '-' || l.{other}_ordinal END AS symbol_id,
  coalesce(s.qualified_name, l.{other}) AS name, coalesce(s.kind, '') AS kind_of_symbol,
  coalesce(s.path, l.path) AS symbol_path, coalesce(s.first_line, l.line) AS symbol_line
FROM app.links l LEFT JOIN app.symbols s
  ON s.analysis_id = l.analysis_id AND s.shard = l.{other}_shard AND s.ordinal = l.{other}_ordinal
WHERE l.analysis_id = :analysis AND l.{own}_shard = :symbol_shard AND l.{own}_ordinal = :symbol_ordinal
  AND (l.shard, l.ordinal) > (CAST(:shard AS int), CAST(:ordinal AS int))
ORDER BY l.shard, l.ordinal LIMIT :limit
"""
_LINK_COUNT = """
SELECT count(*) FROM app.links
WHERE analysis_id = :analysis AND {own}_shard = :symbol_shard AND {own}_ordinal = :symbol_ordinal
"""
_OF_FILE = "path = :path"
_TO_FILE = "target = :path AND resolution IN ('file', 'folder')"
_IMPORTS = """
SELECT path, line, written, module, name, alias, resolution, target, confidence, shard, ordinal FROM app.imports
WHERE analysis_id = :analysis AND {which} AND (shard, ordinal) > (CAST(:shard AS int), CAST(:ordinal AS int))
ORDER BY shard, ordinal LIMIT :limit
"""
_IMPORT_COUNT = "SELECT count(*) FROM app.imports WHERE analysis_id = :analysis AND {which}"
_CONNECTIONS = text("""
SELECT path, imports, imported_by, calls, called_by, functions, complexity, most_complex,
  imports + imported_by + calls + called_by AS ends
FROM app.connections
WHERE analysis_id = :analysis
  AND (CAST(:ends AS int) IS NULL
    OR (-(imports + imported_by + calls + called_by), path) > (-CAST(:ends AS int), :path))
ORDER BY ends DESC, path LIMIT :limit
""")
_FOLDER = "CASE WHEN {path} LIKE '%/%' THEN regexp_replace({path}, '/[^/]*$', '') ELSE '' END"
_MODULES = text(f"""
SELECT source, target, sum(imports)::int AS imports, sum(calls)::int AS calls FROM (
  SELECT {_FOLDER.format(path="path")} AS source,
    CASE resolution WHEN 'folder' THEN target ELSE {_FOLDER.format(path="target")} END AS target,
    count(*) AS imports, 0 AS calls
  FROM app.imports WHERE analysis_id = :analysis AND resolution IN ('file', 'folder') GROUP BY 1, 2
  UNION ALL
  SELECT {_FOLDER.format(path="path")}, {_FOLDER.format(path="target_path")}, 0, count(*)
  FROM app.links WHERE analysis_id = :analysis AND kind IN ('call', 'inherit') GROUP BY 1, 2
) AS edges
WHERE source <> target GROUP BY source, target ORDER BY sum(imports + calls) DESC, source, target LIMIT 200
""")  # noqa: S608  # only our own text is put in
_CHILD = "CAST(:prefix AS text) || split_part(substr({path}, CAST(:skip AS int)), '/', 1)"
_INSIDE = text(f"""
SELECT source, target, sum(imports)::int AS imports, sum(calls)::int AS calls FROM (
  SELECT {_CHILD.format(path="path")} AS source, {_CHILD.format(path="target")} AS target, 1 AS imports, 0 AS calls
  FROM app.imports WHERE analysis_id = :analysis AND resolution IN ('file', 'folder')
    AND starts_with(path, :prefix) AND starts_with(target, :prefix)
  UNION ALL
  SELECT {_CHILD.format(path="path")}, {_CHILD.format(path="target_path")}, 0, 1
  FROM app.links WHERE analysis_id = :analysis AND kind IN ('call', 'inherit')
    AND starts_with(path, :prefix) AND starts_with(target_path, :prefix)
) AS edges
WHERE source <> target AND target <> :prefix
GROUP BY source, target ORDER BY sum(imports + calls) DESC, source, target LIMIT 200
""")  # noqa: S608  # only our own text is put in
_TREEMAP = text("""
WITH below AS (
  SELECT f.path, f.size, f.lines, f.language, coalesce(c.functions, 0) AS functions,
    coalesce(c.complexity, 0) AS complexity, coalesce(h.commits, 0) AS commits,
    split_part(substr(f.path, :skip), '/', 1) AS name, position('/' IN substr(f.path, :skip)) = 0 AS is_file
  FROM app.files f LEFT JOIN app.connections c USING (analysis_id, path) LEFT JOIN app.churn h USING (analysis_id, path)
  WHERE f.analysis_id = :analysis AND f.skipped IS NULL AND starts_with(f.path, :prefix)
), spoken AS (
  SELECT DISTINCT ON (name) name, language FROM below WHERE language IS NOT NULL
  GROUP BY name, language ORDER BY name, sum(size) DESC, language
)
SELECT b.name, bool_and(b.is_file) AS is_file, count(*)::int AS files, sum(b.size)::bigint AS size,
  sum(b.lines)::bigint AS lines, max(s.language) AS language, sum(b.functions)::int AS functions,
  sum(b.complexity)::bigint AS complexity, sum(b.commits)::bigint AS changes,
  (count(*) OVER ())::int AS total
FROM below b LEFT JOIN spoken s USING (name)
GROUP BY b.name ORDER BY size DESC, b.name LIMIT 500
""")


class Graph:
    """The queries. Another tenant's analysis has no graph."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database

    async def links(self, tenant: UUID, analysis: UUID, symbol: tuple[int, int], page: Page, which: str) -> LinkPage:
        """The `callers` or `callees` of a definition, by shard and number in it, in the order of their files."""
        own, other = _END[which]
        where = {"analysis": analysis, "symbol_shard": symbol[0], "symbol_ordinal": symbol[1]}
        shard, ordinal = LINKS.read(page.cursor) or (-1, -1)
        more = {**where, "shard": shard, "ordinal": ordinal, "limit": page.limit + 1}
        rows, total = await self._listed(
            tenant, _LINKS.format(own=own, other=other), _LINK_COUNT.format(own=own), more, where
        )
        shown, following = LINKS.cut(rows, page.limit, lambda row: (row.shard, row.ordinal))
        return LinkPage(
            items=[LinkView.model_validate(dict(row._mapping)) for row in shown], total=total, next=following
        )

    async def imports(self, tenant: UUID, analysis: UUID, path: str, page: Page, *, to: bool = False) -> ImportPage:
        """What a file imports; with `to`, which imports mean it."""
        which = _TO_FILE if to else _OF_FILE
        where = {"analysis": analysis, "path": path}
        shard, ordinal = IMPORTS.read(page.cursor) or (-1, -1)
        more = {**where, "shard": shard, "ordinal": ordinal, "limit": page.limit + 1}
        rows, total = await self._listed(
            tenant, _IMPORTS.format(which=which), _IMPORT_COUNT.format(which=which), more, where
        )
        shown, following = IMPORTS.cut(rows, page.limit, lambda row: (row.shard, row.ordinal))
        items = [ImportView.model_validate(dict(row._mapping)) for row in shown]
        return ImportPage(items=items, total=total, next=following)

    async def connections(self, tenant: UUID, analysis: UUID, page: Page) -> ConnectionPage:
        """Files, the most connected first."""
        ends, path = CONNECTIONS.read(page.cursor) or (None, "")
        values = {"analysis": analysis, "ends": ends, "path": path, "limit": page.limit + 1}
        async with self._database.of(tenant) as connection:
            rows = (await connection.execute(_CONNECTIONS, values)).all()
        shown, following = CONNECTIONS.cut(rows, page.limit, lambda row: (row.ends, row.path))
        return ConnectionPage(
            items=[ConnectionView.model_validate(dict(row._mapping)) for row in shown], next=following
        )

    async def modules(self, tenant: UUID, analysis: UUID, folder: str | None = None) -> ModuleMap:
        """The edges between folders; of one folder, those between what is right below it, each with all that it has."""
        values: dict[str, object] = {"analysis": analysis}
        if folder is not None:
            prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
            values |= {"prefix": prefix, "skip": len(prefix) + 1}
        async with self._database.of(tenant) as connection:
            rows = (await connection.execute(_MODULES if folder is None else _INSIDE, values)).all()
        return ModuleMap(items=[ModuleEdgeView.model_validate(dict(row._mapping)) for row in rows])

    async def treemap(self, tenant: UUID, analysis: UUID, folder: str) -> Treemap:
        """What is right below a folder."""
        inside = folder.strip("/")
        prefix = f"{inside}/" if inside else ""
        values = {"analysis": analysis, "prefix": prefix, "skip": len(prefix) + 1}
        async with self._database.of(tenant) as connection:
            rows = (await connection.execute(_TREEMAP, values)).all()
        items = [TreemapItem.model_validate({**row._mapping, "path": prefix + row.name}) for row in rows]
        return Treemap(folder=inside, items=items, total=rows[0].total if rows else 0)

    async def _listed(
        self, tenant: UUID, rows: str, count: str, more: dict[str, Any], where: dict[str, Any]
    ) -> tuple[list[Row[Any]], int]:
        async with self._database.of(tenant) as connection:
            found = list(await connection.execute(text(rows), more))
            return found, int((await connection.execute(text(count), where)).scalar_one())
