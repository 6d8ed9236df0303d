"""Read the edges around a name in the graph of an analysis, which the orchestrator's projection keeps (`app.links`).

In a transaction of the tenant, as the role that searches: it may read these three tables and no others of that schema.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from rag_manager.stages.callers_beside import Call, Called
from rag_manager.stages.catalogue import FUNCTIONS, TYPES
from rag_manager.stages.follow_relation import MOST, Edge
from rag_manager.stages.read_relation import Relation
from runtime.tenancy import TenantDatabase

_NAMED = """
WITH named AS MATERIALIZED (
  SELECT shard, ordinal, path, first_line, last_line FROM app.symbols
  WHERE analysis_id = :analysis AND lower(name) = :name
    AND (:owner = '' OR position(:owner IN lower(qualified_name || ' ' || path)) > 0)
  ORDER BY shard, ordinal LIMIT 50
), inside AS MATERIALIZED (
  SELECT DISTINCT s.shard, s.ordinal FROM named n JOIN app.symbols s
    ON s.analysis_id = :analysis AND s.path = n.path AND s.first_line BETWEEN n.first_line AND n.last_line
)
"""
_EDGES = text(f"""
{_NAMED}
(SELECT l.kind, true, l.path, l.line, l.target_path, n.first_line, l.confidence
 FROM named n JOIN app.links l
   ON l.analysis_id = :analysis AND l.target_shard = n.shard AND l.target_ordinal = n.ordinal
 ORDER BY l.confidence DESC, l.shard, l.ordinal LIMIT :limit)
UNION ALL
(SELECT l.kind, false, l.path, l.line, l.target_path, t.first_line, l.confidence
 FROM inside i
 JOIN app.links l ON l.analysis_id = :analysis AND l.source_shard = i.shard AND l.source_ordinal = i.ordinal
 JOIN app.symbols t ON t.analysis_id = :analysis AND t.shard = l.target_shard AND t.ordinal = l.target_ordinal
 ORDER BY l.confidence DESC, l.shard, l.ordinal LIMIT :limit)
UNION ALL
(SELECT 'import', lower(i.path) !~ :file, i.path, i.line,
   CASE WHEN i.resolution = 'file' THEN i.target ELSE i.path END,
   CASE WHEN i.resolution = 'file' THEN 1 ELSE i.line END, i.confidence
 FROM app.imports i
 WHERE i.analysis_id = :analysis
   AND (lower(i.path) ~ :file OR lower(i.target) ~ :file OR lower(i.module) = :whole
     OR starts_with(lower(i.module), :whole || '.') OR starts_with(lower(i.module), :whole || '/'))
 ORDER BY i.shard, i.ordinal LIMIT :limit)
""")  # noqa: S608  # only our own text is put in

_CALLS = text("""
SELECT CAST(a.place AS int) - 1, l.path, l.line, l.confidence
FROM unnest(CAST(:paths AS text[]), CAST(:lines AS int[])) WITH ORDINALITY AS a (path, line, place)
JOIN app.symbols s ON s.analysis_id = :analysis AND s.path = a.path AND s.first_line = a.line
  AND lower(s.kind) = ANY (:functions)
JOIN LATERAL (
  SELECT path, line, confidence FROM app.links
  WHERE analysis_id = :analysis AND target_shard = s.shard AND target_ordinal = s.ordinal AND kind = 'call'
  ORDER BY confidence DESC, shard, ordinal LIMIT 8
) l ON true
""")
_ANY = text(
    "SELECT EXISTS (SELECT FROM app.loaded WHERE analysis_id = :analysis AND kind = 'links' AND code IS NULL)"
    " OR (EXISTS (SELECT FROM app.symbols WHERE analysis_id = :analysis)"
    "   AND NOT EXISTS (SELECT FROM app.symbols WHERE analysis_id = :analysis AND lower(kind) = ANY (:code)))"
)


async def edges_around(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID, relation: Relation) -> list[Edge]:
    """The edges to and from what a relation names, sure ones first; none where the graph is not made yet."""
    values = {
        "analysis": analysis_id,
        "name": relation.last,
        "owner": relation.owner,
        "whole": relation.name.lower(),
        "file": file_pattern(relation.name),
        "limit": MOST,
    }
    async with rows.of(tenant_id) as connection:
        return [Edge(*row) for row in await connection.execute(_EDGES, values)]


async def calls_of(
    rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID, asked: Sequence[Called]
) -> tuple[list[Call], bool]:
    """The surest calls of each of these functions; and whether there are none because the graph is not made yet."""
    values = {
        "analysis": analysis_id,
        "paths": [each.path for each in asked],
        "lines": [each.line for each in asked],
        "functions": sorted(FUNCTIONS),
    }
    async with rows.of(tenant_id) as connection:
        calls = [Call(*row) for row in await connection.execute(_CALLS, values)]
    return calls, not calls and not await has_graph(rows, tenant_id, analysis_id)


async def has_graph(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID) -> bool:
    """Whether the links of an analysis are loaded, be it none at all; or it has no code to be linked."""
    values = {"analysis": analysis_id, "code": sorted(FUNCTIONS | TYPES)}
    async with rows.of(tenant_id) as connection:
        return bool(await connection.scalar(_ANY, values))


def file_pattern(name: str) -> str:
    """A pattern of the paths that a module or file may be meant by: `flask.app`, `src/flask/app.py`, `app`. Pure."""
    plain = name.lower()
    if "/" not in plain and not re.search(r"\.[a-z]{1,4}$", plain):
        plain = re.sub(r"\.|::", "/", plain)
    also = "" if re.search(r"\.[a-z]{1,4}$", plain) else r"(\.[a-z]+|/(__init__|index|mod)\.[a-z]+)"
    dotted = re.escape(re.sub(r"\.|::", "/", name.lower()))
    exact = f"(^|/){re.escape(plain)}{also}$"
    return exact if also else rf"{exact}|(^|/){dotted}(\.[a-z]+|/(__init__|index|mod)\.[a-z]+)$"
