"""Events of one batch of the read models: what one of them deletes is all that the others do not find any more."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import LOCAL_TENANT, Envelope, Event
from events.conversation import ConversationDeleted
from events.question import QuestionAsked, QuestionFailed
from events.repository import RepositoryDeleted
from orchestrator.projections.overview import Overview
from tests.support.kernel import AT

CONVERSATION, REPOSITORY = UUID(int=1), UUID(int=2)


class _Nothing:
    """The reply of a database that has no rows."""

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def scalars(self) -> "_Nothing":
        return self


class _Written:
    """A connection that keeps the questions that are written through it."""

    def __init__(self) -> None:
        self.states: dict[UUID, str] = {}

    async def execute(self, statement: object, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> _Nothing:
        if "INSERT INTO app.questions" in str(statement):
            self.states |= {row["question_id"]: row["state"] for row in cast("Sequence[Mapping[str, Any]]", values)}
        return _Nothing()


def _told(stream_id: str, event: Event) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        event_type=event.event_type,
        stream_id=stream_id,
        version=1,
        seq=1,
        tenant_id=LOCAL_TENANT,
        correlation_id=uuid4(),
        timestamp=AT,
        data=event.model_dump(mode="json"),
    )


@pytest.mark.parametrize(
    ("deleted", "expected"),
    [
        (_told(f"conversation/{uuid4()}", ConversationDeleted()), "failed"),
        (_told(f"repository/{uuid4()}", RepositoryDeleted()), "failed"),
        (_told(f"conversation/{CONVERSATION}", ConversationDeleted()), "asked"),
        (_told(f"repository/{REPOSITORY}", RepositoryDeleted()), "asked"),
    ],
    ids=["another conversation", "another repository", "its conversation", "its repository"],
)
async def test_an_answer_is_written_unless_its_own_question_was_deleted(deleted: Envelope, expected: str) -> None:
    question, stream, written = uuid4(), f"conversation/{CONVERSATION}", _Written()
    asked = QuestionAsked(question_id=question, repository_id=REPOSITORY, query="Why?")
    failed = QuestionFailed(question_id=question, query="Why?", code="x", message="y")
    step = await Overview().prepare([_told(stream, asked), deleted, _told(stream, failed)])

    await step.write(cast("AsyncConnection", written))

    assert written.states == {question: expected}
