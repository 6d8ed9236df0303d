"""What the orchestrator erases of a deleted conversation or analysis, of a repository that stays.

Rows go with the projections. What other analyses of the repository refer to stays.
"""

import asyncio
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from events.base import Envelope
from events.delivery import dead_letters
from events.delivery.crash import crash_point
from events.delivery.persist import until_stream_idle
from events.delivery.work import Run
from events.log.keyring import erase_stream
from events.log.ownership import idle_since, release_unclaimed
from orchestrator.adapters.erasure_of_live import forget_answers, forget_ticks
from runtime.objects import Objects

_LOOK = 0.25  # seconds
_QUESTIONS = text("""
SELECT data->>'question_id' FROM es.events WHERE stream_id = :stream AND type = 'ai.query.requested'
""")
_SHARES = text("DELETE FROM app.shares WHERE kind = 'conversation' AND resource_id = :id")
_DELIVERIES = text("DELETE FROM app.webhook_deliveries WHERE payload::jsonb #>> '{data,analysis_id}' = :id")
_SHADOWS = text("DELETE FROM sandbox.shadows WHERE analysis_id = :id")
_ANSWERED_AGAIN = text("DELETE FROM sandbox.runs WHERE request ->> 'stream_id' = :stream")
# Of this analysis alone: an artifact is named by its content, so that analyses of one repository share many.
_ARTIFACTS = text("""
WITH brought AS (
  SELECT e.stream_id, a->>'key' AS key FROM es.events e
  CROSS JOIN LATERAL jsonb_array_elements(e.data->'artifacts') a
  WHERE e.repository_id = :repository AND e.type IN ('processing.stage.completed', 'processing.stage.failed')
    AND jsonb_typeof(e.data->'artifacts') = 'array'
)
SELECT DISTINCT b.key FROM brought b WHERE b.stream_id = :stream AND NOT EXISTS (
  SELECT FROM brought o JOIN es.streams s USING (stream_id)
  WHERE o.key = b.key AND o.stream_id <> :stream AND s.archived_at IS NULL
)
""")


class ErasureOfParts:
    """Each step may be done again."""

    def __init__(self, engine: AsyncEngine, redis: Redis, objects: Objects) -> None:
        self._engine = engine
        self._redis = redis
        self._objects = objects

    async def conversation(self, envelope: Envelope, run: Run) -> None:
        """Empty what was asked and answered, also by whoever is at it now; and what it was shown by."""
        stream = envelope.stream_id
        await until_stream_idle(self._engine, stream, run)
        async with self._engine.begin() as connection:
            await erase_stream(connection, stream)
            await dead_letters.forget(connection, "stream", stream)
            await connection.execute(_SHARES, {"id": _id_of(stream)})
            await connection.execute(_ANSWERED_AGAIN, {"stream": stream})
            questions = list((await connection.execute(_QUESTIONS, {"stream": stream})).scalars())
        await forget_answers(self._redis, envelope.tenant_id, questions)

    async def analysis(self, envelope: Envelope, run: Run) -> None:
        """Empty its facts, and let go of the artifacts that no other analysis has."""
        stream = envelope.stream_id
        await until_stream_idle(self._engine, stream, run)
        async with self._engine.begin() as connection:
            await erase_stream(connection, stream)
            await dead_letters.forget(connection, "stream", stream)
            await connection.execute(_DELIVERIES, {"id": str(_id_of(stream))})
            await connection.execute(_SHADOWS, {"id": _id_of(stream)})
        await forget_ticks(self._redis, envelope.tenant_id, {str(_id_of(stream))})
        crash_point("erasure", "before_artifacts")
        if envelope.repository_id is not None:
            await self._artifacts(stream, envelope.repository_id, run)

    async def _artifacts(self, stream: str, repository_id: UUID, run: Run) -> None:
        """What is claimed by work that begins meanwhile stays, although the log does not tell of it yet."""
        before = await self._quiet_since(repository_id, run)
        async with self._engine.connect() as connection:
            values = {"stream": stream, "repository": repository_id}
            keys = list((await connection.execute(_ARTIFACTS, values)).scalars())
        for key in keys:
            run.check()
            async with self._engine.begin() as connection:
                if await release_unclaimed(connection, key, repository_id, before):
                    await self._objects.delete(key)

    async def _quiet_since(self, repository_id: UUID, run: Run) -> datetime:
        while True:
            run.check()
            async with self._engine.connect() as connection:
                since = await idle_since(connection, repository_id)
            if since is not None:
                return since
            await asyncio.sleep(_LOOK)


def _id_of(stream: str) -> UUID:
    return UUID(stream.partition("/")[2])
