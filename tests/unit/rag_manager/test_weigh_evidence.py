"""What a search knows of a whole question."""

import pytest

from rag_manager.stages.read_question import read_question
from rag_manager.stages.weigh_evidence import weigh_evidence

PLAIN = read_question("routes kept balanced proxies")
NAMING = read_question("does safeParse call max_age or read")


def test_words_are_counted_by_how_many_passages_have_them() -> None:
    evidence = weigh_evidence(PLAIN, [0, 2, 50, 90], 100, 7.5, [0.8, *[0.5] * 9, *[0.3] * 10])

    assert (evidence.chunks, evidence.terms, evidence.best) == (100, 4, 7.5)
    assert (evidence.unknown, evidence.rare) == (0.25, 0.5)
    assert evidence.weight == pytest.approx(5.308 + 3.697 + 0.693 + 0.110, abs=0.01)
    assert (evidence.nearest, evidence.tenth) == (0.8, 0.5)
    assert evidence.around == pytest.approx((0.8 + 4.5 + 3.0) / 20)
    assert (evidence.names, evidence.unknown_names) == (0, 0)


def test_names_of_code_are_counted_by_themselves_and_their_parts_are_not() -> None:
    found = {"safeparse": 0, "max_age": 2}
    evidence = weigh_evidence(NAMING, [found.get(token, 9) for token in NAMING.tokens], 100, 7.5, [])

    assert set(found) < set(NAMING.tokens)
    assert (evidence.names, evidence.unknown_names) == (2, 1)


def test_a_search_without_vectors_knows_no_similarity() -> None:
    evidence = weigh_evidence(read_question(""), [], 0, 0.0, [])

    assert (evidence.nearest, evidence.tenth, evidence.around) == (None, None, None)
    assert (evidence.unknown, evidence.weight) == (0.0, 0.0)
