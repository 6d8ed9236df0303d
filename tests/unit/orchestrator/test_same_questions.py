"""Questions that two analyses have an answer to."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.question import Citation, Passage, PlanStep, Scope
from orchestrator.api.models import ConversationView, QuestionView
from orchestrator.projections.same_questions import answered_at, asked_at_both, same_words

OLD, NEW, OTHER = (UUID(int=n) for n in (1, 2, 3))
AT = datetime(2026, 1, 1, tzinfo=UTC)


def asked(number: int, query: str, at: UUID, **more: object) -> QuestionView:
    ids = {"question_id": UUID(int=100 + number), "conversation_id": UUID(int=8), "repository_id": UUID(int=9)}
    said = {"state": "answered", "answer": f"answer {number}", "asked_at": AT + timedelta(minutes=number)}
    return QuestionView.model_validate(ids | said | {"query": query, "analysis_id": at} | more)


@pytest.mark.parametrize(
    "query",
    ["where is it made", "  Where\n is  it made?! ", "“Where is it made?”", "WHERE IS IT \uff2d\uff21\uff24\uff25…"],
)
def test_case_space_marks_and_ways_of_writing_make_no_other_question(query: str) -> None:
    assert same_words(query) == "where is it made"
    assert same_words("Where is it made") != same_words("Where was it made")


@given(st.text())
def test_what_stands_around_a_question_makes_no_other_one(query: str) -> None:
    assert same_words(f' "{query}"?! ') == same_words(query)


def test_of_each_question_the_newest_answers_stand_beside_each_other_and_the_newest_question_is_first() -> None:
    said = [
        asked(1, "How is it built?", OLD),
        asked(2, "Where is it made?", OLD),
        asked(3, "where is it made", NEW),
        asked(4, "Where is it made", OLD, again=UUID(int=102)),
        asked(5, "How is it built", NEW),
        asked(6, "Only here?", NEW),
        asked(7, "How is it built", OTHER),
    ]

    found = asked_at_both(said, OLD, NEW)

    assert [(one.before.answer, one.after.answer) for one in found] == [
        ("answer 1", "answer 5"),
        ("answer 4", "answer 3"),
    ]
    back = asked_at_both(said, NEW, OLD)
    assert [one.after.answer for one in back] == ["answer 1", "answer 4"]
    assert [one.before.answer for one in asked_at_both(said, OLD, OLD)] == ["answer 4", "answer 1"]


def test_a_question_that_pointed_back_is_taken_by_what_it_meant_and_one_of_a_part_by_its_part() -> None:
    pointed = asked(1, "And where is that called?", OLD, standalone="Where is send called?")
    meant = asked(2, "where is send called", NEW)
    elsewhere = asked(3, "And where is that called?", NEW, standalone="Where is close called?")
    in_part = asked(4, "where is send called", NEW, scope=Scope(folder="src"))

    assert [one.after for one in asked_at_both([pointed, meant, elsewhere, in_part], OLD, NEW)] == [meant]
    assert asked_at_both([pointed, elsewhere, in_part], OLD, NEW) == []


def test_only_answers_of_the_two_are_taken_with_no_more_than_what_they_cite() -> None:
    passages = [
        Passage(chunk_id=str(n), path=path, first_line=first, last_line=last, text="x")
        for n, (path, first, last) in enumerate([("a.py", 1, 9), ("a.py", 20, 30), ("b.py", 1, 9)])
    ]
    cited = [Citation(path="a.py", first_line=9, last_line=12)]
    plan = [PlanStep(retriever="dense", found=3)]
    whole = asked(1, "Why?", OLD, citations=cited, passages=passages, plan=plan)
    talk = ConversationView(
        conversation_id=UUID(int=8),
        repository_id=UUID(int=9),
        title="t",
        started_at=AT,
        questions=[whole, asked(2, "Why?", NEW, state="failed"), asked(3, "Why?", OTHER)],
    )

    [found] = answered_at([talk], (OLD, NEW))

    assert (found.question_id, found.plan, found.citations) == (whole.question_id, [], cited)
    assert [passage.chunk_id for passage in found.passages] == ["0"]
