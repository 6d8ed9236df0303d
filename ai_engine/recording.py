"""What is recorded of a question: the event that ends it, in its conversation."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from ai_engine.metering import Meter, Taken
from ai_engine.ports import Notes
from ai_engine.stages.price import NOTHING, Spend, added
from events.base import Envelope, Event, caused_by
from events.delivery.long import told_as
from events.delivery.work import Append
from events.question import QuestionFailed
from runtime.faults import Cancelled, Fault, Transient

Ended = TypeVar("Ended", Fault, Cancelled)
STOPPED = "answer_stopped"
_STOPPED = "Somebody stopped this answer; ask again for another."


class Ends:
    """What questions that end without an answer took: by what ended them, until that is recorded."""

    def __init__(self, notes: Notes | None) -> None:
        self._notes = notes
        self._took: WeakKeyDictionary[Fault | Cancelled, Meter] = WeakKeyDictionary()

    def meter(self, tenant_id: UUID, question_id: UUID) -> Meter:
        """A meter for one question, which takes notes where there are any."""
        return Meter(partial(self._notes.keep, tenant_id, question_id) if self._notes is not None else None)

    async def go_on(self, envelope: Envelope, question_id: UUID, steps: Sequence[Taken], took: Meter) -> None:
        """Let a meter begin where an earlier worker ended, if there was one."""
        noted = await self._notes.find(envelope.tenant_id, question_id) if self._notes is not None else None
        took.go_on(steps, noted)

    def keep(self, ended: Ended, took: Meter) -> Ended:
        """Remember what was taken until a question ended so."""
        self._took[ended] = took
        return ended

    def failed(self, envelope: Envelope, fault: Fault) -> tuple[Append, ...]:
        """What is recorded where a question ended by the fault."""
        took = self._took.get(fault)
        return failed(envelope, fault, took.spend if took is not None else NOTHING)

    async def stopped(self, envelope: Envelope, ended: Cancelled | None) -> tuple[Append, ...]:
        """What is recorded where answering was stopped; without `ended` before a worker went on with it."""
        took = self._took.get(ended) if ended is not None else None
        if took is not None:
            return stopped(envelope, took.spend)
        question_id = UUID(str(envelope.data.get("question_id")))
        noted = await self._notes.find(envelope.tenant_id, question_id) if self._notes is not None else None
        return stopped(envelope, added(noted.recorded, noted.besides, noted.call)) if noted is not None else ()


def fault_of(error: Exception, seconds: float) -> Fault:
    """The fault by which a question ended, which had so many seconds."""
    if isinstance(error, TimeoutError):
        return Transient("answer_deadline", f"No complete answer within {seconds:.0f} seconds: ask again.")
    return told_as(error, "an answer")


def failed(envelope: Envelope, fault: Fault, spend: Spend = NOTHING) -> tuple[Append, ...]:
    """What is recorded where a question could not be answered, and what it took all the same."""
    return (append(envelope, _failure(envelope, fault.code, fault.message, spend)),)


def stopped(envelope: Envelope, spend: Spend) -> tuple[Append, ...]:
    """What is recorded where somebody did not want the answer any more: what it took; nothing where that is nothing.

    The question is not told again: it may have been deleted.
    """
    if spend == NOTHING:
        return ()
    return (append(envelope, _failure(envelope, STOPPED, _STOPPED, spend).model_copy(update={"query": ""})),)


def parked(envelope: Envelope, deliveries: int) -> tuple[Append, ...]:
    """What is recorded where answering killed its worker again and again."""
    message = f"Answering this question stopped its worker {deliveries} times; it was set aside."
    return (append(envelope, _failure(envelope, code="answer_parked", message=message, spend=NOTHING)),)


def _failure(envelope: Envelope, code: str, message: str, spend: Spend) -> QuestionFailed:
    question_id, query = envelope.data.get("question_id"), envelope.data.get("query")
    return QuestionFailed(
        question_id=UUID(str(question_id)), query=str(query), code=code, message=message, **asdict(spend)
    )


def append(envelope: Envelope, event: Event, *, ordinal: int = 0) -> Append:
    """What a question came to, or (by its number) one step towards that, in its conversation."""
    draft = caused_by(envelope, envelope.stream_id, event, ordinal=ordinal, at=datetime.now(UTC), stage="answer")
    return Append(envelope.stream_id, (draft,))
