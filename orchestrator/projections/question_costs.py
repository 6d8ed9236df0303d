"""What questions took, for a tenant's quotas.

It stays when the question goes with its conversation or repository: what was used of a day is used.
"""

from collections.abc import Iterable
from uuid import UUID

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.question import QuestionAnswered, QuestionFailed
from orchestrator.api.models import QuestionView
from orchestrator.projections.conversations import cost_of, tokens_of

_log = structlog.get_logger(__name__)
_COUNT = text("UPDATE app.accepted_questions SET tokens = :tokens, cost_usd = :cost WHERE question_id = :question_id")
# The steps of a question that is gone are of nothing any more: an end that tells nothing takes nothing back.
_COUNT_GONE = text("""
UPDATE app.accepted_questions SET tokens = coalesce(nullif(CAST(:tokens AS bigint), 0), tokens, 0),
  cost_usd = coalesce(CAST(:cost AS numeric), cost_usd) WHERE question_id = :question_id
""")
_ENDS = frozenset({QuestionAnswered.event_type, QuestionFailed.event_type})


class _Took(BaseModel):
    """What an event that ends a question says of this; its texts may be erased by now."""

    question_id: UUID
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


async def count_answers(connection: AsyncConnection, questions: Iterable[QuestionView]) -> None:
    """Put down what those of the questions took that have ended; one that was stopped keeps what is reserved for it."""
    ended = [(each, tokens_of(each)) for each in questions if each.state != "asked"]
    told = [_taken(question, tokens) for question, tokens in ended if tokens is not None]
    if told:
        await connection.execute(_COUNT, told)


async def count_deleted(connection: AsyncConnection, envelope: Envelope) -> None:
    """Put down what was taken for a question that went, with its conversation or repository, while it was answered."""
    if envelope.event_type not in _ENDS:
        return
    try:
        took = _Took.model_validate(envelope.data)
    except ValidationError as error:
        _log.warning("event_passed_over", seq=envelope.seq, type=envelope.event_type, error=repr(error)[:300])
        return
    row = {"question_id": took.question_id, "tokens": took.input_tokens + took.output_tokens, "cost": took.cost_usd}
    await connection.execute(_COUNT_GONE, row)


def _taken(question: QuestionView, tokens: int) -> dict[str, object]:
    return {"question_id": question.question_id, "tokens": tokens, "cost": cost_of(question)}
