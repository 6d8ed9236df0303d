"""Attempts at a question, what later questions are told of them, and a conversation as a document."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from markdown_it import MarkdownIt

from events.question import Citation
from orchestrator.api.models import ConversationView, QuestionView
from orchestrator.projections.conversations import earlier_turns, first_attempt, has_words
from orchestrator.projections.transcript import transcript

TALK, REPOSITORY = uuid4(), uuid4()
AT = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
SHA = "36e4a824f340fdee7ed50937ba8e7f6bc7d17f81"


def a_question(number: int, query: str, answer: str | None = None, **more: object) -> QuestionView:
    known = {"question_id": UUID(int=number), "conversation_id": TALK, "repository_id": REPOSITORY, "query": query}
    state = "answered" if answer is not None else "asked"
    return QuestionView.model_validate(known | {"state": state, "asked_at": AT, "answer": answer} | more)


ONE, TWO = a_question(1, "What is it?", "A cat."), a_question(2, "And its name?", "Tom.")
ANEW = a_question(3, "What is it?", "A dog.", again=UUID(int=1))


def test_later_questions_are_told_the_newest_answer_to_each_earlier_one() -> None:
    assert earlier_turns([ONE, TWO]) == [("What is it?", "A cat."), ("And its name?", "Tom.")]
    assert earlier_turns([ONE, TWO, ANEW]) == [("What is it?", "A dog."), ("And its name?", "Tom.")]


def test_another_attempt_is_told_only_what_came_before_the_first_one() -> None:
    assert earlier_turns([ONE, TWO, ANEW], before=first_attempt(TWO)) == [("What is it?", "A dog.")]
    assert earlier_turns([ONE, TWO, ANEW], before=first_attempt(ANEW)) == []


def test_a_question_without_an_answer_is_no_turn() -> None:
    failed = a_question(1, "Why?", state="failed")

    assert earlier_turns([failed, a_question(2, "How?")]) == []
    assert earlier_turns([failed, ANEW]) == [("What is it?", "A dog.")]


def talk(*questions: QuestionView) -> ConversationView:
    return ConversationView(
        conversation_id=TALK, repository_id=REPOSITORY, title="o/r", started_at=AT, questions=list(questions)
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [("", True), ("tom", True), ("NAME tom", True), ("what dog", True), ("what tom", False), ("horse", False)],
)
def test_words_are_looked_for_in_each_question_with_its_answer(words: str, found: bool) -> None:
    assert has_words(talk(ONE, TWO, ANEW), words) is found


def told(*questions: QuestionView, url: str = "https://github.com/o/r") -> str:
    conversation = ConversationView(
        conversation_id=TALK, repository_id=REPOSITORY, title="o/r", started_at=AT, questions=list(questions)
    )
    return transcript(conversation, url)


def test_a_document_has_every_answer_with_links_to_the_lines_at_the_host() -> None:
    cited = {"citations": [Citation(path="a.py", first_line=3, last_line=4)], "commit": SHA, "confidence": 0.5}
    said = {"mode": "generated", "model": "gpt-test", "rating": 1} | cited
    first = a_question(1, "What is it?\n# No heading", "See [a.py:3-4].", **said)
    failed = a_question(2, "What is it?", state="failed", message="Too *slow*.", again=UUID(int=1))
    text = told(first, a_question(3, "And now?"), failed)

    link = f"[`a.py:3-4`](https://github.com/o/r/blob/{SHA}/a.py#L3-L4)"
    assert text == (
        "# A conversation about o/r\n\nRepository: https://github.com/o/r, begun 2026-01-01 12:30 UTC.\n\n"
        "## Question 1\n\n> What is it?\n> # No heading\n\n"
        f"### Answer 1 of 2\n\nSee {link}.\n\nCited:\n- {link}\n\n"
        f"*written by gpt-test; commit {SHA}; evidence 50%; asked 2026-01-01 12:30 UTC; rated helpful*\n\n"
        "### Answer 2 of 2\n\n> What is it?\n\n*Not answered: Too \\*slow\\*.*\n\n"
        "## Question 2\n\n> And now?\n\n*The answer is still being written.*\n"
    )


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"mode": "extractive"}, "put together from passages"),
        ({"mode": "extractive", "refused": "no_evidence"}, "refused: nothing in the repository answers it"),
        ({"mode": "generated", "refused": "not_in_passages"}, "refused: nothing in the repository answers it"),
    ],
)
def test_a_document_says_what_an_answer_rests_on(known: dict[str, str], said: str) -> None:
    assert f"*{said}" in told(a_question(1, "Why?", "So.", **known))


def test_a_document_loads_nothing_whatever_was_asked_and_answered() -> None:
    evil = "![x](http://evil) <img src=http://evil> [y]: http://evil"
    text = told(a_question(1, evil, evil, model=evil, mode="generated", commit=evil), url="upload://0/x")
    tokens = [each for token in MarkdownIt().parse(text) for each in (token, *(token.children or ()))]

    assert {token.type for token in tokens} & {"image", "link_open", "html_inline", "html_block"} == set()
