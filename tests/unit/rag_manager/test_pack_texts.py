"""Texts are dealt out in order, each once, within the bounds of a call."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.pack_texts import pack_texts


@given(st.lists(st.integers(0, 50)), st.integers(1, 5), st.integers(1, 60))
def test_every_text_is_in_one_group_and_no_group_is_too_large(lengths: list[int], most: int, characters: int) -> None:
    groups = pack_texts(lengths, most=most, characters=characters)

    assert [place for group in groups for place in group] == list(range(len(lengths)))
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(lengths[place] for place in group) <= characters


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 5), st.integers(1, 60))
def test_no_two_groups_in_a_row_would_have_been_one(lengths: list[int], most: int, characters: int) -> None:
    groups = pack_texts(lengths, most=most, characters=characters)

    for group, following in pairwise(groups):
        fuller = [*group, following[0]]
        assert len(fuller) > most or sum(lengths[place] for place in fuller) > characters
