"""Erase what the orchestrator keeps of a deleted repository: keys, artifacts, answers and ticks in Redis; then the rest
of a tenant or of a person, or one part of a repository.

Its rows go with the projections, in their order: a read model that is behind would write them again.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.account import AccountDeleted, TenantDeleted
from events.base import Envelope, Event, Subject
from events.catalog import decode
from events.conversation import ConversationDeleted
from events.delivery import dead_letters
from events.delivery.crash import crash_point
from events.delivery.persist import until_done, until_idle
from events.delivery.work import Result, Run
from events.log.keyring import erase_subject
from events.log.ownership import owned, release
from events.processing import AnalysisDeleted
from events.question import QuestionAsked
from events.repository import RepositoryDeleted
from orchestrator.adapters.erasure_of_live import forget_answers, forget_ticks
from orchestrator.adapters.erasure_of_parts import ErasureOfParts
from orchestrator.adapters.erasure_of_people import ErasureOfPeople
from orchestrator.adapters.uploads_ending import UploadsEnding
from runtime.objects import Objects

_QUESTIONS = text("""
SELECT data->>'question_id' FROM es.events WHERE repository_id = :repository AND type = :type
""")
_ANALYSES = text("""
SELECT DISTINCT split_part(stream_id, '/', 2) FROM es.events
WHERE repository_id = :repository AND starts_with(stream_id, 'analysis/')
""")
_DELIVERIES = text("DELETE FROM app.webhook_deliveries WHERE payload::jsonb #>> '{data,repository_id}' = :repository")
_LOOKS = text("DELETE FROM app.looks WHERE repository_id = :repository")
_HOOKS = text("DELETE FROM app.push_hooks WHERE repository_id = :repository")
_SHADOWS = text("DELETE FROM sandbox.shadows WHERE repository_id = :repository")
_DONE = text("UPDATE app.deleted_repositories SET erased_at = clock_timestamp() WHERE repository_id = :repository")


class Erasure:
    """The handler of the topic `erasure`. Each step may be done again, so that it survives an end in the middle."""

    def __init__(self, engine: AsyncEngine, redis: Redis, objects: Objects) -> None:
        self._engine = engine
        self._redis = redis
        self._objects = objects
        self._uploads = UploadsEnding(engine, objects)
        self._people = ErasureOfPeople(engine, redis, self._uploads)
        self._parts = ErasureOfParts(engine, redis, objects)

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Erase what was deleted; returns once it is gone."""
        event = decode(envelope)
        if isinstance(event, RepositoryDeleted) and envelope.repository_id is not None:
            tenant_id, repository_id = envelope.tenant_id, envelope.repository_id
            await until_done(
                lambda: self._repository(tenant_id, repository_id, run), run, f"erasing repository {repository_id}"
            )
            return Result()
        steps: dict[type[Event], Callable[[Envelope, Run], Awaitable[None]]] = {
            TenantDeleted: self._tenant,
            AccountDeleted: self._people.account,
            ConversationDeleted: self._parts.conversation,
            AnalysisDeleted: self._parts.analysis,
        }
        step = steps.get(type(event))
        if step is not None:
            await until_done(lambda: step(envelope, run), run, f"erasing {envelope.stream_id}")
        return Result()

    async def _tenant(self, envelope: Envelope, run: Run) -> None:
        for repository_id in await self._people.open_repositories(envelope.tenant_id):
            await self._repository(envelope.tenant_id, repository_id, run)
        await self._people.tenant(envelope, run)

    async def _repository(self, tenant_id: UUID, repository_id: UUID, run: Run) -> None:
        async with self._engine.begin() as connection:
            await erase_subject(connection, Subject.REPOSITORY, repository_id)
        crash_point("erasure", "after_key")
        await until_idle(self._engine, repository_id, run)
        await self._live(tenant_id, repository_id)
        await self._uploads.of_repository(repository_id)
        await self._artifacts(repository_id, run)
        crash_point("erasure", "before_done")
        async with self._engine.begin() as connection:
            await connection.execute(_DELIVERIES, {"repository": str(repository_id)})
            await connection.execute(_LOOKS, {"repository": repository_id})
            await connection.execute(_SHADOWS, {"repository": repository_id})
            await connection.execute(_HOOKS, {"repository": repository_id})
            await dead_letters.forget(connection, "repository", repository_id)
            await connection.execute(_DONE, {"repository": repository_id})

    async def _live(self, tenant_id: UUID, repository_id: UUID) -> None:
        """Answers while they were written, and ticks, which name paths."""
        async with self._engine.connect() as connection:
            values = {"repository": repository_id}
            asked = {**values, "type": QuestionAsked.event_type}
            questions = list((await connection.execute(_QUESTIONS, asked)).scalars())
            analyses = set((await connection.execute(_ANALYSES, values)).scalars())
        await forget_answers(self._redis, tenant_id, questions)
        await forget_ticks(self._redis, tenant_id, analyses)

    async def _artifacts(self, repository_id: UUID, run: Run) -> None:
        """Delete what nobody else refers to; the reference goes in the transaction that saw that it was the last."""
        while True:
            async with self._engine.connect() as connection:
                keys = await owned(connection, repository_id)
            if not keys:
                return
            for key in keys:
                run.check()
                async with self._engine.begin() as connection:
                    if await release(connection, key, repository_id):
                        await self._objects.delete(key)
