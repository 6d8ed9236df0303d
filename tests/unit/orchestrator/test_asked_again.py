"""A parked question is asked again as it was, unless nobody waits for it any more."""

from uuid import UUID

import pytest

from events.base import Draft, Envelope, Event, derived_id
from events.conversation import ConversationStarted
from events.log.drafts import record
from events.question import QuestionAsked, QuestionFailed, QuestionStopped, Scope
from orchestrator.workflow.asked_again import asked_again
from tests.support.analyses import CONTEXT, NOON

REPOSITORY, FIRST, SECOND, NEW = (UUID(int=n) for n in range(1, 5))


def history(*events: Event) -> list[Envelope]:
    drafts = [Draft(event_id=derived_id(n), occurred_at=NOON, context=CONTEXT, event=e) for n, e in enumerate(events)]
    return [record(draft, "conversation/a", n) for n, draft in enumerate(drafts, 1)]


STARTED = ConversationStarted(repository_id=REPOSITORY, title="a/b")
ASKED = QuestionAsked(
    question_id=FIRST, repository_id=REPOSITORY, query="Why?", model="m", history=(("a", "b"),), scope=Scope(folder="x")
)
FAILED = QuestionFailed(question_id=FIRST, query="Why?", code="answer_parked", message="It was set aside.")
AGAIN = ASKED.model_copy(update={"question_id": SECOND, "again": FIRST})


def test_it_is_another_attempt_at_the_same() -> None:
    told = history(STARTED, ASKED, FAILED)

    assert asked_again(told, told[1], NEW) == ASKED.model_copy(update={"question_id": NEW, "again": FIRST})


def test_another_attempt_that_was_parked_is_one_at_the_first() -> None:
    told = history(STARTED, ASKED, FAILED, AGAIN, FAILED.model_copy(update={"question_id": SECOND}))

    found = asked_again(told, told[3], NEW)

    assert found is not None
    assert (found.question_id, found.again) == (NEW, FIRST)


@pytest.mark.parametrize("since", [AGAIN, QuestionStopped(question_id=FIRST)])
def test_where_nobody_waits_any_more_it_is_not(since: Event) -> None:
    told = history(STARTED, ASKED, FAILED, since)

    assert asked_again(told, told[1], NEW) is None
