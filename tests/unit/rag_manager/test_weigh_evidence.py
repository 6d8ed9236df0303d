"""What a search knows of a whole question."""

import pytest

from rag_manager.stages.weigh_evidence import weigh_evidence


def test_words_are_counted_by_how_many_passages_have_them() -> None:
    evidence = weigh_evidence([0, 2, 50, 90], 100, 7.5, [0.8, *[0.5] * 9, *[0.3] * 10])

    assert (evidence.chunks, evidence.terms, evidence.best) == (100, 4, 7.5)
    assert (evidence.unknown, evidence.rare) == (0.25, 0.5)
    assert evidence.weight == pytest.approx(5.308 + 3.697 + 0.693 + 0.110, abs=0.01)
    assert (evidence.nearest, evidence.tenth) == (0.8, 0.5)
    assert evidence.around == pytest.approx((0.8 + 4.5 + 3.0) / 20)


def test_a_search_without_vectors_knows_no_similarity() -> None:
    evidence = weigh_evidence([], 0, 0.0, [])

    assert (evidence.nearest, evidence.tenth, evidence.around) == (None, None, None)
    assert (evidence.unknown, evidence.weight) == (0.0, 0.0)
