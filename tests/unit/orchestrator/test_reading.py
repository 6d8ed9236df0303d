"""The small pure parts of reading: lines, cursors, parts of an answer, conversations."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from events.base import LOCAL_TENANT, Context, Draft, Envelope, Event
from events.conversation import ConversationStarted
from events.log.drafts import record
from events.question import AnswerRated, QuestionAnswered, QuestionAsked, QuestionFailed
from orchestrator.adapters.sources import cut_lines
from orchestrator.api.answers import read_entry_id, read_part
from orchestrator.api.contents import Range
from orchestrator.projections.conversations import fold

REPOSITORY, QUESTION = uuid4(), uuid4()
STREAM = f"conversation/{uuid4()}"


@pytest.mark.parametrize(
    ("content", "first", "last", "expected"),
    [
        ("a\nb\nc\n", 1, 2, (1, 2, 3, "a\nb")),
        ("a\nb\nc", 2, 99, (2, 3, 3, "b\nc")),
        ("a\nb\nc\n", 9, 9, (3, 3, 3, "c")),
        ("a\x0cb\u2028c\n", 1, 1, (1, 1, 1, "a\x0cb\u2028c")),
        ("a\r\nb\r\n", 2, 2, (2, 2, 2, "b\r")),
        ("", 1, 5, (1, 0, 0, "")),
        ("a\n\n\n", 1, 3, (1, 3, 3, "a\n\n")),
    ],
)
def test_lines_are_cut_as_the_parser_counts_them(
    content: str, first: int, last: int, expected: tuple[int, int, int, str]
) -> None:
    cut = cut_lines(content, "python", first, last)

    assert (cut.first_line, min(cut.last_line, max(last, cut.first_line)), cut.line_count, cut.text) == expected


def test_a_range_is_never_longer_than_allowed() -> None:
    assert Range().bounds == (1, 2_000)
    assert Range(first_line=10, last_line=20).bounds == (10, 20)
    assert Range(first=7, last=9).bounds == (7, 9)
    assert Range(first_line=5, last_line=10_000_000).bounds == (5, 2_004)


@pytest.mark.parametrize(
    ("raw", "entry_id"),
    [
        ("1700-3", "1700-3"),
        (None, "0-0"),
        ("", "0-0"),
        ("$", "0-0"),
        ("1-", "0-0"),
        ("1-2-3", "0-0"),
        ("9" * 40 + "-1", "0-0"),
    ],
)
def test_where_an_answer_goes_on(raw: str | None, entry_id: str) -> None:
    assert read_entry_id(raw) == entry_id


@pytest.mark.parametrize("fields", [{}, {b"part": b"{"}, {b"part": b"[1]"}])
def test_a_part_that_cannot_be_read_is_an_empty_status(fields: dict[bytes, bytes]) -> None:
    assert read_part(fields) == {"type": "status"}


def told(*events: Event) -> list[Envelope]:
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=UUID(int=1))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    drafts = [Draft(event_id=uuid4(), occurred_at=at, context=context, event=event) for event in events]
    return [record(draft, STREAM, version) for version, draft in enumerate(drafts, start=1)]


STARTED = ConversationStarted(repository_id=REPOSITORY, title="flask")
ASKED = QuestionAsked(question_id=QUESTION, repository_id=REPOSITORY, query="Why?")
ANSWERED = QuestionAnswered(
    question_id=QUESTION, query="Why?", answer="Because.", mode="extractive", response_time=0.1, rag_hits=1,
    confidence=0.5, citations=(), removed_citations=0, passages=(), analysis_id=uuid4(), commit="c0ffee",
    generation_kind="quick", provider="none", model="none", prompt="p",
)  # fmt: skip


def test_a_conversation_holds_its_questions_and_their_answers() -> None:
    conversation = fold(told(STARTED, ASKED, ANSWERED, AnswerRated(question_id=QUESTION, rating=-1)))

    assert conversation is not None
    [question] = conversation.questions
    assert (conversation.title, question.state, question.answer, question.rating) == (
        "flask",
        "answered",
        "Because.",
        -1,
    )


def test_an_answer_to_a_search_by_words_only_says_why() -> None:
    lexical = ANSWERED.model_copy(update={"degraded": "vectors_unavailable"})
    views = [fold(told(STARTED, ASKED, answered)) for answered in (ANSWERED, lexical)]

    assert [view.questions[0].degraded for view in views if view] == [None, "vectors_unavailable"]


def test_a_question_that_failed_says_why_and_an_answer_stays_an_answer() -> None:
    failure = QuestionFailed(question_id=QUESTION, query="Why?", code="provider_down", message="Ask again.")
    failed, answered = fold(told(STARTED, ASKED, failure)), fold(told(STARTED, ASKED, ANSWERED, failure))

    assert failed is not None
    assert answered is not None
    assert [(q.state, q.code) for q in failed.questions] == [("failed", "provider_down")]
    assert [(q.state, q.code) for q in answered.questions] == [("answered", None)]


def test_an_answer_to_nothing_is_ignored() -> None:
    conversation = fold(told(STARTED, ANSWERED))

    assert conversation is not None
    assert conversation.questions == []
    assert fold([]) is None
