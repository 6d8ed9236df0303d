"""What a shadow finds and answers, beside what serves. Pure."""

from hypothesis import given
from hypothesis import strategies as st

from events.question import Citation, Passage, QuestionAnswered
from orchestrator.api.models import QuestionView
from orchestrator.projections import beside_answers, beside_searches

LINES = st.tuples(st.sampled_from("ab"), st.integers(1, 6), st.integers(0, 3))


def a_passage(path: str, first: int, more: int = 4) -> Passage:
    return Passage(chunk_id=f"{path}{first}", path=path, first_line=first, last_line=first + more, text="")


@given(st.lists(LINES, max_size=8, unique=True), st.lists(LINES, max_size=8, unique=True))
def test_each_passage_of_either_side_is_there_once_with_its_place(
    live: list[tuple[str, int, int]], shadow: list[tuple[str, int, int]]
) -> None:
    sides = [a_passage(*one) for one in live], [a_passage(*one) for one in shadow]

    placed = beside_searches.beside(*sides)

    assert sorted(one.live for one in placed if one.live is not None) == [*range(1, len(live) + 1)]
    assert [one.shadow for one in placed if one.shadow is not None] == [*range(1, len(shadow) + 1)]
    for one in placed:
        if one.live is not None and one.shadow is not None:
            before = sides[0][one.live - 1]
            assert before.path == one.path
            assert before.first_line <= one.last_line
            assert one.first_line <= before.last_line
    assert all(one.live == one.shadow for one in beside_searches.beside(sides[0], sides[0]))


def test_a_passage_with_other_borders_is_the_same_one() -> None:
    live = [a_passage("a.py", 1), a_passage("b.py", 1), a_passage("c.py", 1)]
    shadow = [a_passage("b.py", 3), a_passage("a.py", 1), a_passage("d.py", 1)]

    placed = beside_searches.beside(live, shadow)

    assert [(one.path, one.first_line, one.live, one.shadow) for one in placed] == [
        ("b.py", 3, 2, 1),
        ("a.py", 1, 1, 2),
        ("d.py", 1, None, 3),
        ("c.py", 1, 3, None),
    ]


def an_answer(text: str = "So.", refused: str = "", *lines: int) -> QuestionAnswered:
    cited = tuple(Citation(path="a.py", first_line=line, last_line=line, chunk_id=str(line)) for line in lines)
    return QuestionAnswered.model_construct(answer=text, refused=refused, citations=cited)


def test_an_answer_differs_in_its_text_its_citations_or_in_being_one() -> None:
    before = an_answer("So.", "", 1, 2)
    moved = before.model_copy(
        update={"citations": tuple(one.model_copy(update={"chunk_id": "x"}) for one in before.citations)}
    )

    assert beside_answers.beside(before, moved).changed == ()
    other = beside_answers.beside(before, an_answer("No.", "no_evidence", 2, 3))
    assert other.changed == ("answer", "citations", "refused")
    assert [one.first_line for one in other.gained] == [3]
    assert [one.first_line for one in other.lost] == [1]


def test_what_the_log_shows_of_an_answer_is_compared_with_what_a_shadow_answers() -> None:
    shown = QuestionView.model_construct(answer="So.", refused="", citations=list(an_answer("", "", 1).citations))

    assert beside_answers.beside(shown, an_answer("So.", "", 1)).changed == ()
