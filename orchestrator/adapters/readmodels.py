"""Read what the projections wrote, for one tenant. A single analysis is not read here, but folded from its stream."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record
from pydantic import BaseModel
from sqlalchemy import text

from events.base import Envelope
from events.conversation import ConversationDeleted
from events.log.postgres import envelopes_of
from events.processing import AnalysisDeleted
from events.replay.choosing import Chosen
from events.repository import RepositoryDeleted
from orchestrator.adapters.kept_items import KeptItems, page_of
from orchestrator.api.inspecting_models import ElsewhereView
from orchestrator.api.models import AnalysisSummary, RepositoryView
from orchestrator.api.paging import ANALYSES, REPOSITORIES, CursorOf, Page
from orchestrator.projections.analyses import AnalysisRecord
from orchestrator.projections.stages import summary_of
from runtime.tenancy import TenantDatabase

_DAMAGE = """
ARRAY(
  SELECT format('%s %s: %s', kind, shard, message) FROM app.loaded l
  WHERE l.analysis_id = a.analysis_id AND l.code IS NOT NULL ORDER BY kind, shard
)"""
_ANALYSES = f"""
SELECT a.analysis_id, a.requested_at, a.version, {_DAMAGE} AS damaged FROM app.analyses a
WHERE tenant_id = $1 AND (CAST($5 AS uuid) IS NULL OR repository_id = $5)
  AND repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
  AND (CAST($2 AS timestamptz) IS NULL OR (requested_at, analysis_id) < (CAST($2 AS timestamptz), CAST($3 AS uuid)))
ORDER BY requested_at DESC, analysis_id DESC LIMIT $4
"""  # noqa: S608  # only our own text is put in
_RECORDS = "SELECT record::text FROM app.analyses WHERE tenant_id = $1 AND analysis_id = ANY($2)"
_WHOLE = f"""
SELECT a.analysis_id, {_DAMAGE} AS damaged FROM app.analyses a
WHERE tenant_id = $1 AND repository_id = $2 AND state IN ('ready', 'refined')
  AND repository_id NOT IN (SELECT d.repository_id FROM app.deleted_repositories d)
  AND record #>> '{{view,commit}}' = coalesce($3, record #>> '{{view,commit}}')
  AND record #>> '{{view,partial}}' = 'false'
  AND coalesce(record #> '{{view,include}}', '[]') = CAST($4 AS jsonb)
ORDER BY requested_at DESC LIMIT 1
"""  # noqa: S608  # the same
_GOING_ON = """
SELECT analysis_id FROM app.analyses
WHERE tenant_id = $1 AND repository_id = $2 AND state NOT IN ('ready', 'refined', 'failed', 'cancelled')
ORDER BY requested_at DESC
"""
_REPOSITORIES = f"""
SELECT r.repository_id, r.url, r.name, r.host, r.registered_at, a.analysis_id, a.version, {_DAMAGE} AS damaged,
  coalesce(a.requested_at, r.registered_at) AS asked_at, s.analysis_id AS serving
FROM app.repositories r
LEFT JOIN LATERAL (
  SELECT analysis_id, version, requested_at FROM app.analyses WHERE repository_id = r.repository_id
  ORDER BY requested_at DESC LIMIT 1
) a ON true
LEFT JOIN app.analyses s ON s.analysis_id = r.serving
WHERE r.tenant_id = $1 AND r.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = r.repository_id)
  AND (CAST($5 AS uuid) IS NULL OR r.repository_id = $5)
  AND (CAST($6 AS text) IS NULL OR position(lower($6) IN lower(concat(r.name, ' ', r.url))) > 0)
  AND (CAST($2 AS timestamptz) IS NULL
    OR (coalesce(a.requested_at, r.registered_at), r.repository_id) < (CAST($2 AS timestamptz), CAST($3 AS uuid)))
ORDER BY coalesce(a.requested_at, r.registered_at) DESC, r.repository_id DESC LIMIT $4
"""  # noqa: S608  # the same
_STREAMS = """
SELECT s.stream_id, s.version, count(*) OVER () AS total
FROM app.analyses a JOIN es.streams s ON s.stream_id = 'analysis/' || CAST(a.analysis_id AS text)
WHERE a.tenant_id = $1 AND a.repository_id = $2 AND s.archived_at IS NULL
ORDER BY a.requested_at DESC, a.analysis_id DESC LIMIT $3
"""
_PLACES = """
SELECT e.event_id, e.stream_id, e.version, e.type AS event_type FROM es.events e JOIN es.streams s USING (stream_id)
WHERE e.tenant_id = $1 AND e.event_id = ANY($2) AND s.archived_at IS NULL
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = e.repository_id)
"""
_PLACE = ("stream_id", "version", "event_type")
# Whatever is caused by an event of another stream begins one of its own: the index `events_begun_by` has only those.
_BEGUN = """
SELECT c.event_id AS cause, e.stream_id, e.version, e.type AS event_type FROM es.events c
JOIN es.events e ON e.causation_id = c.event_id AND e.version = 1 AND e.tenant_id = c.tenant_id
JOIN es.streams s ON s.stream_id = e.stream_id
WHERE c.tenant_id = $1 AND c.stream_id = $2 AND e.stream_id <> c.stream_id AND s.archived_at IS NULL
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = e.repository_id)
ORDER BY e.position
"""
_DAMAGED = f"SELECT {_DAMAGE} AS damaged FROM (VALUES ($2::uuid)) AS a (analysis_id) WHERE $1::uuid IS NOT NULL"  # noqa: S608  # the same
_VERSION = """
SELECT s.version || '.' || coalesce(
  (SELECT sum(hashtextextended(concat_ws(' ', kind, shard, key, rows, code, message), 0)) FROM app.loaded l
   WHERE l.analysis_id = $2), 0) AS version
FROM es.streams s
WHERE s.stream_id = 'analysis/' || CAST(CAST($2 AS uuid) AS text) AND s.tenant_id = $1 AND s.version > 0
  AND s.archived_at IS NULL
  AND NOT EXISTS (
    SELECT FROM es.events e JOIN app.deleted_repositories d USING (repository_id)
    WHERE e.stream_id = s.stream_id AND e.version = 1)
"""
_EVENTS = """
SELECT e.event_id, e.type, e.schema_version, e.stream_id, e.version, f.seq, e.repository_id, e.user_id, e.tenant_id,
  e.stage, e.correlation_id, e.causation_id, e.traceparent, e.occurred_at, e.data::text AS data
FROM es.feed f JOIN es.events e USING (position)
WHERE e.tenant_id = :tenant AND (CAST(:type AS text) IS NULL OR e.type = :type)
  AND (CAST(:stage AS text) IS NULL OR e.stage = :stage)
  AND (CAST(:since AS timestamptz) IS NULL OR e.occurred_at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR e.occurred_at < :until)
  AND (e.type = ANY (:farewells) OR NOT EXISTS (
    SELECT FROM app.deleted_repositories d WHERE d.repository_id = e.repository_id
  ) AND NOT EXISTS (SELECT FROM es.streams s WHERE s.stream_id = e.stream_id AND s.archived_at IS NOT NULL))
  AND NOT (starts_with(e.stream_id, 'conversation/') AND EXISTS (
    SELECT FROM auth.users u WHERE u.user_id = e.user_id AND u.deleted_at IS NOT NULL))
  AND {place} LIMIT :limit
"""
# What says that something was deleted, of which all else is left out.
_FAREWELLS = [one.event_type for one in (RepositoryDeleted, AnalysisDeleted, ConversationDeleted)]
_AFTER = text(_EVENTS.format(place="f.seq > :after ORDER BY f.seq"))
_LATEST = text(_EVENTS.format(place="true ORDER BY f.seq DESC"))


class ReadModels:
    """The queries. Every one of them is of one tenant."""

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database
        self._analyses = KeptItems()
        self._repositories = KeptItems()

    async def _rows(self, query: str, tenant: UUID, *values: object) -> list[Record]:
        """What a query finds; `$1` of each is the tenant."""
        return await self._database.rows(tenant, query, tenant, *values)

    async def _page(
        self,
        query: str,
        cursors: CursorOf[tuple[Any, Any]],
        page: Page,
        tenant: UUID,
        *,
        key: tuple[str, str],
        wanted: tuple[object, ...],
    ) -> tuple[list[Record], str | None]:
        """The rows of one page, and the cursor of the next; `key` names the two columns that order the list."""
        at, id_ = cursors.read(page.cursor) or (None, None)
        rows = await self._rows(query, tenant, at, id_, page.limit + 1, *wanted)
        shown = rows[: page.limit]
        more = len(rows) > page.limit
        return shown, cursors.write((shown[-1][key[0]], shown[-1][key[1]])) if more else None

    async def analyses(self, tenant: UUID, page: Page, *, repository: UUID | None = None) -> bytes:
        """Analyses, newest first: an AnalysisPage as JSON."""
        key = ("requested_at", "analysis_id")
        rows, following = await self._page(_ANALYSES, ANALYSES, page, tenant, key=key, wanted=(repository,))
        return page_of(await self._items(tenant, rows, self._analyses, _analysis), following)

    async def whole_analysis(
        self, tenant: UUID, repository: UUID, commit: str | None, include: Sequence[str] = ()
    ) -> AnalysisSummary | None:
        """The newest whole, finished analysis of a commit (of any, without one) with exactly these patterns."""
        patterns = json.dumps(list(include))
        rows = await self._rows(_WHOLE, tenant, repository, commit, patterns)
        return next(iter((await self._summaries(tenant, rows)).values()), None)

    async def going_on(self, tenant: UUID, repository: UUID) -> list[UUID]:
        """The analyses of a repository that are neither ready nor over as far as the read models know, newest first."""
        return [row["analysis_id"] for row in await self._rows(_GOING_ON, tenant, repository)]

    async def repositories(self, tenant: UUID, page: Page, *, name: str | None = None) -> bytes:
        """Repositories with their newest analysis, the one asked for last first: a RepositoryPage as JSON.

        With `name`, those that have it in their name or address, case aside.
        """
        key = ("asked_at", "repository_id")
        rows, following = await self._page(_REPOSITORIES, REPOSITORIES, page, tenant, key=key, wanted=(None, name))
        return page_of(await self._items(tenant, rows, self._repositories, _repository), following)

    async def repository(self, tenant: UUID, repository: UUID) -> RepositoryView | None:
        """One repository with its newest analysis."""
        rows = await self._rows(_REPOSITORIES, tenant, None, None, 1, repository, None)
        known = await self._summaries(tenant, rows)
        return _repository(rows[0], known.get(rows[0]["analysis_id"])) if rows else None

    async def _items(
        self,
        tenant: UUID,
        rows: list[Record],
        kept: KeptItems,
        item_of: Callable[[Record, AnalysisSummary | None], BaseModel | None],
    ) -> list[bytes]:
        """What `rows`, whose first column is their key, are in a list. Only what changed is read and made."""
        kept.forget()
        found = {row[0]: kept.get(row[0], tuple(row)) for row in rows}
        stale = [row for row in rows if found[row[0]] is None]
        known = await self._summaries(tenant, stale) if stale else {}
        for row in stale:
            item = item_of(row, known.get(row["analysis_id"]))
            if item is not None:
                found[row[0]] = made = item.model_dump_json().encode()
                kept.keep(row[0], tuple(row), made)
        return [item for item in found.values() if item is not None]

    async def _summaries(self, tenant: UUID, rows: list[Record]) -> dict[UUID, AnalysisSummary]:
        """The analyses that `rows` name, as new as those or newer."""
        damaged = {row["analysis_id"]: row["damaged"] for row in rows if row["analysis_id"] is not None}
        records = await self._rows(_RECORDS, tenant, list(damaged)) if damaged else ()
        found = (summary_of(AnalysisRecord.model_validate_json(row["record"])) for row in records)
        return {each.analysis_id: each.model_copy(update={"damaged": damaged[each.analysis_id]}) for each in found}

    async def streams_of(self, tenant: UUID, repository: UUID, most: int) -> tuple[dict[str, int], int]:
        """The streams of a repository's newest analyses, each with its version; and how many analyses there are."""
        rows = await self._rows(_STREAMS, tenant, repository, most)
        return {row["stream_id"]: row["version"] for row in rows}, rows[0]["total"] if rows else 0

    async def places(self, tenant: UUID, events: Sequence[UUID]) -> dict[UUID, ElsewhereView]:
        """Where events are, by their ids; without those that are not there any more."""
        rows = await self._rows(_PLACES, tenant, list(events))
        return {row["event_id"]: ElsewhereView(**{name: row[name] for name in _PLACE}) for row in rows}

    async def begun(self, tenant: UUID, stream_id: str) -> dict[UUID, list[ElsewhereView]]:
        """By the ids of the events of a stream, what began other streams because of them; what is deleted is not."""
        found: dict[UUID, list[ElsewhereView]] = {}
        for row in await self._rows(_BEGUN, tenant, stream_id):
            found.setdefault(row["cause"], []).append(ElsewhereView(**{name: row[name] for name in _PLACE}))
        return found

    async def record(self, tenant: UUID, analysis: UUID) -> AnalysisRecord | None:
        """An analysis as far as its events came to the read model; None where none did."""
        rows = await self._rows(_RECORDS, tenant, [analysis])
        return AnalysisRecord.model_validate_json(rows[0]["record"]) if rows else None

    async def version(self, tenant: UUID, analysis: UUID) -> str | None:
        """What changes whenever anything that is shown of an analysis does; None where it is not there."""
        rows = await self._rows(_VERSION, tenant, analysis)
        return str(rows[0]["version"]) if rows else None

    async def damaged(self, tenant: UUID, analysis: UUID) -> list[str]:
        """The artifacts of an analysis that could not be loaded, each with its reason."""
        return list((await self._rows(_DAMAGED, tenant, analysis))[0]["damaged"])

    async def events(self, tenant: UUID, chosen: Chosen, *, after: int | None, limit: int) -> list[Envelope]:
        """Events in their global order: those after a `seq`, or the newest `limit` where `after` is None.

        Nothing of what was deleted but that it was, and nothing that somebody said whose account was. Of `chosen`, all
        but the words: what events say is sealed.
        """
        values = {
            "tenant": tenant,
            "type": next(iter(chosen.types), None),
            "stage": next(iter(chosen.stages), None),
            "since": chosen.since,
            "until": chosen.until,
            "farewells": _FAREWELLS,
            "limit": limit,
        }
        async with self._database.of(tenant) as connection:
            if after is not None:
                rows = list(await connection.execute(_AFTER, {**values, "after": after}))
            else:
                rows = list(await connection.execute(_LATEST, values))[::-1]
            return await envelopes_of(connection, rows)


def _analysis(_row: Record, summary: AnalysisSummary | None) -> AnalysisSummary | None:
    return summary


def _repository(row: Record, latest: AnalysisSummary | None) -> RepositoryView:
    return RepositoryView(
        repository_id=row["repository_id"],
        url=row["url"],
        name=row["name"],
        folder=row["name"].partition(":")[2],
        host=row["host"],
        registered_at=row["registered_at"],
        latest=latest,
        serving=row["serving"],
    )
