"""What the table is fitted to: the full model's vectors, kept on disk by text because they take minutes."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_manager.adapters.onnx_model import load_full
from rag_manager.models.files import FULL_MODEL, FULL_NAME, found
from rag_manager.models.session import Session

PART = 2_048
CLS, SEP = 101, 102


def vectors_of(texts: Sequence[str], models: Path, work: Path) -> NDArray[np.float32]:
    """Return the full model's vectors, shape (len(texts), 384), computing only those that `work` does not hold."""
    work.mkdir(parents=True, exist_ok=True)
    known: dict[str, NDArray[np.float32]] = {}
    for file in sorted(work.glob(f"vectors-{FULL_NAME}-*.npz")):
        with np.load(file) as stored:
            known.update(zip(stored["digests"].tolist(), stored["vectors"], strict=True))
    digests = [_digest(text) for text in texts]
    missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
    embedder = load_full(models)
    for first in range(0, len(missing), PART):
        part = dict(list(missing.items())[first : first + PART])
        began = time.perf_counter()
        vectors = embedder.embed(list(part.values()))
        np.savez(work / f"vectors-{FULL_NAME}-{next(iter(part))}.npz", digests=list(part), vectors=vectors)
        known.update(zip(part, vectors, strict=True))
        print(f"{first + len(part)} of {len(missing)}, {len(part) / (time.perf_counter() - began):.0f}/s", flush=True)
    return np.stack([known[digest] for digest in digests])


def token_vectors(vocabulary: int, models: Path, work: Path) -> NDArray[np.float32]:
    """Return what the full model makes of each token by itself, shape (vocabulary, 384)."""
    file = work / f"tokens-{FULL_NAME}.npy"
    if not file.is_file():
        session = Session(found(models, FULL_MODEL))
        np.save(file, np.stack([session.vector([CLS, token, SEP]) for token in range(vocabulary)]))
    return np.asarray(np.load(file), np.float32)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
