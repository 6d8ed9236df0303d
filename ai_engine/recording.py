"""What is recorded of a question: the event that ends it, in its conversation."""

from datetime import UTC, datetime
from uuid import UUID

from events.base import Envelope, Event, caused_by
from events.delivery.work import Append
from events.question import QuestionFailed
from runtime.faults import Fault


def failed(envelope: Envelope, fault: Fault) -> tuple[Append, ...]:
    """What is recorded where a question could not be answered."""
    return (append(envelope, _failure(envelope, fault.code, fault.message)),)


def parked(envelope: Envelope, deliveries: int) -> tuple[Append, ...]:
    """What is recorded where answering killed its worker again and again."""
    message = f"Answering this question stopped its worker {deliveries} times; it was set aside."
    return (append(envelope, _failure(envelope, code="answer_parked", message=message)),)


def _failure(envelope: Envelope, code: str, message: str) -> QuestionFailed:
    question_id, query = envelope.data.get("question_id"), envelope.data.get("query")
    return QuestionFailed(question_id=UUID(str(question_id)), query=str(query), code=code, message=message)


def append(envelope: Envelope, event: Event, *, ordinal: int = 0) -> Append:
    """What a question came to, or (by its number) one step towards that, in its conversation."""
    draft = caused_by(envelope, envelope.stream_id, event, ordinal=ordinal, at=datetime.now(UTC), stage="answer")
    return Append(envelope.stream_id, (draft,))
