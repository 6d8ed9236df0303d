"""What `repostream compare` prints and refuses."""

import pytest

from cli.compare import answers_lines, line, run_compare
from runtime.client import ApiError
from runtime.client.shapes import DifferenceView, QuestionCompared
from tests.unit.web_ui.test_answer_words import said


def test_each_difference_is_one_line() -> None:
    changed = DifferenceView(name=["a.py"], kind="changed", before={"size": 3}, after={"size": 4})
    added = DifferenceView(name=["b.py", "function", "b.f"], kind="added", before=None, after={"size": 4})
    same_facts = DifferenceView(name=["c.py"], kind="changed", before={"size": 3}, after={"size": 3})

    assert line(changed).plain == "~ a.py  size 3 → 4"
    assert line(added).plain.strip() == "+ b.py function b.f"
    assert line(same_facts).plain == "~ c.py  content"


def test_both_answers_to_a_question_are_told_with_what_they_cite() -> None:
    one = QuestionCompared(query="Why\u202e?", before=said("Since.\nThen.", 1, commit="c0"), after=said("So.", 3, 7))

    assert [text.plain for text in answers_lines(one)] == [
        "Why?",
        "before: c0, cites a.py:1-2",
        "  Since.",
        "  Then.",
        "after: no commit, cites a.py:3-4, a.py:7-8",
        "  So.",
    ]


@pytest.mark.parametrize(("what", "kind"), [("people", None), ("files", "moved"), ("answers", "added")])
def test_what_is_not_compared_is_refused_before_anybody_is_asked(what: str, kind: str | None) -> None:
    with pytest.raises(ApiError) as refused:
        run_compare(("a", "b"), what, kind, as_json=False)
    assert refused.value.problem.code == "invalid_request"
