"""Two answers to one question, in words."""

from datetime import UTC, datetime

from runtime.client.shapes import QuestionCompared, QuestionView, SameQuestions
from web_ui import answered

AT = datetime(2026, 1, 2, tzinfo=UTC)


def said(answer: str, *lines: int, **more: object) -> QuestionView:
    places = [{"path": "a.py", "first_line": line, "last_line": line + 1} for line in lines]
    ids = dict.fromkeys(("question_id", "conversation_id", "repository_id"), "i")
    known = {"query": "Why?", "state": "answered", "asked_at": AT, "answer": answer, "citations": places}
    return QuestionView.model_validate(ids | known | more)


def pair(before: QuestionView, after: QuestionView) -> QuestionCompared:
    return QuestionCompared(query="Why?", before=before, after=after)


def test_what_only_one_of_them_cites_is_counted() -> None:
    assert answered.conclusion(pair(said("x", 1), said("x", 1))).startswith("Both answers are the same")
    assert answered.conclusion(pair(said("x", 1), said("y", 1))) == "They cite the same lines."
    assert (
        answered.conclusion(pair(said("x", 1), said("x", 1, 5, 9)))
        == "2 cited places only here, 0 cited places only in the other one."
    )


def test_what_is_not_on_the_page_is_told() -> None:
    page = SameQuestions(items=[pair(said("x"), said("y"))], total=1)

    assert answered.rest(page) == ""
    left = answered.rest(page.model_copy(update={"total": 9, "left_out": 1}))
    assert left.startswith("1 of 9 are shown;")
    assert left.endswith("Not looked through: 1 older conversation.")
    assert answered.title("This one", said("x", commit="c0ffee" * 7)) == "This one, commit c0ffeec0ff"
    assert answered.title("This one", said("x")) == "This one"
