import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.met_words import MetWords

_WORDS = st.text("ab", min_size=0, max_size=8)


@pytest.mark.parametrize(
    ("word", "prefix", "met"),
    [
        ("auth", 3, True),
        ("auth", 5, False),
        ("authorizations", 5, True),
        ("session", 5, True),
        ("sess", 5, False),
        ("id", 3, True),
        ("identity", 3, False),
        ("", 3, False),
    ],
)
def test_a_word_is_met_by_its_like_and_by_what_begins_with_it(word: str, prefix: int, met: bool) -> None:
    assert (word in MetWords({"authorization", "session", "id"}, prefix)) is met


@given(st.frozensets(_WORDS, max_size=5), st.lists(_WORDS, max_size=6), st.integers(1, 6))
def test_it_is_what_comparing_each_with_each_says(tokens: frozenset[str], words: list[str], prefix: int) -> None:
    def begins(shorter: str, longer: str) -> bool:
        return len(shorter) >= prefix and longer.startswith(shorter)

    found = MetWords(tokens, prefix)

    for word in words + words:
        assert (word in found) == any(token == word or begins(word, token) or begins(token, word) for token in tokens)
