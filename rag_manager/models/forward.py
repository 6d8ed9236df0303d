"""The sentence model in plain numpy, float32: what the built model is checked against."""

import numpy as np
from numpy.typing import NDArray

from rag_manager.models.weights import HEADS, LAYERS, WIDTH, Tensors

Floats = NDArray[np.float32]

EPSILON = 1e-12  # layer_norm_eps of the model


def forward(tensors: Tensors, ids: NDArray[np.integer]) -> Floats:
    """Return the embedding, shape (384,), length 1, of one text from its token ids, shape (tokens,)."""
    embedded = (
        tensors["embeddings.word_embeddings.weight"][ids]
        + tensors["embeddings.position_embeddings.weight"][: len(ids)]
        + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    hidden = _normalise(tensors, "embeddings.LayerNorm", embedded)
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        attended = _dense(tensors, f"{layer}.attention.output.dense", _attention(tensors, layer, hidden))
        hidden = _normalise(tensors, f"{layer}.attention.output.LayerNorm", attended + hidden)
        inner = _gelu(_dense(tensors, f"{layer}.intermediate.dense", hidden))
        outer = _dense(tensors, f"{layer}.output.dense", inner)
        hidden = _normalise(tensors, f"{layer}.output.LayerNorm", outer + hidden)
    pooled = hidden.mean(axis=0)
    return np.asarray(pooled / np.linalg.norm(pooled), np.float32)


def _attention(tensors: Tensors, layer: str, hidden: Floats) -> Floats:
    query, key, value = (
        _dense(tensors, f"{layer}.attention.self.{part}", hidden).reshape(len(hidden), HEADS, -1).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(WIDTH // HEADS))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.asarray((weights @ value).transpose(1, 0, 2).reshape(len(hidden), WIDTH))


def _dense(tensors: Tensors, name: str, values: Floats) -> Floats:
    return np.asarray(values @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"])


def _normalise(tensors: Tensors, name: str, values: Floats) -> Floats:
    centred = values - values.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    return np.asarray(centred / spread * tensors[f"{name}.weight"] + tensors[f"{name}.bias"])


def _gelu(values: Floats) -> Floats:
    return np.asarray(0.5 * values * (1 + _erf(values / np.sqrt(np.float32(2)))))


def _erf(values: Floats) -> Floats:
    """Return the error function to within 1.5e-7 (Abramowitz and Stegun 7.1.26); numpy has none."""
    size = np.abs(values)
    t = 1 / (1 + np.float32(0.3275911) * size)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(np.sign(values) * (1 - series * np.exp(-size * size)), np.float32)
