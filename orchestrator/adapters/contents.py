"""Pages of an analysis's files, symbols and dependencies, as the projection `contents` loaded them."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from orchestrator.adapters.comparison import Comparison
from orchestrator.adapters.graph import Graph
from orchestrator.adapters.overview_facts import OverviewFacts
from orchestrator.api.content_models import DependencyView, FileView, SymbolView
from orchestrator.api.pages import DependencyPage, FilePage, SymbolPage
from orchestrator.api.paging import DEPENDENCIES, FILES, NAMED_SYMBOLS, SYMBOLS, Page
from runtime.tenancy import TenantDatabase

_LEFT_OUT = "(f.skipped IS NOT NULL OR o.outcome = 'failed')"
# Of one reason: why it was left out, failed or was cut by lines; `syntax_errors` also where the rest could be parsed.
_REASON = "(f.skipped = :reason OR o.reason = :reason OR (:reason = 'syntax_errors' AND o.errors > 0))"
_FILES = """
SELECT f.path, f.language, f.file_class, f.size, f.lines, f.skipped, f.rule, o.outcome, o.reason,
  coalesce(o.errors, 0) AS errors, coalesce(o.error_lines, ARRAY[]::text[]) AS error_lines,
  CASE WHEN o.outcome = 'failed' THEN coalesce(o.reason, 'failed') END AS failed
FROM app.files f LEFT JOIN app.outcomes o USING (analysis_id, path)
WHERE f.analysis_id = :analysis AND {which} AND f.path > :after
  AND (CAST(:prefix AS text) IS NULL OR starts_with(f.path, :prefix))
ORDER BY f.path LIMIT :limit
"""
_FILE_COUNT = """
SELECT count(*) FROM app.files f LEFT JOIN app.outcomes o USING (analysis_id, path)
WHERE f.analysis_id = :analysis AND {which} AND (CAST(:prefix AS text) IS NULL OR starts_with(f.path, :prefix))
"""
_SYMBOL_FILTER = """
analysis_id = :analysis AND (CAST(:path AS text) IS NULL OR path = :path)
  AND (CAST(:kind AS text) IS NULL OR kind = :kind)
"""
_SYMBOL = """
SELECT shard || '-' || ordinal AS id, path, kind, name, qualified_name, signature, docstring, first_line, last_line,
  visibility, complexity, code_lines, shard, ordinal
"""
_SYMBOLS = text(f"""
{_SYMBOL} FROM app.symbols
WHERE {_SYMBOL_FILTER} AND shard >= CAST(:shard AS int)
  AND (shard, ordinal) > (CAST(:shard AS int), CAST(:ordinal AS int))
ORDER BY shard, ordinal LIMIT :limit
""")
_SYMBOL_COUNT = text(f"SELECT count(*) FROM app.symbols WHERE {_SYMBOL_FILTER}")  # noqa: S608  # the same
# By name, which has an index, or by qualified name, whose last word is a name: from its beginning, or from a word on.
_NAMED_FILTER = f"""
{_SYMBOL_FILTER} AND (lower(name) LIKE :begins OR lower(name) LIKE :last
  AND (lower(qualified_name) LIKE :begins OR lower(qualified_name) LIKE :within))
"""
# Those that are called so come first, then the shorter ones.
_NAMED = text(f"""
WITH found AS ({_SYMBOL}, CASE WHEN lower(name) = :name THEN 0 ELSE 1 END AS longer, length(qualified_name) AS size
  FROM app.symbols WHERE {_NAMED_FILTER})
SELECT * FROM found
WHERE (longer, size, shard, ordinal)
  > (CAST(:longer AS int), CAST(:size AS int), CAST(:shard AS int), CAST(:ordinal AS int))
ORDER BY longer, size, shard, ordinal LIMIT :limit
""")  # noqa: S608  # the same
_NAMED_COUNT = text(f"SELECT count(*) FROM app.symbols WHERE {_NAMED_FILTER}")  # noqa: S608  # the same
_DEPENDENCY_FILTER = """
analysis_id = :analysis AND (CAST(:ecosystem AS text) IS NULL OR ecosystem = :ecosystem)
  AND (CAST(:scope AS text) IS NULL OR scope = :scope)
  AND (CAST(:path AS text) IS NULL OR path = :path)
  AND (CAST(:name AS text) IS NULL OR lower(name) LIKE :name)
  AND (CAST(:locked AS boolean) IS NULL OR locked = :locked)
"""
_DEPENDENCIES = text(f"""
SELECT ecosystem, name, "constraint", version, scope, "group", path, line, locked, shard, ordinal FROM app.dependencies
WHERE {_DEPENDENCY_FILTER} AND (shard, ordinal) > (CAST(:shard AS int), CAST(:ordinal AS int))
ORDER BY shard, ordinal LIMIT :limit
""")  # noqa: S608  # only our own text is put in
_DEPENDENCY_COUNT = text(f"SELECT count(*) FROM app.dependencies WHERE {_DEPENDENCY_FILTER}")  # noqa: S608  # the same


@dataclass(frozen=True)
class FileQuery:
    """Which entries: below a path, of one reason; with `left_out`, those that were skipped or failed."""

    prefix: str | None = None
    reason: str | None = None
    left_out: bool = False


@dataclass(frozen=True)
class SymbolQuery:
    """Which definitions: of one file, of one kind, whose name, or qualified name from one of its words on, begins so.

    Case does not matter.
    """

    path: str | None = None
    kind: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class DependencyQuery:
    """Which mentions: of an ecosystem, a scope, a manifest, whose name begins so, in lock files or in manifests."""

    ecosystem: str | None = None
    scope: str | None = None
    path: str | None = None
    name: str | None = None
    locked: bool | None = None


class Contents:
    """The queries. Another tenant's analysis has no entries."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database
        self.graph = Graph(database)
        self.overview = OverviewFacts(database)
        self.comparison = Comparison(database)

    async def files(self, tenant: UUID, analysis: UUID, query: FileQuery, page: Page) -> FilePage:
        """Entries of the tree by path."""
        [after] = FILES.read(page.cursor) or ("",)
        which = f"{_LEFT_OUT if query.left_out else 'true'} AND {_REASON if query.reason else 'true'}"
        where: dict[str, Any] = {"analysis": analysis, "prefix": query.prefix}
        if query.reason:
            where["reason"] = query.reason
        async with self._database.of(tenant) as connection:
            more = {**where, "after": after, "limit": page.limit + 1}
            rows = (await connection.execute(text(_FILES.format(which=which)), more)).all()
            total = (await connection.execute(text(_FILE_COUNT.format(which=which)), where)).scalar_one()
        items = [FileView(**row._mapping) for row in rows[: page.limit]]
        following = FILES.write((items[-1].path,)) if len(rows) > page.limit else None
        return FilePage(items=items, total=total, next=following)

    async def symbols(self, tenant: UUID, analysis: UUID, query: SymbolQuery, page: Page) -> SymbolPage:
        """Definitions in the order of their files; by a name, what is called so first, then the shorter."""
        where: dict[str, Any] = {"analysis": analysis, "path": query.path, "kind": query.kind}
        if query.name is not None:
            return await self._named(tenant, where, query.name, page)
        shard, ordinal = SYMBOLS.read(page.cursor) or (-1, -1)
        async with self._database.of(tenant) as connection:
            more = {**where, "shard": shard, "ordinal": ordinal, "limit": page.limit + 1}
            rows = (await connection.execute(_SYMBOLS, more)).all()
            total = (await connection.execute(_SYMBOL_COUNT, where)).scalar_one()
        items = [SymbolView.model_validate(dict(row._mapping)) for row in rows[: page.limit]]
        last = rows[page.limit - 1] if len(rows) > page.limit else None
        following = SYMBOLS.write((last.shard, last.ordinal)) if last is not None else None
        return SymbolPage(items=items, total=total, next=following)

    async def _named(self, tenant: UUID, where: dict[str, Any], name: str, page: Page) -> SymbolPage:
        longer, size, shard, ordinal = NAMED_SYMBOLS.read(page.cursor) or (-1, -1, -1, -1)
        named = name.lower().replace("::", ".")
        last = named.rpartition(".")[2]
        begins = _like(named) + "%"
        where |= {"begins": begins, "within": f"%.{begins}", "last": _like(last) + "%"}
        more = {**where, "name": last, "longer": longer, "size": size, "shard": shard, "ordinal": ordinal}
        async with self._database.of(tenant) as connection:
            rows = (await connection.execute(_NAMED, {**more, "limit": page.limit + 1})).all()
            total = (await connection.execute(_NAMED_COUNT, where)).scalar_one()
        items = [SymbolView.model_validate(dict(row._mapping)) for row in rows[: page.limit]]
        end = rows[page.limit - 1] if len(rows) > page.limit else None
        following = NAMED_SYMBOLS.write((end.longer, end.size, end.shard, end.ordinal)) if end is not None else None
        return SymbolPage(items=items, total=total, next=following)

    async def dependencies(self, tenant: UUID, analysis: UUID, query: DependencyQuery, page: Page) -> DependencyPage:
        """Mentions by manifest, those of lock files last."""
        shard, ordinal = DEPENDENCIES.read(page.cursor) or (-1, -1)
        name = None if query.name is None else _like(query.name.lower()) + "%"
        where: dict[str, Any] = {"analysis": analysis, **asdict(query), "name": name}
        async with self._database.of(tenant) as connection:
            more = {**where, "shard": shard, "ordinal": ordinal, "limit": page.limit + 1}
            rows = (await connection.execute(_DEPENDENCIES, more)).all()
            total = (await connection.execute(_DEPENDENCY_COUNT, where)).scalar_one()
        items = [DependencyView.model_validate(dict(row._mapping)) for row in rows[: page.limit]]
        last = rows[page.limit - 1] if len(rows) > page.limit else None
        following = DEPENDENCIES.write((last.shard, last.ordinal)) if last is not None else None
        return DependencyPage(items=items, total=total, next=following)


def _like(prefix: str) -> str:
    return prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
