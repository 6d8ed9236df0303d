"""Read the edges around a name in the graph of an analysis, which the orchestrator's projection keeps (`app.links`).

In a transaction of the tenant, as the role that searches: it may read these three tables and no others of that schema.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from rag_manager.stages.callers_beside import Call, Called
from rag_manager.stages.catalogue import FUNCTIONS, TYPES
from rag_manager.stages.follow_relation import MOST, Edge
from rag_manager.stages.read_relation import Relation
from runtime.tenancy import TenantDatabase

_NAMED = """
WITH named AS MATERIALIZED (
  SELECT shard, ordinal, path, first_line, last_line FROM app.symbols
  WHERE analysis_id = $1::uuid AND lower(name) = $2::text
    AND ($3::text = '' OR position($3::text IN lower(qualified_name || ' ' || path)) > 0)
  ORDER BY shard, ordinal LIMIT 50
), inside AS MATERIALIZED (
  SELECT DISTINCT s.shard, s.ordinal FROM named n JOIN app.symbols s
    ON s.analysis_id = $1::uuid AND s.path = n.path AND s.first_line BETWEEN n.first_line AND n.last_line
)
"""
_EDGES = f"""
{_NAMED}
(SELECT l.kind, true, l.path, l.line, l.target_path, n.first_line, l.confidence
 FROM named n JOIN app.links l
   ON l.analysis_id = $1::uuid AND l.target_shard = n.shard AND l.target_ordinal = n.ordinal
 ORDER BY l.confidence DESC, l.shard, l.ordinal LIMIT $6::bigint)
UNION ALL
(SELECT l.kind, false, l.path, l.line, l.target_path, t.first_line, l.confidence
 FROM inside i
 JOIN app.links l ON l.analysis_id = $1::uuid AND l.source_shard = i.shard AND l.source_ordinal = i.ordinal
 JOIN app.symbols t ON t.analysis_id = $1::uuid AND t.shard = l.target_shard AND t.ordinal = l.target_ordinal
 ORDER BY l.confidence DESC, l.shard, l.ordinal LIMIT $6::bigint)
UNION ALL
(SELECT 'import', lower(i.path) !~ $5::text, i.path, i.line,
   CASE WHEN i.resolution = 'file' THEN i.target ELSE i.path END,
   CASE WHEN i.resolution = 'file' THEN 1 ELSE i.line END, i.confidence
 FROM app.imports i
 WHERE i.analysis_id = $1::uuid
   AND (lower(i.path) ~ $5::text OR lower(i.target) ~ $5::text OR lower(i.module) = $4::text
     OR starts_with(lower(i.module), $4::text || '.') OR starts_with(lower(i.module), $4::text || '/'))
 ORDER BY i.shard, i.ordinal LIMIT $6::bigint)
"""  # noqa: S608  # only our own text is put in

# One row at least: whether there is any graph. None is seen as long as the analysis is not linked; what has no code is.
_CALLS = """
SELECT g.made, c.* FROM (SELECT
    EXISTS (SELECT FROM app.loaded WHERE analysis_id = $1 AND kind = 'links' AND code IS NULL)
    OR (EXISTS (SELECT FROM app.symbols WHERE analysis_id = $1)
      AND NOT EXISTS (SELECT FROM app.symbols WHERE analysis_id = $1 AND lower(kind) = ANY ($2::text[]))) AS made
) g LEFT JOIN LATERAL (
  SELECT CAST(a.place AS int) - 1 AS place, l.path, l.line, l.confidence
  FROM unnest($3::text[], $4::int[]) WITH ORDINALITY AS a (path, line, place)
  JOIN app.symbols s ON s.analysis_id = $1 AND s.path = a.path AND s.first_line = a.line
    AND lower(s.kind) = ANY ($5::text[])
  JOIN LATERAL (
    SELECT path, line, confidence FROM app.links
    WHERE analysis_id = $1 AND target_shard = s.shard AND target_ordinal = s.ordinal AND kind = 'call'
    ORDER BY confidence DESC, shard, ordinal LIMIT 8
  ) l ON true
) c ON true
"""
_FUNCTIONS, _CODE = sorted(FUNCTIONS), sorted(FUNCTIONS | TYPES)


async def edges_around(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID, relation: Relation) -> list[Edge]:
    """The edges to and from what a relation names, sure ones first; none where the graph is not made yet."""
    named = (relation.last, relation.owner, relation.name.lower(), file_pattern(relation.name))
    return [Edge(*row) for row in await rows.rows(tenant_id, _EDGES, analysis_id, *named, MOST)]


async def calls_of(
    rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID, asked: Sequence[Called]
) -> tuple[list[Call], bool]:
    """The surest calls of each of these functions; and whether there are none because the graph is not made yet."""
    paths, lines = [each.path for each in asked], [each.line for each in asked]
    found = await rows.rows(tenant_id, _CALLS, analysis_id, _CODE, paths, lines, _FUNCTIONS)
    calls = [Call(*each) for made, *each in found if each[0] is not None]
    return calls, not calls and not found[0]["made"]


async def has_graph(rows: TenantDatabase, tenant_id: UUID, analysis_id: UUID) -> bool:
    """Whether the links of an analysis are loaded, be it none at all; or it has no code to be linked."""
    _, absent = await calls_of(rows, tenant_id, analysis_id, ())
    return not absent


def file_pattern(name: str) -> str:
    """A pattern of the paths that a module or file may be meant by: `flask.app`, `src/flask/app.py`, `app`. Pure."""
    plain = name.lower()
    if "/" not in plain and not re.search(r"\.[a-z]{1,4}$", plain):
        plain = re.sub(r"\.|::", "/", plain)
    also = "" if re.search(r"\.[a-z]{1,4}$", plain) else r"(\.[a-z]+|/(__init__|index|mod)\.[a-z]+)"
    dotted = re.escape(re.sub(r"\.|::", "/", name.lower()))
    exact = f"(^|/){re.escape(plain)}{also}$"
    return exact if also else rf"{exact}|(^|/){dotted}(\.[a-z]+|/(__init__|index|mod)\.[a-z]+)$"
