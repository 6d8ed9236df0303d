"""The full model: all-MiniLM-L6-v2 in 8 bits through ONNX Runtime. Implements `Embedder`."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rag_manager.models.files import FULL_MODEL, FULL_NAME, TOKENIZER, found, open_tokenizer
from rag_manager.models.session import Session
from rag_manager.models.weights import MAX_TOKENS, WIDTH
from rag_manager.ports import Spent, always, uncounted

_NICE = 15  # of 19; a thread at 0 gets about thirty times as much of a busy core

MAX_CHARS = 64 * MAX_TOKENS  # what lies behind cannot be among the first tokens, unless it is all blanks


class OnnxModel:
    """About 60 chunks a second and core. Each text is computed by itself, so its vector never depends on its batch."""

    name = FULL_NAME
    dimension = WIDTH
    max_batch = 16
    max_characters = max_batch * MAX_CHARS

    def __init__(self, session: Session, tokenizer: Tokenizer, threads: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embed", initializer=_yield_the_processor)

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        """Return shape (len(texts), 384), float32, rows of length 1. Only a text's first 256 tokens count."""
        encodings = self._tokenizer.encode_batch_fast([text[:MAX_CHARS] for text in texts])
        vectors = np.empty((len(texts), WIDTH), np.float32)

        def fill(row: int) -> None:
            vectors[row] = self._session.vector(encodings[row].ids)

        if len(texts) == 1:
            fill(0)
        else:  # longest first, so that no thread is left with one at the end
            list(self._pool.map(fill, sorted(range(len(texts)), key=lambda row: -len(encodings[row].ids))))
        return vectors

    def close(self) -> None:
        """See `ports.Embedder`."""
        self._pool.shutdown()


def load_full(folder: Path, threads: int = 0) -> OnnxModel:
    """Return the full model of a models folder, computing on `threads` threads (0: one for each core we may use).

    Raises Permanent `model_missing`.
    """
    session = Session(found(folder, FULL_MODEL))
    tokenizer = open_tokenizer(found(folder, TOKENIZER), MAX_TOKENS)
    return OnnxModel(session, tokenizer, threads or _cores())


def _yield_the_processor() -> None:
    """Let every other thread of the machine go first: texts by the batch are background work.

    Only Linux has a priority for each thread; elsewhere this would lower the whole process.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _cores() -> int:
    """Return how many cores this process may use, which only Linux can say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
