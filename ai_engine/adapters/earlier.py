"""Earlier answers out of the event log. Implements `Earlier`."""

from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ai_engine.ports import Found
from ai_engine.stages.same_question import shelf_of
from events.base import Envelope
from events.catalog import decode
from events.log.outage import DRIVER_ERRORS
from events.log.postgres import ENVELOPE_COLUMNS, envelopes_of
from events.question import QuestionAnswered
from runtime.database import each_alone

_MOST = 8  # of one shelf: of two on it, one is hardly ever looked for
_RATING = """coalesce((SELECT o.data->>'rating' FROM es.events o WHERE o.stream_id = {of}.stream_id
    AND o.type = 'ai.answer.rated' AND o.data->>'question_id' = {of}.data->>'question_id'
    ORDER BY o.version DESC LIMIT 1), '1')"""
# Nobody deleted it, stopped it, was not content with it where it was given or given again, or had it answered again.
_ON_SHELF = text(f"""
SELECT {ENVELOPE_COLUMNS} FROM es.events e JOIN es.streams s USING (stream_id) LEFT JOIN es.feed f USING (position)
WHERE e.type = 'ai.query.processed' AND e.data->>'generation_id' = :generation AND e.data->>'shelf' = :shelf
  AND e.tenant_id = :tenant AND s.archived_at IS NULL
  AND NOT EXISTS (SELECT FROM es.events o WHERE o.stream_id = e.stream_id AND (
    o.type = 'ai.query.stopped' AND o.data->>'question_id' = e.data->>'question_id'))
  AND NOT EXISTS (SELECT FROM es.events q JOIN es.events o ON o.stream_id = q.stream_id AND o.version > q.version
    WHERE q.stream_id = e.stream_id AND q.type = 'ai.query.requested'
      AND q.data->>'question_id' = e.data->>'question_id' AND o.type = 'ai.query.requested'
      AND o.data->>'again' = coalesce(q.data->>'again', q.data->>'question_id'))
  AND {_RATING.format(of="e")} <> '-1'
  AND NOT EXISTS (SELECT FROM es.events t WHERE t.type = 'ai.query.processed' AND t.tenant_id = e.tenant_id
    AND t.data->>'earlier' = e.data->>'question_id' AND {_RATING.format(of="t")} = '-1')
ORDER BY e.position DESC LIMIT {_MOST}
""")  # noqa: S608  # only our own column names and numbers are put in
_BEGUN = text(f"""
SELECT {ENVELOPE_COLUMNS} FROM es.events e LEFT JOIN es.feed f USING (position)
WHERE e.stream_id = :stream AND e.version = 1
""")  # noqa: S608  # the same
_log = structlog.get_logger(__name__)


class LoggedAnswers:
    """Answers that are in conversations which can still be read."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = each_alone(engine)  # one statement, as a rule

    async def find(self, tenant_id: UUID, generation_id: UUID, fingerprint: str) -> Found | None:
        """See `ports.Earlier.find`."""
        values = {"tenant": tenant_id, "generation": str(generation_id), "shelf": str(shelf_of(fingerprint))}
        try:
            async with self._engine.connect() as connection:
                on_shelf = await envelopes_of(connection, await connection.execute(_ON_SHELF, values))
                for envelope in on_shelf:
                    if envelope.data.get("fingerprint") == fingerprint and await _is_there(connection, envelope):
                        answered = decode(envelope)
                        assert isinstance(answered, QuestionAnswered)  # noqa: S101  # by its type
                        return Found(answered, envelope.timestamp)
        except (*DRIVER_ERRORS, OSError) as error:  # then it is asked for
            _log.warning("earlier answers cannot be looked for", error=type(error).__name__)
        return None


async def _is_there(connection: AsyncConnection, envelope: Envelope) -> bool:
    """Whether its conversation is: it goes with whoever began it."""
    begun = await envelopes_of(connection, await connection.execute(_BEGUN, {"stream": envelope.stream_id}))
    return not any(one.erased for one in begun)
