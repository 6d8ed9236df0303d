"""Read what the projections wrote, for one tenant. A single analysis is not read here, but folded from its stream."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from events.base import Envelope
from events.log.postgres import envelope_of
from orchestrator.api.models import AnalysisView, ConversationView, RepositoryView
from orchestrator.projections.analyses import AnalysisRecord
from orchestrator.projections.stages import view_of
from runtime.tenancy import TenantDatabase

_ANALYSES = text("""
SELECT record::text FROM app.analyses
WHERE tenant_id = :tenant AND (CAST(:repository AS uuid) IS NULL OR repository_id = :repository)
  AND (CAST(:before AS timestamptz) IS NULL OR requested_at < :before)
ORDER BY requested_at DESC, analysis_id LIMIT :limit
""")
_REPOSITORIES = text("""
SELECT r.repository_id, r.url, r.name, r.host, r.registered_at, a.record::text AS record
FROM app.repositories r
LEFT JOIN LATERAL (
  SELECT record, requested_at FROM app.analyses WHERE repository_id = r.repository_id
  ORDER BY requested_at DESC LIMIT 1
) a ON true
WHERE r.tenant_id = :tenant AND r.deleted_at IS NULL
  AND (CAST(:repository AS uuid) IS NULL OR r.repository_id = :repository)
ORDER BY coalesce(a.requested_at, r.registered_at) DESC, r.repository_id LIMIT :limit
""")
_CONVERSATIONS = text("""
SELECT conversation_id, repository_id, title, started_at FROM app.conversations
WHERE tenant_id = :tenant AND (CAST(:repository AS uuid) IS NULL OR repository_id = :repository)
ORDER BY started_at DESC, conversation_id LIMIT :limit
""")
_QUESTION = text("SELECT conversation_id FROM app.questions WHERE question_id = :question AND tenant_id = :tenant")
_DAMAGED = text("""
SELECT analysis_id, kind, shard, message FROM app.loaded
WHERE analysis_id = ANY(:analyses) AND tenant_id = :tenant AND code IS NOT NULL ORDER BY kind, shard
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

    async def _rows(self, statement: Any, tenant: UUID, **parameters: object) -> list[Row[Any]]:  # noqa: ANN401  # text()
        async with self._database.of(tenant) as connection:
            return list(await connection.execute(statement, {"tenant": tenant, **parameters}))

    async def analyses(
        self, tenant: UUID, *, repository: UUID | None = None, before: datetime | None = None, limit: int = 50
    ) -> list[AnalysisView]:
        """Analyses, newest first."""
        rows = await self._rows(_ANALYSES, tenant, repository=repository, before=before, limit=limit)
        return await self._with_damage(
            tenant, [view_of(AnalysisRecord.model_validate_json(row.record)) for row in rows]
        )

    async def repositories(
        self, tenant: UUID, *, repository: UUID | None = None, limit: int = 100
    ) -> list[RepositoryView]:
        """Repositories with their newest analysis, the one that was asked for last first."""
        rows = await self._rows(_REPOSITORIES, tenant, repository=repository, limit=limit)
        found = [_repository(row) for row in rows]
        latest = await self._with_damage(tenant, [item.latest for item in found if item.latest is not None])
        newest = {view.repository_id: view for view in latest}
        return [item.model_copy(update={"latest": newest.get(item.repository_id)}) for item in found]

    async def conversations(
        self, tenant: UUID, *, repository: UUID | None = None, limit: int = 50
    ) -> list[ConversationView]:
        """Conversations without their questions, newest first."""
        rows = await self._rows(_CONVERSATIONS, tenant, repository=repository, limit=limit)
        return [ConversationView(**row._mapping) for row in rows]

    async def conversation_of(self, tenant: UUID, question: UUID) -> UUID | None:
        """The conversation in which a question was asked."""
        rows = await self._rows(_QUESTION, tenant, question=question)
        return rows[0].conversation_id if rows else None

    async def damaged(self, tenant: UUID, analysis: UUID) -> list[str]:
        """The artifacts of an analysis that could not be loaded, each with its reason."""
        return (await self._damage(tenant, [analysis])).get(analysis, [])

    async def _damage(self, tenant: UUID, analyses: list[UUID]) -> dict[UUID, list[str]]:
        found: dict[UUID, list[str]] = {}
        for row in await self._rows(_DAMAGED, tenant, analyses=analyses) if analyses else ():
            found.setdefault(row.analysis_id, []).append(f"{row.kind} {row.shard}: {row.message}")
        return found

    async def _with_damage(self, tenant: UUID, views: list[AnalysisView]) -> list[AnalysisView]:
        damage = await self._damage(tenant, [view.analysis_id for view in views])
        return [view.model_copy(update={"damaged": damage.get(view.analysis_id, [])}) for view in views]

    async def events(self, tenant: UUID, *, event_type: str | None, after: int | None, limit: int) -> list[Envelope]:
        """Events in their global order: those after a `seq`, or the newest `limit` where `after` is None."""
        if after is not None:
            rows = await self._rows(_AFTER, tenant, type=event_type, after=after, limit=limit)
        else:
            rows = (await self._rows(_LATEST, tenant, type=event_type, limit=limit))[::-1]
        return [envelope_of(row) for row in rows]


def _repository(row: Row[Any]) -> RepositoryView:
    record = AnalysisRecord.model_validate_json(row.record) if row.record is not None else None
    return RepositoryView(
        repository_id=row.repository_id,
        url=row.url,
        name=row.name,
        host=row.host,
        registered_at=row.registered_at,
        latest=view_of(record) if record is not None else None,
    )
