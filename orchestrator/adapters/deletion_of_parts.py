"""Accept that one conversation or one analysis is deleted, of a repository that stays: hidden from then on."""

import asyncio
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Context, Draft, Event, derived_id
from events.conversation import ConversationDeleted
from events.log.postgres import append_in
from events.log.wake import Wake
from events.processing import AnalysisDeleted, CancelRequested
from orchestrator.adapters.idempotency import FORGET as forget_answers  # noqa: N811
from runtime.tenancy import TenantDatabase

_HIDE = text("""
UPDATE es.streams SET archived_at = :at WHERE stream_id = :stream AND tenant_id = :tenant AND archived_at IS NULL
RETURNING version
""")
_HIDDEN = text("SELECT archived_at IS NOT NULL FROM es.streams WHERE stream_id = :stream")
_QUESTIONS = text("""
SELECT CAST(data->>'question_id' AS uuid) FROM es.events WHERE stream_id = :stream AND type = 'ai.query.requested'
""")
_LISTED = text("SELECT EXISTS (SELECT FROM app.conversations WHERE conversation_id = :conversation)")
_INTAKE = text("DELETE FROM app.intake WHERE analysis_id = :analysis")
_REASON = "A newer analysis replaced it."
_GRACE, _LOOK = 1.5, 0.05  # seconds for the read model to learn of it


async def is_hidden(connection: AsyncConnection, stream_id: str) -> bool:
    """Whether the content of a stream was deleted. Nobody reads it from then on, and nobody asks anything in it."""
    return bool((await connection.execute(_HIDDEN, {"stream": stream_id})).scalar_one_or_none())


async def delete_conversation(
    connection: AsyncConnection, context: Context, at: datetime, conversation_id: UUID, policy: str = ""
) -> bool:
    """Delete a conversation of the tenant that `context` names, in the caller's transaction; whether it was there."""
    stream = f"conversation/{conversation_id}"
    if not await _hide(connection, context, stream, at):
        return False
    questions = (await connection.execute(_QUESTIONS, {"stream": stream})).scalars()
    await connection.execute(forget_answers, {"repositories": [conversation_id, *questions]})
    await _say(connection, context, stream, ConversationDeleted(policy=policy), at)
    return True


async def delete_analysis(
    connection: AsyncConnection, context: Context, at: datetime, analysis_id: UUID, policy: str
) -> bool:
    """Delete an analysis of the tenant that `context` names, in the caller's transaction; whether it was there."""
    stream = f"analysis/{analysis_id}"
    if not await _hide(connection, context, stream, at):
        return False
    await connection.execute(forget_answers, {"repositories": [analysis_id]})
    await connection.execute(_INTAKE, {"analysis": analysis_id})
    await _say(connection, context, stream, CancelRequested(reason=_REASON), at)  # its refinement may still be queued
    await _say(connection, context, stream, AnalysisDeleted(policy=policy), at)
    return True


async def _hide(connection: AsyncConnection, context: Context, stream: str, at: datetime) -> bool:
    values = {"stream": stream, "tenant": context.tenant_id, "at": at}
    return (await connection.execute(_HIDE, values)).first() is not None


async def _say(connection: AsyncConnection, context: Context, stream: str, event: Event, at: datetime) -> None:
    event_id = derived_id("deleted", event.event_type, stream)
    await append_in(connection, stream, [Draft(event_id=event_id, occurred_at=at, context=context, event=event)])


class ConversationDeletion:
    """Deletes for a request, and wakes the pump."""

    def __init__(self, database: TenantDatabase, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def conversation(self, context: Context, at: datetime, conversation_id: UUID) -> bool:
        """Delete a conversation; whether it was there. Committed when it returns, and out of the lists, as a rule."""
        async with self._database.of(context.tenant_id) as connection:
            if not await delete_conversation(connection, context, at, conversation_id):
                return False
        self._wake.appended()
        loop = asyncio.get_running_loop()
        until = loop.time() + _GRACE
        while loop.time() < until:
            if not await self._listed(context.tenant_id, conversation_id):
                break
            await asyncio.sleep(_LOOK)
        return True

    async def _listed(self, tenant_id: UUID, conversation_id: UUID) -> bool:
        async with self._database.of(tenant_id) as connection:
            return bool((await connection.execute(_LISTED, {"conversation": conversation_id})).scalar_one())
