"""What is different between two analyses, as the projection `contents` loaded them, and by their artifacts."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from orchestrator.api.comparing_models import (
    CountsView,
    DifferencePage,
    DifferenceView,
    Kind,
    QuestionCompared,
    SameQuestions,
    What,
)
from orchestrator.api.paging import DIFFERENCES, Page
from runtime.tenancy import TenantDatabase

# What of an analysis is compared: the name of a thing as an array of text, and what is known of it as JSON.
_SIDES: Mapping[What, str] = {
    "symbols": """
SELECT ARRAY[path, kind, qualified_name] AS name, jsonb_build_object('signatures', jsonb_agg(signature ORDER BY shard,
  ordinal), 'code_lines', sum(code_lines), 'complexity', sum(complexity)) AS known
FROM app.symbols WHERE analysis_id = :{side} GROUP BY path, kind, qualified_name""",
    "dependencies": """
SELECT ARRAY[path, ecosystem, scope, name] AS name, jsonb_build_object('constraints', jsonb_agg(DISTINCT "constraint"),
  'versions', jsonb_agg(DISTINCT version)) AS known
FROM app.dependencies WHERE analysis_id = :{side} GROUP BY path, ecosystem, scope, name""",
    "chunks": """
SELECT ARRAY[path] AS name, jsonb_build_object('chunks', chunks) AS known
FROM app.outcomes WHERE analysis_id = :{side} AND chunks > 0""",
}
_BOTH = """
WITH a AS ({before}), b AS ({after}), found AS (
  SELECT name, a.known AS before, b.known AS after, CASE WHEN a.known IS NULL THEN 'added'
    WHEN b.known IS NULL THEN 'removed'
    WHEN a.known <> b.known OR to_jsonb(name) IN (SELECT value FROM jsonb_array_elements(CAST(:edited AS jsonb)))
    THEN 'changed' ELSE 'same' END AS kind
  FROM a FULL JOIN b USING (name))
"""
_COUNTS = "SELECT kind, count(*) AS n FROM found GROUP BY kind"
_LISTED = """
SELECT name, kind, before::text AS before, after::text AS after, count(*) OVER () AS total
FROM found WHERE kind <> 'same' AND (CAST(:kind AS text) IS NULL OR kind = :kind)
ORDER BY name OFFSET :skipped LIMIT :limit
"""
_OF = {
    what: _BOTH.format(before=side.format(side="before"), after=side.format(side="after"))
    for what, side in _SIDES.items()
}
Pair = tuple[UUID, UUID]
Name = tuple[str, ...]  # of a thing that is compared
Tree = Iterable[Mapping[str, Any]]  # rows of a TREE artifact


class Comparison:
    """The queries. Another tenant's analysis has nothing."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database

    async def counts(self, tenant: UUID, pair: Pair, what: What, edited: Collection[Name]) -> CountsView:
        """How many are different between the older and the newer one of `pair`, and how.

        `edited` are names that are of other content, whatever is known of them.
        """
        values = {"before": pair[0], "after": pair[1], "edited": json.dumps(sorted(edited))}
        async with self._database.of(tenant) as connection:
            rows = await connection.execute(text(_OF[what] + _COUNTS), values)
            found = {row.kind: row.n for row in rows}
        return CountsView(**{kind: found.get(kind, 0) for kind in CountsView.model_fields})

    async def listed(
        self, tenant: UUID, pair: Pair, what: What, page: Page, kind: Kind | None, edited: Collection[Name]
    ) -> DifferencePage:
        """What is different, as `counts` has it; of one kind where it is given."""
        [skipped] = DIFFERENCES.read(page.cursor) or (0,)
        values: dict[str, object] = {"before": pair[0], "after": pair[1], "kind": kind, "limit": page.limit}
        values |= {"skipped": skipped, "edited": json.dumps(sorted(edited))}
        async with self._database.of(tenant) as connection:
            rows = (await connection.execute(text(_OF[what] + _LISTED), values)).all()
        items = [
            DifferenceView(name=row.name, kind=row.kind, before=_known(row.before), after=_known(row.after))
            for row in rows
        ]
        total = rows[0].total if rows else skipped
        return DifferencePage(items=items, total=total, next=_next(skipped + len(items), total))


def _known(said: str | None) -> dict[str, Any] | None:
    return None if said is None else dict(json.loads(said))


def _next(seen: int, total: int) -> str | None:
    return DIFFERENCES.write((seen,)) if seen < total else None


def compared_trees(before: Tree, after: Tree) -> tuple[list[DifferenceView], CountsView]:
    """The files that are different by content, or by whether they were left out, by path; and how many there are."""
    old, new = ({row["path"]: row for row in tree} for tree in (before, after))
    found = []
    for path in sorted({*old, *new}):
        was, now = old.get(path), new.get(path)
        if was is None or now is None or any(was[name] != now[name] for name in ("blob_id", "skipped")):
            kind: Kind = "added" if was is None else "removed" if now is None else "changed"
            found.append(DifferenceView(name=[path], kind=kind, before=_entry(was), after=_entry(now)))
    of: dict[str, int] = {kind: sum(one.kind == kind for one in found) for kind in ("added", "removed", "changed")}
    same = len(old.keys() & new.keys()) - of["changed"]
    return found, CountsView(added=of["added"], removed=of["removed"], changed=of["changed"], same=same)


def _entry(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"size": row["size"], "lines": row["lines"], "language": row["language"], "left_out": row["skipped"]}


def page_of(found: list[DifferenceView], page: Page, kind: Kind | None) -> DifferencePage:
    """One page of differences that are all there."""
    [skipped] = DIFFERENCES.read(page.cursor) or (0,)
    wanted = [one for one in found if kind is None or one.kind == kind]
    items = wanted[skipped : skipped + page.limit]
    return DifferencePage(items=items, total=len(wanted), next=_next(skipped + len(items), len(wanted)))


def same_page(found: list[QuestionCompared], page: Page, left_out: int) -> SameQuestions:
    """One page of questions that are all there."""
    [skipped] = DIFFERENCES.read(page.cursor) or (0,)
    items = found[skipped : skipped + page.limit]
    following = _next(skipped + len(items), len(found))
    return SameQuestions(items=items, total=len(found), next=following, left_out=left_out)
