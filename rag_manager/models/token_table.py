"""A vector for each word piece; a text's vector is their weighted mean, plus a bias, brought to length 1.

On disk an `.npz` with `rows` int8 (vocabulary, width), `scales` float32 (vocabulary,) and `bias` float32 (width,).
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_manager.models.graph import quantise
from runtime.faults import Permanent

TEXTS_AT_ONCE = 256  # their counts by distinct token stay below some 10 MB


@dataclass(frozen=True, slots=True, eq=False)
class TokenTable:
    """The table as it is stored: row t of the vocabulary is `rows[t] * scales[t]`."""

    rows: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]

    def pool(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return shape (len(texts), width), rows of length 1, for texts given as token ids; no tokens give the bias."""
        vectors = np.empty((len(texts), len(self.bias)), np.float32)
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            part = texts[first : first + TEXTS_AT_ONCE]
            vectors[first : first + len(part)] = self._pool(part)
        return vectors

    def _pool(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        weights, used = token_weights(texts, len(self.rows))
        vectors = weights @ (self.rows[used] * self.scales[used, None]) + self.bias
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def token_weights(texts: Sequence[Sequence[int]], vocabulary: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return weights, shape (texts, distinct tokens), and the distinct tokens, ascending.

    A text's weights add up to 1; a token that occurs n times weighs as much as √n that occur once each.
    """
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    tokens = np.fromiter(chain.from_iterable(texts), np.intp, int(lengths.sum()))
    present = np.zeros(vocabulary, bool)
    present[tokens] = True
    used = np.flatnonzero(present)
    place = np.cumsum(present) - 1
    cells = np.repeat(np.arange(len(texts)), lengths) * len(used) + place[tokens]
    counts = np.bincount(cells, minlength=len(texts) * len(used)).reshape(len(texts), len(used))
    weights = np.sqrt(counts, dtype=np.float32)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return weights, used


def table_of(rows: NDArray[np.float32], bias: NDArray[np.float32]) -> TokenTable:
    """Return the table with these rows in 8 bits."""
    integers, scales = quantise(rows, axis=1)
    return TokenTable(integers, scales[:, 0], bias.astype(np.float32))


def write_table(path: Path, table: TokenTable) -> str:
    """Store a table; return the SHA-256 of the file."""
    with path.open("wb") as file:
        np.savez(file, rows=table.rows, scales=table.scales, bias=table.bias)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_table(path: Path, sha256: str) -> TokenTable:
    """Return a stored table. Raises Permanent `model_corrupt` if its digest is another."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise Permanent("model_corrupt", f"The SHA-256 of {path} is {found}, not {sha256}: delete it and build again.")
    with np.load(io.BytesIO(content)) as stored:
        return TokenTable(stored["rows"], stored["scales"], stored["bias"])
