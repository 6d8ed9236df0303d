"""What is recorded of a question: the event that ends it, in its conversation."""

from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

from ai_engine.metering import Meter
from events.base import Envelope, Event, caused_by
from events.delivery.work import Append
from events.question import QuestionFailed
from runtime.faults import Fault


def failed(envelope: Envelope, fault: Fault, took: Meter | None = None) -> tuple[Append, ...]:
    """What is recorded where a question could not be answered, and what it took all the same."""
    return (append(envelope, _failure(envelope, fault.code, fault.message, took or Meter())),)


def parked(envelope: Envelope, deliveries: int) -> tuple[Append, ...]:
    """What is recorded where answering killed its worker again and again."""
    message = f"Answering this question stopped its worker {deliveries} times; it was set aside."
    return (append(envelope, _failure(envelope, code="answer_parked", message=message, took=Meter())),)


def _failure(envelope: Envelope, code: str, message: str, took: Meter) -> QuestionFailed:
    question_id, query = envelope.data.get("question_id"), envelope.data.get("query")
    return QuestionFailed(
        question_id=UUID(str(question_id)), query=str(query), code=code, message=message, **asdict(took)
    )


def append(envelope: Envelope, event: Event, *, ordinal: int = 0) -> Append:
    """What a question came to, or (by its number) one step towards that, in its conversation."""
    draft = caused_by(envelope, envelope.stream_id, event, ordinal=ordinal, at=datetime.now(UTC), stage="answer")
    return Append(envelope.stream_id, (draft,))
