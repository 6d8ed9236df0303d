"""Make a models folder complete: the sentence model built from its weights, the token table, the tokenizer.

    python -m rag_manager.models.build FOLDER

Takes a few seconds once; the folder can be cached, mounted read-only or copied into an image.
"""

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from rag_manager.models.files import FULL_MODEL, QUICK_TABLE, TOKENIZER, open_tokenizer, shipped
from rag_manager.models.forward import forward
from rag_manager.models.graph import build_graph
from rag_manager.models.session import Session
from rag_manager.models.weights import MAX_TOKENS, read_weights, weights_file
from runtime.faults import Permanent

log = logging.getLogger(__name__)

LEAST_COSINE = 0.99  # of the built model to float32, mean over the probes; 0.995 is usual
PROBES = (
    "How does the client decide whether a request is tried again?",
    "def retry_delay(attempt: int, base: float = 0.5) -> float:\n    return min(base * 2**attempt, 60.0)",
    "src/router.go > Router.Match\nfunc (r *Router) Match(path string) *Route {\n\treturn r.tree.find(path)\n}",
    "Liest die Konfiguration — mit Standardwerten — aus der Umgebung.",
)


def ensure_models(folder: Path) -> None:
    """Make `folder` hold all the files of both models; cheap if it does.

    Several processes may do so at once: each file appears whole, under its name, or not at all.
    Raises Permanent `model_missing` or `model_corrupt`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (QUICK_TABLE, TOKENIZER):
        if not (folder / name).is_file():
            _write(folder / name, partial(shutil.copyfile, shipped(name)))
    if not (folder / FULL_MODEL).is_file():
        log.info("building the sentence model in %s", folder)
        _write(folder / FULL_MODEL, build_full_model)


def _write(target: Path, produce: Callable[[Path], object]) -> None:
    """Let `produce` write a file beside `target`, then give it its name."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        produce(part)
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def build_full_model(target: Path, weights: Path | None = None) -> float:
    """Write the 8-bit model to `target`; return its mean cosine to the float32 model over the probes.

    Raises Permanent `model_missing`, `model_corrupt` (the weights, or a result too far from them).
    """
    tensors = read_weights(weights or weights_file())
    onnx.save(build_graph(tensors), target)
    tokenizer = open_tokenizer(shipped(TOKENIZER), MAX_TOKENS)
    session = Session(target)
    probes = [encoding.ids for encoding in tokenizer.encode_batch(list(PROBES))]
    cosine = float(np.mean([session.vector(ids) @ forward(tensors, np.array(ids)) for ids in probes]))
    if cosine < LEAST_COSINE:
        raise Permanent("model_corrupt", f"The built model agrees with its weights only to {cosine:.3f}; report this.")
    return cosine


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    ensure_models(Path(sys.argv[1]))
