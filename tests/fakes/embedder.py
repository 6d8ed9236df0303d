"""An embedder without a model: a text is the sum of its words, each word a fixed direction."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_manager.ports import InputRefused, Spent, always, uncounted
from runtime.faults import Transient


class WordEmbedder:
    """Texts that share words are near each other. `embedded` keeps what it was asked for."""

    def __init__(self, name: str = "words", *, dimension: int = 48, max_batch: int = 8) -> None:
        self.name = name
        self.dimension = dimension
        self.max_batch = max_batch
        self.max_characters = 1_000_000
        self.embedded: list[str] = []
        self.refuses = ""  # texts with it, where it is something
        self.calls_left: int | None = None  # until it is busy, where it ever is

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        if self.refuses and any(self.refuses in text for text in texts):
            raise InputRefused("embedder_input_refused")
        if self.calls_left is not None:
            if not self.calls_left:
                raise Transient("embedder_busy", "Later.")
            self.calls_left -= 1
        self.embedded.extend(texts)
        return np.array([self._vector(text) for text in texts], np.float32).reshape(-1, self.dimension)

    def close(self) -> None:
        pass

    def _vector(self, text: str) -> NDArray[np.float32]:
        words = [word for word in text.lower().replace("_", " ").replace("(", " ").split() if word.isalpha()]
        if not words:
            return np.zeros(self.dimension, np.float32)
        total = np.sum([self._direction(word) for word in words], axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)

    def _direction(self, word: str) -> NDArray[np.float64]:
        seed = int.from_bytes(hashlib.sha256(f"{self.name}{word}".encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=self.dimension)
