"""The facts of an overview, out of what the projection `contents` loaded. Only code counts."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from orchestrator.overview.facts import Definition, Edge, Folder, Need
from runtime.tenancy import TenantDatabase

_FOLDER = "CASE WHEN path LIKE '%/%' THEN regexp_replace(path, '/[^/]*$', '') ELSE '' END"
_IS_CODE = "analysis_id = :analysis AND skipped IS NULL AND file_class = 'code'"
_FOLDERS = text(f"""
SELECT {_FOLDER} AS path, language, count(*)::int AS files, sum(lines)::bigint AS lines
FROM app.files WHERE {_IS_CODE} GROUP BY 1, 2 ORDER BY lines DESC, path, language LIMIT 5000
""")  # noqa: S608  # only our own text is put in
_EDGES = text(f"""
WITH code AS MATERIALIZED (SELECT path FROM app.files WHERE {_IS_CODE}), edges AS (
  SELECT path AS source, target, resolution = 'folder' AS to_folder, count(*) AS imports, 0 AS calls,
    min(line) AS line
  FROM app.imports WHERE analysis_id = :analysis AND resolution IN ('file', 'folder') GROUP BY 1, 2, 3
  UNION ALL
  SELECT path, target_path, false, 0, count(*), min(line) FROM app.links
  WHERE analysis_id = :analysis AND path <> target_path AND level <> 'named' AND kind IN ('call', 'inherit')
  GROUP BY 1, 2
)
SELECT source, target, to_folder, sum(imports)::int AS imports, sum(calls)::int AS calls,
  coalesce(min(line) FILTER (WHERE imports > 0), min(line))::int AS line
FROM edges
WHERE source IN (SELECT path FROM code) AND (to_folder OR target IN (SELECT path FROM code)) AND source <> target
GROUP BY source, target, to_folder ORDER BY sum(imports + calls) DESC, source, target LIMIT 20000
""")  # noqa: S608  # the same
_DEFINITIONS = text("""
WITH used AS (
  SELECT target_shard AS shard, target_ordinal AS ordinal, count(DISTINCT path)::int AS used FROM app.links
  WHERE analysis_id = :analysis AND target_ordinal >= 0 AND path <> target_path AND level <> 'named' GROUP BY 1, 2
)
SELECT s.path, s.kind, s.qualified_name AS name, left(s.docstring, 500) AS docstring, s.first_line, s.last_line, u.used
FROM used u JOIN app.symbols s ON s.analysis_id = :analysis AND s.shard = u.shard AND s.ordinal = u.ordinal
JOIN app.files f ON f.analysis_id = :analysis AND f.path = s.path AND f.file_class = 'code'
ORDER BY u.used DESC, s.path, s.first_line LIMIT 400
""")
_MAINS = text("""
SELECT s.path, s.kind, s.qualified_name AS name, left(s.docstring, 500) AS docstring, s.first_line, s.last_line
FROM app.symbols s JOIN app.files f USING (analysis_id, path)
WHERE s.analysis_id = :analysis AND lower(s.name) = 'main' AND s.kind IN ('function', 'method')
  AND f.file_class = 'code'
ORDER BY length(s.path) - length(replace(s.path, '/', '')), s.path, s.first_line LIMIT 20
""")
_NEEDS = text("""
SELECT name, "constraint", path, line FROM app.dependencies
WHERE analysis_id = :analysis AND NOT locked AND scope = 'runtime' AND name <> ''
ORDER BY length(path) - length(replace(path, '/', '')), shard, ordinal LIMIT 500
""")
_TOP_FILES = text("""
SELECT path FROM app.files
WHERE analysis_id = :analysis AND skipped IS NULL AND position('/' IN path) = 0 ORDER BY path LIMIT 500
""")


class OverviewFacts:
    """The queries. Another tenant's analysis has no facts."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database

    async def of(self, tenant: UUID, analysis: UUID) -> dict[str, Any]:
        """Fields of `Facts`, and `top_files`: the paths of the files that are in no folder."""
        values = {"analysis": analysis}
        async with self._database.of(tenant) as connection:

            async def rows(query: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # a statement, and rows of its columns
                return [dict(row._mapping) for row in await connection.execute(query, values)]

            needs = dict[str, Need]()
            for row in await rows(_NEEDS):
                needs.setdefault(row["name"].lower(), Need(**row))
            return {
                "folders": tuple(Folder(**row) for row in await rows(_FOLDERS)),
                "edges": tuple(Edge(**row) for row in await rows(_EDGES)),
                "definitions": tuple(Definition(**row) for row in await rows(_DEFINITIONS)),
                "mains": tuple(Definition(**row) for row in await rows(_MAINS)),
                "needs": tuple(needs.values()),
                "top_files": [row["path"] for row in await rows(_TOP_FILES)],
            }
