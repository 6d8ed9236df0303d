"""What a model is given of an overview, and what it may cite."""

from ai_engine.stages.check_citations import check_citations
from ai_engine.stages.tell_overview import facts_again, facts_passage, places_of


def test_the_places_are_those_that_the_facts_cite_and_no_escaped_ones() -> None:
    facts = "a [src/a.py:1-2] and [src/b.py:5-900], again [src/a.py:1-2]; \\[no.py:1-2\\] [x](y) `[c.py:1]`"

    assert [(one.path, one.first_line, one.last_line) for one in places_of(facts)] == [
        ("src/a.py", 1, 2),
        ("src/b.py", 5, 900),
    ]
    assert len(places_of(" ".join(f"[{n}.py:1-1]" for n in range(99)))) == 60


def test_the_facts_themselves_cannot_be_cited() -> None:
    facts = facts_passage("one\ntwo")
    checked = check_citations("Said [:facts::1-2] and [facts:1-2].", [facts], {":facts:": 2, "facts": 2})

    assert (facts.first_line, facts.last_line) == (1, 2)
    assert checked.citations == ()


def test_why_the_facts_are_the_answer_is_said_where_a_model_was_asked() -> None:
    assert facts_again("x", "") == "x"
    assert facts_again("x", "model_busy").split("\n\n") == [
        "*The model did not tell it (model_busy); this is told from the facts.*",
        "x",
    ]
