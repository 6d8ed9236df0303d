import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.fuse_scores import fuse_scores


def test_best_everywhere_is_one_and_a_score_counts_by_its_share_of_the_best() -> None:
    scores = fuse_scores([(1.0, [("a", 8.0), ("b", 4.0)]), (0.5, [("a", 0.9), ("c", 0.3)])])

    assert scores == pytest.approx({"a": 1.0, "b": 0.5 / 1.5, "c": 0.5 / 3 / 1.5})


def test_nothing_found_and_scores_of_nothing_give_no_share() -> None:
    assert fuse_scores([]) == {}
    assert fuse_scores([(1.0, []), (0.0, [])]) == {}
    assert fuse_scores([(1.0, [("a", 0.0), ("b", -0.2)])]) == {"a": 0.0, "b": 0.0}


@given(st.lists(st.floats(0.01, 100), min_size=1), st.floats(0.1, 10))
def test_the_unit_of_a_retriever_does_not_matter(found: list[float], unit: float) -> None:
    ranked = list(enumerate(sorted(found, reverse=True)))
    other = (0.5, [(0, 0.4)])

    once = fuse_scores([(1.0, ranked), other])
    again = fuse_scores([(1.0, [(thing, score * unit) for thing, score in ranked]), other])

    assert once == pytest.approx(again)
