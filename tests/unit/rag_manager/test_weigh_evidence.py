"""What a search knows of a whole question."""

import pytest

from rag_manager.stages.read_question import read_question
from rag_manager.stages.weigh_evidence import weigh_evidence


def test_words_are_counted_by_how_many_passages_have_them() -> None:
    question = read_question("alpha beta gamma delta")
    lexical = [(chunk, 7.5 - chunk) for chunk in range(5)]
    dense = list(enumerate([0.8, *[0.5] * 9, *[0.3] * 10]))
    evidence = weigh_evidence(question, [0, 2, 50, 90], 100, lexical, dense, "src/gamma.py deltaOf")

    assert (evidence.chunks, evidence.terms, evidence.best) == (100, 4, 7.5)
    assert (evidence.unknown, evidence.rare) == (0.25, 0.5)
    assert evidence.weight == pytest.approx(5.308 + 3.697 + 0.693 + 0.110, abs=0.01)
    assert (evidence.nearest, evidence.tenth) == (0.8, 0.5)
    assert evidence.around == pytest.approx((0.8 + 4.5 + 3.0) / 20)
    assert evidence.named == pytest.approx((0.693 + 0.110) / evidence.weight, abs=0.001)
    assert evidence.agreed == 0.5  # five of the ten nearest are the best by words, too


def test_names_of_code_that_nothing_has_are_counted_and_other_words_are_not() -> None:
    question = read_question("Where does JsonReader call parse_int in zebra?")
    frequencies = [0 if token in {"jsonreader", "zebra"} else 3 for token in question.tokens]

    assert weigh_evidence(question, frequencies, 100, [], [], "").strange == 1


def test_a_search_without_vectors_knows_no_similarity() -> None:
    evidence = weigh_evidence(read_question("the"), [], 0, [], [], "")

    assert (evidence.nearest, evidence.tenth, evidence.around, evidence.agreed) == (None, None, None, None)
    assert (evidence.unknown, evidence.weight, evidence.named) == (0.0, 0.0, 0.0)
