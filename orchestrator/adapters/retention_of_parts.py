"""What goes by policy of a repository that stays: analyses that newer ones replaced, conversations of long ago."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Context
from orchestrator.adapters.deletion_of_parts import delete_analysis, delete_conversation
from orchestrator.adapters.policy import Policy

_AT_ONCE = 100
_HOLD = text("SELECT FROM es.streams WHERE stream_id = :stream FOR UPDATE")
# When it came here: what was made or held elsewhere has its own times, and was taken over later.
_CAME = "SELECT e.recorded_at FROM es.events e WHERE e.stream_id = '{kind}/' || {id} AND e.version = 1"
_ANALYSIS_CAME, _NEWER_CAME = (_CAME.format(kind="analysis", id=f"{table}.analysis_id") for table in "an")
_CONVERSATION_CAME = _CAME.format(kind="conversation", id="c.conversation_id")
# Replaced: a newer analysis of the repository is ready, and came later, too. The newest that is ready always stays, and
# what is under way.
_REPLACED = f"""
SELECT a.analysis_id, a.tenant_id, a.repository_id FROM app.analyses a
CROSS JOIN LATERAL (
  SELECT count(*) AS newer, min(n.came_at) AS since
  FROM (SELECT n.requested_at, ({_NEWER_CAME}) AS came_at FROM app.analyses n
    WHERE n.repository_id = a.repository_id AND n.requested_at > a.requested_at AND n.state IN ('ready', 'refined')) n
  WHERE n.came_at > ({_ANALYSIS_CAME})
) r
WHERE a.state IN ('ready', 'refined', 'failed', 'cancelled') AND r.newer >= 1
  AND ((:kept > 0 AND r.newer >= :kept) OR (CAST(:before AS timestamptz) IS NOT NULL AND r.since < :before))
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = a.repository_id)
  AND NOT EXISTS (
    SELECT FROM es.streams s WHERE s.stream_id = 'analysis/' || a.analysis_id AND s.archived_at IS NOT NULL)
"""  # noqa: S608  # our own text
_ANALYSES = text(f"{_REPLACED} ORDER BY a.analysis_id LIMIT {_AT_ONCE}")
_STILL_REPLACED = text(f"{_REPLACED} AND a.analysis_id = :id")
_OLD = f"""
SELECT c.conversation_id, c.tenant_id, c.repository_id FROM app.conversations c
WHERE greatest(c.started_at, (SELECT max(q.asked_at) FROM app.questions q WHERE q.conversation_id = c.conversation_id),
    ({_CONVERSATION_CAME})) < :before
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = c.repository_id)
  AND NOT EXISTS (
    SELECT FROM es.streams s WHERE s.stream_id = 'conversation/' || c.conversation_id AND s.archived_at IS NOT NULL)
"""  # noqa: S608  # the same
_CONVERSATIONS = text(f"{_OLD} ORDER BY c.conversation_id LIMIT {_AT_ONCE}")
_STILL_OLD = text(f"{_OLD} AND c.conversation_id = :id")
Put = Callable[[str, str, UUID], Awaitable[None]]


class RetentionOfParts:
    """Carries out the part of a policy that is about single analyses and conversations."""

    def __init__(self, engine: AsyncEngine, policy: Policy) -> None:
        self._engine = engine
        self._policy = policy

    async def analyses(self, at: datetime, put: Put) -> list[UUID]:
        """Delete some analyses that are due, each told to `put` (action, target, tenant)."""
        days, kept = self._policy.analysis_days, self._policy.analyses_kept
        due = {"kept": kept, "before": at - timedelta(days=days) if days else None}
        async with self._engine.connect() as connection:
            rows = list(await connection.execute(_ANALYSES, due))
        return [row[0] for row in rows if await self._analysis(row, due, at, put)]

    async def conversations(self, at: datetime, put: Put) -> list[UUID]:
        """Delete some conversations that are due, each told to `put`."""
        due = {"before": at - timedelta(days=self._policy.conversation_days)}
        async with self._engine.connect() as connection:
            rows = list(await connection.execute(_CONVERSATIONS, due))
        return [row[0] for row in rows if await self._conversation(row, due, at, put)]

    async def _analysis(self, row: Row[Any], due: Mapping[str, object], at: datetime, put: Put) -> bool:
        days, kept = self._policy.analysis_days, self._policy.analyses_kept
        named = (f"REPOSTREAM_RETENTION_ANALYSES={kept}", f"REPOSTREAM_RETENTION_ANALYSIS_DAYS={days}")
        policy = " ".join(setting for setting, value in zip(named, (kept, days), strict=True) if value)
        async with self._engine.begin() as connection:
            # Whoever wants another analysis of the repository waits, and then finds this one gone.
            await connection.execute(_HOLD, {"stream": f"repository/{row.repository_id}"})
            if (await connection.execute(_STILL_REPLACED, {**due, "id": row.analysis_id})).first() is None:
                return False
            if not await delete_analysis(connection, _context(row), at, row.analysis_id, policy):
                return False
        await put("retention.analysis", f"analyses/{row.analysis_id}", row.tenant_id)
        return True

    async def _conversation(self, row: Row[Any], due: Mapping[str, object], at: datetime, put: Put) -> bool:
        policy = f"REPOSTREAM_RETENTION_CONVERSATION_DAYS={self._policy.conversation_days}"
        async with self._engine.begin() as connection:
            # Whoever asks something in it waits for its stream.
            await connection.execute(_HOLD, {"stream": f"conversation/{row.conversation_id}"})
            if (await connection.execute(_STILL_OLD, {**due, "id": row.conversation_id})).first() is None:
                return False
            if not await delete_conversation(connection, _context(row), at, row.conversation_id, policy):
                return False
        await put("retention.conversation", f"conversations/{row.conversation_id}", row.tenant_id)
        return True


def _context(row: Row[Any]) -> Context:
    return Context(tenant_id=row.tenant_id, correlation_id=uuid4(), repository_id=row.repository_id)
