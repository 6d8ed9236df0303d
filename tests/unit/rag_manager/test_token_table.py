"""The quick model's arithmetic, on a table small enough to follow by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.models.token_table import TokenTable, read_table, table_of, token_weights, write_table
from runtime.faults import Permanent

VOCABULARY = 5


def a_table() -> TokenTable:
    rows = np.eye(VOCABULARY, 4, dtype=np.float32) * np.arange(1, VOCABULARY + 1, dtype=np.float32)[:, None]
    return table_of(rows, np.array([0, 0, 0, 1], np.float32))


def test_a_text_is_the_weighted_mean_of_its_tokens_and_the_bias_at_length_one() -> None:
    vector = a_table().pool([[0, 1, 1, 1, 1]])[0]

    expected = np.array([1 / 3, 2 * 2 / 3, 0, 1])  # weights √1 : √4, rows of length 1 and 2, the bias
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-5)


def test_a_text_without_tokens_is_the_bias() -> None:
    np.testing.assert_allclose(a_table().pool([[], [0]])[0], [0, 0, 0, 1])


def test_no_texts_give_no_rows() -> None:
    assert a_table().pool([]).shape == (0, 4)


def test_weights_are_listed_for_the_distinct_tokens_in_order() -> None:
    weights, used = token_weights([[4, 2, 4], [2]], VOCABULARY)

    assert used.tolist() == [2, 4]
    np.testing.assert_allclose(weights, [[1 / (1 + 2**0.5), 2**0.5 / (1 + 2**0.5)], [1, 0]], rtol=1e-6)


@given(st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=30), max_size=300))
def test_a_vector_does_not_depend_on_its_batch_and_has_length_one(texts: list[list[int]]) -> None:
    table = a_table()
    together = table.pool(texts)

    np.testing.assert_allclose(np.linalg.norm(together, axis=1), np.ones(len(texts)), rtol=1e-5)
    if texts:
        np.testing.assert_allclose(together[-1], table.pool([texts[-1]])[0], atol=1e-6)


def test_a_table_survives_the_disk_to_within_its_8_bits(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(VOCABULARY, 4)).astype(np.float32)
    stored = read_table(tmp_path / "t.npz", write_table(tmp_path / "t.npz", table_of(rows, np.ones(4, np.float32))))

    assert stored.rows.dtype == np.int8
    np.testing.assert_allclose(stored.rows * stored.scales[:, None], rows, atol=np.abs(rows).max() / 254 + 1e-6)


def test_a_table_with_another_digest_is_refused_and_the_message_says_what_to_do(tmp_path: Path) -> None:
    digest = write_table(tmp_path / "t.npz", a_table())
    content = bytearray((tmp_path / "t.npz").read_bytes())
    content[-60] ^= 1
    (tmp_path / "t.npz").write_bytes(content)

    with pytest.raises(Permanent, match="delete it and build again") as refused:
        read_table(tmp_path / "t.npz", digest)
    assert refused.value.code == "model_corrupt"
