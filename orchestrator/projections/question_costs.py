"""What questions took, for a tenant's quotas.

It stays when the question goes with its conversation or repository: what was used of a day is used.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Envelope
from events.question import QuestionFailed
from orchestrator.api.models import QuestionView
from orchestrator.projections.conversations import cost_of, tokens_of

_COUNT = text("UPDATE app.accepted_questions SET tokens = :tokens, cost_usd = :cost WHERE question_id = :question_id")


async def count_answers(connection: AsyncConnection, questions: Iterable[QuestionView]) -> None:
    """Put down what those of the questions took that have ended."""
    ended = [_taken(question) for question in questions if question.state != "asked"]
    if ended:
        await connection.execute(_COUNT, ended)


async def count_deleted(connection: AsyncConnection, envelope: Envelope) -> None:
    """Put down what was taken for a question that went, with its conversation, while it was answered."""
    if envelope.event_type == QuestionFailed.event_type:
        event = QuestionFailed.model_validate(envelope.data)
        tokens = event.input_tokens + event.output_tokens
        row = {"question_id": event.question_id, "tokens": tokens, "cost": event.cost_usd}
        await connection.execute(_COUNT, row)


def _taken(question: QuestionView) -> dict[str, object]:
    return {"question_id": question.question_id, "tokens": tokens_of(question), "cost": cost_of(question)}
