"""Which earlier answers are offered, by what was said of them since."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from asyncpg import InternalClientError

from ai_engine.adapters import earlier
from ai_engine.adapters.earlier import LoggedAnswers
from ai_engine.stages.same_question import shelf_of
from events.base import LOCAL_TENANT, Event
from events.question import AnswerRated, QuestionAnswered, QuestionAsked
from tests.support.delivery import Kernel, a_kernel
from tests.support.kernel import a_draft

GENERATION, WHAT = UUID(int=5), "ab" * 32
FIRST, SECOND, THIRD = UUID(int=11), UUID(int=12), UUID(int=13)


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as made:
        yield made


def asked(question: UUID, again: UUID | None = None) -> QuestionAsked:
    return QuestionAsked(question_id=question, repository_id=UUID(int=1), query="Why?", again=again)


def answered(question: UUID, earlier: UUID | None = None) -> QuestionAnswered:
    return QuestionAnswered(
        question_id=question,
        query="Why?",
        answer="So.",
        mode="answer",
        response_time=1.0,
        rag_hits=1,
        confidence=0.5,
        citations=(),
        removed_citations=0,
        passages=(),
        analysis_id=UUID(int=2),
        commit="c",
        generation_kind="full",
        provider="openai",
        model="m",
        prompt="p",
        generation_id=GENERATION,
        fingerprint="" if earlier else WHAT,
        shelf=None if earlier else shelf_of(WHAT),
        earlier=earlier,
    )


async def offered(kernel: Kernel, *conversations: Sequence[Event]) -> UUID | None:
    for events in conversations:
        await kernel.journal.append(f"conversation/{uuid4()}", [a_draft(event) for event in events])
    found = await LoggedAnswers(kernel.engine).find(LOCAL_TENANT, GENERATION, WHAT)
    return None if found is None else found.answer.question_id


GIVEN, GIVEN_AGAIN = (asked(FIRST), answered(FIRST)), (asked(SECOND), answered(SECOND, earlier=FIRST))
TRIED_AGAIN = (*GIVEN, asked(SECOND, again=FIRST), answered(SECOND))
DOWN, UP = AnswerRated(question_id=SECOND, rating=-1), AnswerRated(question_id=SECOND, rating=1)


@pytest.mark.parametrize(
    ("conversations", "found"),
    [
        ((GIVEN, GIVEN_AGAIN), FIRST),
        ((GIVEN, (*GIVEN_AGAIN, DOWN)), None),  # who was given it again is not content
        ((GIVEN, (*GIVEN_AGAIN, DOWN, UP)), FIRST),  # and thinks better of it
        ((TRIED_AGAIN,), SECOND),
        (((*TRIED_AGAIN, asked(THIRD, again=FIRST)),), None),  # the second attempt was not enough either
        (((*TRIED_AGAIN, asked(THIRD, again=FIRST), answered(THIRD)),), THIRD),
    ],
)
async def test_what_is_offered_nobody_was_discontent_with(
    kernel: Kernel, conversations: Sequence[Sequence[Event]], found: UUID | None
) -> None:
    assert await offered(kernel, *conversations) == found


async def test_a_connection_that_is_lost_meanwhile_offers_nothing_and_fails_nobody(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_args: object) -> None:
        raise InternalClientError("another operation (2) is in progress")  # as the driver says it, of whatever it reads

    monkeypatch.setattr(earlier, "envelopes_of", lost)

    assert await offered(kernel, GIVEN) is None
