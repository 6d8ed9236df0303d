"""Let go by policy of what nobody has used for long: by the same way of deletion as a person's, and on record."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Context
from events.log.wake import Wake
from orchestrator.adapters.deletion import delete_repositories, is_analysed
from orchestrator.adapters.policy import Policy
from orchestrator.adapters.retention_of_parts import RetentionOfParts
from orchestrator.audit.entry import Entry, Outcome

_log = structlog.get_logger(__name__)
EVERY = 3_600.0  # seconds
_AT_ONCE = 100  # repositories in one round
# Used is: registered, analysed, asked about, or looked at.
_UNUSED = """
SELECT r.repository_id, r.tenant_id FROM app.repositories r LEFT JOIN app.looks l USING (repository_id)
WHERE greatest(
    r.registered_at, l.looked_at,
    (SELECT max(a.requested_at) FROM app.analyses a WHERE a.repository_id = r.repository_id),
    (SELECT max(q.asked_at) FROM app.questions q WHERE q.repository_id = r.repository_id)
  ) < :before
  AND NOT EXISTS (SELECT FROM app.deleted_repositories d WHERE d.repository_id = r.repository_id)
"""
_CANDIDATES = text(f"{_UNUSED} ORDER BY r.repository_id LIMIT {_AT_ONCE}")
_STILL = text(f"{_UNUSED} AND r.repository_id = :repository")
_HOLD = text("SELECT FROM es.streams WHERE stream_id = :stream FOR UPDATE")
_ENDED = {
    "sessions": "DELETE FROM auth.sessions WHERE least(revoked_at, expires_at) < :before",
    "keys": "DELETE FROM auth.api_keys WHERE least(revoked_at, expires_at) < :before",
    # A family goes as a whole: of a living one, the used tokens tell that somebody has a copy.
    "grants": """
    DELETE FROM auth.refresh_tokens WHERE family_id IN (
      SELECT family_id FROM auth.refresh_tokens GROUP BY family_id
      HAVING max(least(revoked_at, expires_at)) < :before)
    """,
    "invitations": "DELETE FROM app.invitations WHERE least(revoked_at, used_at, expires_at) < :before",
    "sharing_links": "DELETE FROM app.shares WHERE least(revoked_at, expires_at) < :before",
}


class Retention:
    """Carries a policy out."""

    def __init__(
        self, engine: AsyncEngine, wake: Wake, record: Callable[[Entry], Awaitable[None]], policy: Policy
    ) -> None:
        """`record` puts an entry on the audit trail."""
        self._engine = engine
        self._wake = wake
        self._record = record
        self._policy = policy
        self._parts = RetentionOfParts(engine, policy)

    async def run(self) -> None:
        """Carry it out now and every hour."""
        while True:
            await self.carry_out(datetime.now(UTC))
            await asyncio.sleep(EVERY)

    async def carry_out(self, at: datetime) -> list[UUID]:
        """Delete what is too old at a moment; the repositories among it."""
        gone: list[UUID] = []
        if self._policy.repository_days:
            while found := await self._repositories(at):
                gone += found
        await self._of_repositories(at)
        if self._policy.ended_days:
            await self._ended(at)
        return gone

    async def _of_repositories(self, at: datetime) -> None:
        """Parts of repositories that stay."""

        async def put(action: str, target: str, tenant_id: UUID) -> None:
            await self._put(action, at, target=target, tenant_id=tenant_id, times=1)

        kinds = {
            "analyses": (self._policy.analyses_kept or self._policy.analysis_days, self._parts.analyses),
            "conversations": (self._policy.conversation_days, self._parts.conversations),
        }
        for kind, (is_wanted, delete) in kinds.items():
            while is_wanted and (found := await delete(at, put)):
                self._wake.appended()
                _log.info("retention", **{kind: len(found)})

    async def _repositories(self, at: datetime) -> list[UUID]:
        before = at - timedelta(days=self._policy.repository_days)
        async with self._engine.connect() as connection:
            rows = list(await connection.execute(_CANDIDATES, {"before": before}))
        gone = [
            row.repository_id for row in rows if await self._repository(row.repository_id, row.tenant_id, before, at)
        ]
        if gone:
            self._wake.appended()
            _log.info("retention", repositories=len(gone), days=self._policy.repository_days)
        return gone

    async def _repository(self, repository_id: UUID, tenant_id: UUID, before: datetime, at: datetime) -> bool:
        """Delete one, unless somebody came to it meanwhile or it is being analysed: whoever wants to, waits for us."""
        context = Context(tenant_id=tenant_id, correlation_id=uuid4(), repository_id=repository_id)
        policy = f"REPOSTREAM_RETENTION_REPOSITORY_DAYS={self._policy.repository_days}"
        async with self._engine.begin() as connection:
            await connection.execute(_HOLD, {"stream": f"repository/{repository_id}"})
            unused = await connection.execute(_STILL, {"before": before, "repository": repository_id})
            if unused.first() is None or await is_analysed(connection, repository_id):
                return False
            if not await delete_repositories(connection, context, at, [repository_id], policy=policy):
                return False
        target = f"repositories/{repository_id}"
        await self._put("retention.repository", at, target=target, tenant_id=tenant_id, times=1)
        return True

    async def _ended(self, at: datetime) -> None:
        before = at - timedelta(days=self._policy.ended_days)
        for what, statement in _ENDED.items():
            async with self._engine.begin() as connection:
                gone = (await connection.execute(text(statement), {"before": before})).rowcount
            if gone:
                _log.info("retention", **{what: gone}, days=self._policy.ended_days)
                await self._put(f"retention.{what}", at, target=what, tenant_id=None, times=gone)

    async def _put(self, action: str, at: datetime, *, target: str, tenant_id: UUID | None, times: int) -> None:
        """On record; `times` counts what went."""
        await self._record(
            Entry(
                entry_id=uuid4(),
                at=at,
                action=action,
                outcome=Outcome.ALLOWED,
                target=target,
                tenant_id=tenant_id,
                times=times,
            )
        )
