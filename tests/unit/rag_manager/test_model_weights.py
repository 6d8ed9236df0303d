"""Reading the weights, quantising them, and the plain forward pass."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.models.forward import _erf
from rag_manager.models.graph import MATRIX_LIMIT, quantise
from rag_manager.models.weights import read_weights
from runtime.faults import Permanent


def a_weights_file(folder: Path) -> tuple[Path, str]:
    """A safetensors file with one matrix and one tensor of another type; its digest."""
    matrix, other = np.arange(6, dtype=np.float32), np.arange(2)
    header = {
        "__metadata__": {"format": "pt"},
        "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "positions": {"dtype": "I64", "shape": [2], "data_offsets": [24, 40]},
    }
    head = json.dumps(header).encode()
    content = len(head).to_bytes(8, "little") + head + matrix.tobytes() + other.tobytes()
    path = folder / "model.safetensors"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_the_float_tensors_are_read_by_name_and_shape(tmp_path: Path) -> None:
    path, digest = a_weights_file(tmp_path)

    tensors = read_weights(path, digest)

    assert list(tensors) == ["a.weight"]
    assert tensors["a.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_weights_with_another_digest_are_refused_naming_both_digests(tmp_path: Path) -> None:
    path, digest = a_weights_file(tmp_path)

    with pytest.raises(Permanent, match=rf"is {digest}, not {'0' * 64}") as refused:
        read_weights(path, "0" * 64)
    assert refused.value.code == "model_corrupt"


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="no model file") as refused:
        read_weights(tmp_path / "model.safetensors")
    assert refused.value.code == "model_missing"


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1]), st.sampled_from([MATRIX_LIMIT, 127]))
def test_quantised_values_stay_within_the_limit_and_half_a_step(seed: int, axis: int, limit: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(7, 5)).astype(np.float32)

    integers, scales = quantise(matrix, axis, limit)

    assert np.abs(integers).max() == limit
    assert scales.shape == ((1, 5) if axis == 0 else (7, 1))
    assert (np.abs(integers * scales - matrix) <= scales / 2 * 1.001).all()


def test_a_matrix_of_zeros_is_quantised_to_zeros() -> None:
    integers, scales = quantise(np.zeros((3, 2), np.float32), axis=1)

    assert not integers.any()
    assert np.isfinite(scales).all()


def test_the_error_function_is_the_known_one() -> None:
    values = np.array([-2, -0.5, 0, 0.1, 1, 3], np.float32)

    known = [-0.9953223, -0.5204999, 0.0, 0.1124629, 0.8427008, 0.9999779]
    np.testing.assert_allclose(_erf(values), known, atol=1e-6)
