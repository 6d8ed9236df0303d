"""What the orchestrator erases of a deleted tenant or account besides its repositories: keys, rows, and from where."""

import asyncio
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Envelope, Subject
from events.delivery import dead_letters
from events.delivery.crash import crash_point
from events.delivery.persist import until_stream_idle
from events.delivery.work import Run
from events.log.keyring import erase_subject
from events.question import QuestionAsked
from orchestrator.adapters.belongings import delete_rows
from orchestrator.adapters.erasure_of_live import forget_answers, forget_tenant
from orchestrator.adapters.uploads_ending import UploadsEnding

_LOOK = 0.1  # seconds
_AT_ONCE = 2_000
_OPEN = text("SELECT repository_id FROM app.deleted_repositories WHERE tenant_id = :tenant AND erased_at IS NULL")
_PROJECTED = text("""
SELECT coalesce(bool_and(cursor_seq >= :seq), true) FROM (
  SELECT DISTINCT ON (name) cursor_seq FROM es.projections ORDER BY name, version DESC
) newest
""")
_UNAWARE = text("SELECT auth.unaware_of_deletions()")
_ASKED = text("""
SELECT tenant_id, stream_id, array_agg(data->>'question_id') AS questions FROM es.events
WHERE user_id = :user AND type = :type GROUP BY tenant_id, stream_id
""")
_FORGET = text("SELECT audit.forget(:user, :most)")
_TENANT_DONE = text("UPDATE auth.tenants SET erased_at = clock_timestamp() WHERE tenant_id = :tenant")
_USER_DONE = text("UPDATE auth.users SET erased_at = clock_timestamp() WHERE user_id = :user")


class ErasureOfPeople:
    """Each step may be done again."""

    def __init__(self, engine: AsyncEngine, redis: Redis, uploads: UploadsEnding) -> None:
        self._engine = engine
        self._redis = redis
        self._uploads = uploads

    async def open_repositories(self, tenant_id: UUID) -> list[UUID]:
        """The tenant's repositories that are not erased yet: their own messages may have come to nothing."""
        async with self._engine.connect() as connection:
            return list((await connection.execute(_OPEN, {"tenant": tenant_id})).scalars())

    async def tenant(self, envelope: Envelope, run: Run) -> None:
        """Erase what is left of a tenant once its repositories are erased."""
        tenant_id = envelope.tenant_id
        async with self._engine.begin() as connection:
            await erase_subject(connection, Subject.TENANT, tenant_id)
        crash_point("erasure", "after_key")
        await self._settle(envelope, run)
        await forget_tenant(self._redis, tenant_id)
        await self._uploads.of_tenant(tenant_id)
        async with self._engine.begin() as connection:
            await delete_rows(connection, tenant=tenant_id)
            await dead_letters.forget(connection, "tenant", tenant_id)
            crash_point("erasure", "before_done")
            await connection.execute(_TENANT_DONE, {"tenant": tenant_id})

    async def account(self, envelope: Envelope, run: Run) -> None:
        """Erase what is left of a person once their tenants are."""
        user_id = UUID(envelope.stream_id.partition("/")[2])
        async with self._engine.begin() as connection:
            await erase_subject(connection, Subject.USER, user_id)
        await self._settle(envelope, run)
        async with self._engine.connect() as connection:
            asked = {"user": user_id, "type": QuestionAsked.event_type}
            talks = (await connection.execute(_ASKED, asked)).all()
        for talk in talks:
            await until_stream_idle(self._engine, talk.stream_id, run)
            await forget_answers(self._redis, talk.tenant_id, talk.questions)
        while await self._forgotten(user_id):
            run.check()
        async with self._engine.begin() as connection:
            await delete_rows(connection, user=user_id)
            await dead_letters.forget(connection, "user", user_id)
            await connection.execute(_USER_DONE, {"user": user_id})

    async def _forgotten(self, user_id: UUID) -> int:
        """Empty some of the person's entries in the audit trail: changes wait meanwhile to be recorded there."""
        async with self._engine.begin() as connection:
            return int((await connection.execute(_FORGET, {"user": user_id, "most": _AT_ONCE})).scalar_one())

    async def _settle(self, envelope: Envelope, run: Run) -> None:
        """Return once the read models know of the deletion, and whoever wrote without knowing of it has ended.

        Whoever begins to write now is refused: see the trigger `refuse_deleted`.
        """
        async with self._engine.connect() as connection:
            unaware = set((await connection.execute(_UNAWARE)).scalar_one())
        while True:
            run.check()
            async with self._engine.connect() as connection:
                unaware &= set((await connection.execute(_UNAWARE)).scalar_one())
                projected = (await connection.execute(_PROJECTED, {"seq": envelope.seq})).scalar_one()
            if projected and not unaware:
                return
            await asyncio.sleep(_LOOK)
