"""Read what the projections wrote, for one tenant. A single analysis is not read here, but folded from its stream."""

import time
from collections import OrderedDict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from events.base import Envelope
from events.log.postgres import envelopes_of
from orchestrator.api.models import AnalysisSummary, ConversationView, RepositoryView
from orchestrator.api.pages import AnalysisPage, ConversationPage, RepositoryPage
from orchestrator.api.paging import ANALYSES, CONVERSATIONS, REPOSITORIES, CursorOf, Page
from orchestrator.projections.analyses import AnalysisRecord
from orchestrator.projections.stages import summary_of
from runtime.tenancy import TenantDatabase

_DAMAGE = """
ARRAY(
  SELECT format('%s %s: %s', kind, shard, message) FROM app.loaded l
  WHERE l.analysis_id = a.analysis_id AND l.code IS NOT NULL ORDER BY kind, shard
)"""
_ANALYSES = text(f"""
SELECT a.analysis_id, a.requested_at, a.version, {_DAMAGE} AS damaged FROM app.analyses a
WHERE tenant_id = :tenant AND (CAST(:repository AS uuid) IS NULL OR repository_id = :repository)
  AND repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
  AND (CAST(:at AS timestamptz) IS NULL OR (requested_at, analysis_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
ORDER BY requested_at DESC, analysis_id DESC LIMIT :limit
""")  # noqa: S608  # only our own text is put in
_RECORDS = text("SELECT record::text FROM app.analyses WHERE tenant_id = :tenant AND analysis_id = ANY(:analyses)")
_REPOSITORIES = text(f"""
SELECT r.repository_id, r.url, r.name, r.host, r.registered_at, a.analysis_id, a.version, {_DAMAGE} AS damaged,
  coalesce(a.requested_at, r.registered_at) AS asked_at
FROM app.repositories r
LEFT JOIN LATERAL (
  SELECT analysis_id, version, requested_at FROM app.analyses WHERE repository_id = r.repository_id
  ORDER BY requested_at DESC LIMIT 1
) a ON true
WHERE r.tenant_id = :tenant AND r.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = r.repository_id)
  AND (CAST(:repository AS uuid) IS NULL OR r.repository_id = :repository)
  AND (CAST(:at AS timestamptz) IS NULL
    OR (coalesce(a.requested_at, r.registered_at), r.repository_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
ORDER BY coalesce(a.requested_at, r.registered_at) DESC, r.repository_id DESC LIMIT :limit
""")  # noqa: S608  # the same
_CONVERSATIONS = text("""
SELECT conversation_id, repository_id, title, started_at FROM app.conversations c
WHERE tenant_id = :tenant
  AND NOT EXISTS (SELECT FROM auth.users u WHERE u.user_id = c.user_id AND u.deleted_at IS NOT NULL)
  AND (CAST(:repository AS uuid) IS NULL OR repository_id = :repository)
  AND repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
  AND (CAST(:at AS timestamptz) IS NULL
    OR (started_at, conversation_id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))
ORDER BY started_at DESC, conversation_id DESC LIMIT :limit
""")
_QUESTION = text("SELECT conversation_id FROM app.questions WHERE question_id = :question AND tenant_id = :tenant")
_DAMAGED = text(f"SELECT {_DAMAGE} AS damaged FROM (VALUES (CAST(:analysis AS uuid))) AS a (analysis_id)")  # noqa: S608  # the same
_VERSION = text("""
SELECT s.version || '.' || coalesce(
  (SELECT sum(hashtextextended(concat_ws(' ', kind, shard, key, rows, code, message), 0)) FROM app.loaded l
   WHERE l.analysis_id = :analysis), 0) AS version
FROM es.streams s
WHERE s.stream_id = 'analysis/' || CAST(CAST(:analysis AS uuid) AS text) AND s.tenant_id = :tenant AND s.version > 0
  AND NOT EXISTS (
    SELECT FROM es.events e JOIN app.deleted_repositories d USING (repository_id)
    WHERE e.stream_id = s.stream_id AND e.version = 1)
""")
_EVENTS = """
SELECT e.event_id, e.type, e.schema_version, e.stream_id, e.version, f.seq, e.repository_id, e.user_id, e.tenant_id,
  e.stage, e.correlation_id, e.causation_id, e.traceparent, e.occurred_at, e.data::text AS data
FROM es.feed f JOIN es.events e USING (position)
WHERE e.tenant_id = :tenant AND (CAST(:type AS text) IS NULL OR e.type = :type) AND {place} LIMIT :limit
"""
_AFTER = text(_EVENTS.format(place="f.seq > :after ORDER BY f.seq"))
_LATEST = text(_EVENTS.format(place="true ORDER BY f.seq DESC"))


class ReadModels:
    """The queries. Every one of them is of one tenant."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database
        self._summaries = _Summaries()

    async def _rows(self, statement: Any, tenant: UUID, **parameters: object) -> list[Row[Any]]:  # noqa: ANN401  # text()
        async with self._database.of(tenant) as connection:
            return list(await connection.execute(statement, {"tenant": tenant, **parameters}))

    async def _page(
        self,
        statement: Any,  # noqa: ANN401  # text()
        cursors: CursorOf[tuple[Any, Any]],
        page: Page,
        tenant: UUID,
        *,
        key: tuple[str, str],
        **where: object,
    ) -> tuple[list[Row[Any]], str | None]:
        """The rows of one page, and the cursor of the next; `key` names the two columns that order the list."""
        at, id_ = cursors.read(page.cursor) or (None, None)
        rows = await self._rows(statement, tenant, at=at, id=id_, limit=page.limit + 1, **where)
        shown = rows[: page.limit]
        more = len(rows) > page.limit
        return shown, cursors.write((getattr(shown[-1], key[0]), getattr(shown[-1], key[1]))) if more else None

    async def analyses(self, tenant: UUID, page: Page, *, repository: UUID | None = None) -> AnalysisPage:
        """Analyses, newest first."""
        key = ("requested_at", "analysis_id")
        rows, following = await self._page(_ANALYSES, ANALYSES, page, tenant, key=key, repository=repository)
        known = await self._summaries_of(tenant, rows)
        return AnalysisPage(items=[known[row.analysis_id] for row in rows if row.analysis_id in known], next=following)

    async def repositories(self, tenant: UUID, page: Page) -> RepositoryPage:
        """Repositories with their newest analysis, the one that was asked for last first."""
        key = ("asked_at", "repository_id")
        rows, following = await self._page(_REPOSITORIES, REPOSITORIES, page, tenant, key=key, repository=None)
        known = await self._summaries_of(tenant, rows)
        return RepositoryPage(items=[_repository(row, known.get(row.analysis_id)) for row in rows], next=following)

    async def repository(self, tenant: UUID, repository: UUID) -> RepositoryView | None:
        """One repository with its newest analysis."""
        rows = await self._rows(_REPOSITORIES, tenant, repository=repository, at=None, id=None, limit=1)
        known = await self._summaries_of(tenant, rows)
        return _repository(rows[0], known.get(rows[0].analysis_id)) if rows else None

    async def _summaries_of(self, tenant: UUID, rows: list[Row[Any]]) -> dict[UUID, AnalysisSummary]:
        """The analyses that `rows` name; only those of which no summary is kept are read and folded."""
        unknown = [row.analysis_id for row in rows if row.analysis_id and not self._summaries.has(row)]
        for row in await self._rows(_RECORDS, tenant, analyses=unknown) if unknown else ():
            self._summaries.keep(summary_of(AnalysisRecord.model_validate_json(row.record)))
        found = {row.analysis_id: self._summaries.get(row.analysis_id) for row in rows}
        damage = {row.analysis_id: row.damaged for row in rows if row.damaged}
        return {
            analysis_id: view.model_copy(update={"damaged": damage[analysis_id]}) if analysis_id in damage else view
            for analysis_id, view in found.items()
            if view is not None
        }

    async def conversations(self, tenant: UUID, page: Page, *, repository: UUID | None = None) -> ConversationPage:
        """Conversations without their questions, newest first."""
        key = ("started_at", "conversation_id")
        rows, following = await self._page(_CONVERSATIONS, CONVERSATIONS, page, tenant, key=key, repository=repository)
        return ConversationPage(items=[ConversationView(**row._mapping) for row in rows], next=following)

    async def conversation_of(self, tenant: UUID, question: UUID) -> UUID | None:
        """The conversation in which a question was asked."""
        rows = await self._rows(_QUESTION, tenant, question=question)
        return rows[0].conversation_id if rows else None

    async def version(self, tenant: UUID, analysis: UUID) -> str | None:
        """What changes whenever anything that is shown of an analysis does; None where it is not there."""
        rows = await self._rows(_VERSION, tenant, analysis=analysis)
        return str(rows[0].version) if rows else None

    async def damaged(self, tenant: UUID, analysis: UUID) -> list[str]:
        """The artifacts of an analysis that could not be loaded, each with its reason."""
        return list((await self._rows(_DAMAGED, tenant, analysis=analysis))[0].damaged)

    async def events(self, tenant: UUID, *, event_type: str | None, after: int | None, limit: int) -> list[Envelope]:
        """Events in their global order: those after a `seq`, or the newest `limit` where `after` is None."""
        values = {"tenant": tenant, "type": event_type, "limit": limit}
        async with self._database.of(tenant) as connection:
            if after is not None:
                rows = list(await connection.execute(_AFTER, {**values, "after": after}))
            else:
                rows = list(await connection.execute(_LATEST, values))[::-1]
            return await envelopes_of(connection, rows)


def _repository(row: Row[Any], latest: AnalysisSummary | None) -> RepositoryView:
    return RepositoryView(
        repository_id=row.repository_id,
        url=row.url,
        name=row.name,
        host=row.host,
        registered_at=row.registered_at,
        latest=latest,
    )


class _Summaries:
    """The summaries folded in the last minute, so that a list folds what changed; none outlives a deletion long."""

    def __init__(self, capacity: int = 1_000, seconds: float = 50.0) -> None:
        self._capacity = capacity
        self._seconds = seconds
        self._kept: OrderedDict[UUID, tuple[float, AnalysisSummary]] = OrderedDict()  # the oldest first

    def get(self, analysis_id: UUID) -> AnalysisSummary | None:
        """The summary of an analysis where it is kept."""
        kept = self._kept.get(analysis_id)
        return kept[1] if kept is not None else None

    def has(self, row: Row[Any]) -> bool:
        """Whether a summary of the analysis is kept that is as new as `row`."""
        self._forget()
        summary = self.get(row.analysis_id)
        return summary is not None and summary.version >= row.version

    def keep(self, summary: AnalysisSummary) -> None:
        """Keep a summary in place of the one before it."""
        self._kept.pop(summary.analysis_id, None)
        self._kept[summary.analysis_id] = time.monotonic(), summary

    def _forget(self) -> None:
        oldest = time.monotonic() - self._seconds
        while self._kept and (len(self._kept) > self._capacity or next(iter(self._kept.values()))[0] < oldest):
            self._kept.popitem(last=False)
