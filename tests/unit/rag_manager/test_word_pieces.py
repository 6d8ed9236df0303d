"""Word pieces by a memory of words, held to the tokenizer's own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag_manager.models import word_pieces
from rag_manager.models.files import TOKENIZER, open_tokenizer, shipped
from rag_manager.models.word_pieces import WordPieces

MOST = 24
PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("\t\n\r"))
PARTS = st.sampled_from(
    ["[MASK]", "[cls]", "[UNK] ", "getUserById", "x" * 100, "y" * 101, "é", "漢", "\x0c", "\x00", " "]
)
TEXTS = st.lists(PLAIN | st.text() | st.lists(PLAIN | PARTS).map("".join), max_size=6)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return open_tokenizer(shipped(TOKENIZER), MOST)


@pytest.fixture(scope="module")
def pieces(tokenizer: Tokenizer) -> WordPieces:
    return WordPieces(tokenizer)


def of_the_tokenizer(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


@given(texts=TEXTS)
def test_they_are_the_tokenizers_own(tokenizer: Tokenizer, pieces: WordPieces, texts: list[str]) -> None:
    assert pieces.numbers(texts) == of_the_tokenizer(tokenizer, texts)


def test_each_character_ends_or_goes_on_with_a_word_as_the_tokenizer_has_it(
    tokenizer: Tokenizer, pieces: WordPieces
) -> None:
    texts = [f"Re{chr(code)}try{chr(code)}" for code in range(0x250)]

    assert pieces.numbers(texts) == of_the_tokenizer(tokenizer, texts)


def test_real_source_is_cut_as_the_tokenizer_cuts_it(pieces: WordPieces, tokenizer: Tokenizer) -> None:
    texts = [
        path.read_text("utf-8") for path in sorted(Path(word_pieces.__file__).parents[2].glob("rag_manager/**/*.py"))
    ]

    assert len(texts) > 50
    assert pieces.numbers(texts) == of_the_tokenizer(tokenizer, texts)


def test_without_a_limit_a_text_is_cut_to_its_end(pieces: WordPieces) -> None:
    tokenizer = Tokenizer.from_file(str(shipped(TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    [numbers] = WordPieces(tokenizer).numbers(["again " * 1_000])

    assert len(numbers) == 1_000


def test_what_is_kept_is_bounded_also_where_many_threads_bring_ever_new_words(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_pieces, "MOST_KEPT", 100)
    pieces, a_text = WordPieces(tokenizer), 20
    texts = [" ".join(f"w{number * a_text + word}" for word in range(a_text)) for number in range(400)]
    expected = of_the_tokenizer(tokenizer, texts)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: pieces.numbers([text])[0], texts))

    assert found == expected
    assert len(pieces._kept) <= 100 + 4 * a_text


def test_no_word_is_kept_that_is_longer_than_anybody_writes(tokenizer: Tokenizer) -> None:
    pieces = WordPieces(tokenizer)
    texts = ["short " + "y" * word_pieces.LONGEST, "other " + "z" * (word_pieces.LONGEST + 1), "0f" * 8_000]

    assert pieces.numbers(texts) == of_the_tokenizer(tokenizer, texts)
    assert pieces._kept.keys() == {"short", "y" * word_pieces.LONGEST}
