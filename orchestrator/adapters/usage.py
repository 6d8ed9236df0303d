"""What a tenant has, counted in the transaction that accepts one more: two at once cannot overrun it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity, Proof
from orchestrator.limits.quotas import (
    DAILY,
    MONTHLY,
    OF_QUESTIONS,
    Amounts,
    Exceeded,
    Quota,
    day_of,
    exceeded,
    kept,
    month_of,
)
from runtime.tenancy import TenantDatabase

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
_CENTS = """
    SELECT floor(coalesce(sum(cost_usd), 0) * 100) FROM (
      SELECT cost_usd FROM app.accepted_questions WHERE tenant_id = :tenant AND accepted_at >= :{since}
      UNION ALL
      SELECT cost_usd FROM app.embedding_costs WHERE tenant_id = :tenant AND embedded_at >= :{since}
    ) paid
"""
# What was accepted a moment ago is not in the read models yet: the intake's own rows and the log's events are. One that
# is ready counts while what a person had run again of it runs, and not for the vectors that it gets by itself.
_COUNTS = {
    Quota.RUNNING: text("""
    SELECT (SELECT count(*) FROM app.intake i WHERE i.tenant_id = :tenant
            AND NOT EXISTS (SELECT FROM app.analyses a WHERE a.analysis_id = i.analysis_id))
         + (SELECT count(*) FROM app.analyses a WHERE a.tenant_id = :tenant AND (
              a.state IN ('requested', 'running', 'unconfirmed', 'answerable')
              OR a.state = 'ready' AND jsonb_path_exists(
                a.record, '$.stages.*.runs.*.state ? (@ == "queued" || @ == "running" || @ == "retrying")')
                AND (SELECT max(version) FILTER (WHERE type = 'repository.processing.retry_requested') > greatest(
                  min(version) FILTER (WHERE type = 'repository.processing.completed'),
                  max(version) FILTER (WHERE type = 'repository.processing.refined'))
                  FROM es.events e WHERE e.stream_id = 'analysis/' || a.analysis_id)
              OR EXISTS (
                SELECT FROM es.events e WHERE e.stream_id = 'analysis/' || a.analysis_id AND e.version > a.version
                AND e.type = 'repository.processing.retry_requested')))
    """),
    Quota.REPOSITORIES: text("""
    SELECT count(DISTINCT i.repository_id) FROM app.intake i
    LEFT JOIN app.repositories r USING (repository_id) WHERE i.tenant_id = :tenant AND r.deleted_at IS NULL
    """),
    Quota.BYTES: text("""
    SELECT coalesce((SELECT sum(u.bytes) FROM app.uploads u WHERE u.tenant_id = :tenant), 0)
      + coalesce(sum(CAST(newest.bytes AS bigint)), 0) FROM app.repositories r JOIN LATERAL (
      SELECT a.record #>> '{view,totals,bytes}' AS bytes FROM app.analyses a
      WHERE a.repository_id = r.repository_id ORDER BY a.requested_at DESC LIMIT 1
    ) newest ON true WHERE r.tenant_id = :tenant AND r.deleted_at IS NULL
    """),
    Quota.QUESTIONS: text(
        "SELECT count(*) FROM app.accepted_questions WHERE tenant_id = :tenant AND accepted_at >= :day"
    ),
    # Where nobody said what was taken when an answer must have ended (its deadline is far below ten minutes), some of
    # what was reserved stands for it.
    Quota.TOKENS: text("""
    SELECT coalesce(sum(CASE WHEN tokens IS NULL AND accepted_at <= CAST(:at AS timestamptz) - interval '10 minutes'
      THEN least(reserved, 4000) ELSE tokens END), 0)
    FROM app.accepted_questions WHERE tenant_id = :tenant AND accepted_at >= :day
    """),
    Quota.CENTS_DAY: text(_CENTS.format(since="day")),
    Quota.CENTS_MONTH: text(_CENTS.format(since="month")),
}
_RESERVED = text("""
    SELECT coalesce(sum(reserved), 0) FROM app.accepted_questions
    WHERE tenant_id = :tenant AND accepted_at > CAST(:at AS timestamptz) - interval '10 minutes' AND tokens IS NULL
""")
# What is too old for any quota goes with it.
_ACCEPT = text("""
    WITH forgotten AS (
      DELETE FROM app.accepted_questions
      WHERE tenant_id = :tenant AND accepted_at < CAST(:day AS timestamptz) - interval '32 days'
    ), embedded_long_ago AS (
      DELETE FROM app.embedding_costs
      WHERE tenant_id = :tenant AND embedded_at < CAST(:day AS timestamptz) - interval '32 days'
    )
    INSERT INTO app.accepted_questions (question_id, tenant_id, accepted_at, reserved)
    VALUES (:question, :tenant, :at, :reserved)
""")
_IS_STORED = text("SELECT count(*) FROM app.intake WHERE repository_id = :repository")


class Usage:
    """Counts what tenants have, and refuses what is beyond their quotas. A person's own machine has none."""

    def __init__(self, database: TenantDatabase, allowed: Amounts) -> None:
        self._database = database
        self._allowed = allowed

    def allowed(self, who: Identity) -> Amounts:
        """The quotas of whom is asking; what is missing or 0 is not limited."""
        return {} if who.proof is Proof.LOCAL else self._allowed

    async def of(self, tenant_id: UUID, at: datetime) -> Amounts:
        """All that a tenant has."""
        async with self._database.of(tenant_id) as connection:
            return {quota: await _count(connection, quota, tenant_id, at) for quota in Quota}

    async def count_question(
        self, connection: AsyncConnection, who: Identity, question_id: UUID, at: datetime, reserved: int
    ) -> None:
        """Count a question that `connection`'s transaction accepts.

        Raises ApiProblem `quota_reached` where the day's questions, tokens or money, or the month's, are used up, or
        where those on their way may take the tokens that are left. What an answer takes is known when it is there;
        until then a question counts as `reserved` tokens. From now until the transaction ends no other question of the
        tenant is counted.
        """
        if self.allowed(who):
            await connection.execute(_LOCK, {"what": f"questions {who.tenant_id}"})
            await self._check(connection, who, list(OF_QUESTIONS), at)
            await self._check_kept(connection, who, at, reserved)
        await accept_in(connection, who.tenant_id, question_id, at, reserved)

    @asynccontextmanager
    async def counted(
        self, connection: AsyncConnection, who: Identity, repository_id: UUID | None, at: datetime
    ) -> AsyncIterator[None]:
        """Begin an analysis inside. Raises ApiProblem `quota_reached` or `quota_full` at the end where it did not fit.

        From then until the transaction of `connection` ends no other analysis of the tenant is counted.
        """
        if not self.allowed(who):
            yield
            return
        known = (await connection.execute(_IS_STORED, {"repository": repository_id})).scalar_one()
        yield
        await self.check_running(connection, who, at)
        await self._check(connection, who, [Quota.BYTES], at)
        if not known:
            await self._check(connection, who, [Quota.REPOSITORIES], at, new=1)

    async def check_bytes(self, who: Identity, at: datetime) -> None:
        """Raise ApiProblem `quota_full` where the tenant may store no more bytes."""
        if self.allowed(who):
            async with self._database.of(who.tenant_id) as connection:
                await self._check(connection, who, [Quota.BYTES], at)

    async def check_running(self, connection: AsyncConnection, who: Identity, at: datetime) -> None:
        """Raise ApiProblem `quota_reached` where the analysis did not fit that `connection`'s transaction let run.

        From now until the transaction ends no other analysis of the tenant is counted.
        """
        if self.allowed(who):
            await connection.execute(_LOCK, {"what": f"quota {who.tenant_id}"})
            await self._check(connection, who, [Quota.RUNNING], at, new=1)

    async def _check(
        self, connection: AsyncConnection, who: Identity, quotas: list[Quota], at: datetime, *, new: int = 0
    ) -> None:
        """Raise where one more does not fit to what was there before `new` of this transaction."""
        allowed = self.allowed(who)
        used = {
            quota: await _count(connection, quota, who.tenant_id, at) - new for quota in quotas if allowed.get(quota)
        }
        over = exceeded(allowed, used, at=at)
        if over is not None:
            raise _problem(over)

    async def _check_kept(self, connection: AsyncConnection, who: Identity, at: datetime, reserved: int) -> None:
        """Raise where what is left of the day's tokens may be taken by the questions on their way."""
        if not self.allowed(who).get(Quota.TOKENS):
            return
        used = await _count(connection, Quota.TOKENS, who.tenant_id, at)
        open_ones = await connection.execute(_RESERVED, {"tenant": who.tenant_id, "at": at})
        over = kept(self.allowed(who), used, int(open_ones.scalar_one()), reserved)
        if over is not None:
            raise _problem(over)


async def accept_in(
    connection: AsyncConnection, tenant_id: UUID, question_id: UUID, at: datetime, reserved: int
) -> None:
    """Count a question in the caller's transaction, whatever the quota says; `reserved` tokens until it has ended."""
    values = {"tenant": tenant_id, "question": question_id, "at": at, "day": day_of(at), "reserved": reserved}
    await connection.execute(_ACCEPT, values)


async def _count(connection: AsyncConnection, quota: Quota, tenant_id: UUID, at: datetime) -> int:
    values = {"tenant": tenant_id} | ({"at": at} if quota is Quota.TOKENS else {})
    since = {"day": day_of(at)} if quota in DAILY else {"month": month_of(at)} if quota in MONTHLY else {}
    return int((await connection.execute(_COUNTS[quota], values | since)).scalar_one())


def _problem(over: Exceeded) -> ApiProblem:
    if over.wait is None:
        return ApiProblem("quota_full", over.words)
    return ApiProblem("quota_reached", over.words, {"Retry-After": str(over.wait)})
