"""What the models are called and where their files are."""

from importlib.resources import files
from pathlib import Path

from tokenizers import Tokenizer

from rag_manager.models.weights import WEIGHTS_SHA256
from runtime.faults import Permanent

RECIPE = 1  # raise it when the graph or its quantisation changes: vectors of another recipe must not meet these
FULL_NAME = f"all-minilm-l6-v2-int8-{WEIGHTS_SHA256[:8]}-{RECIPE}"
FULL_MODEL = f"{FULL_NAME}.onnx"

TABLE_SHA256 = "057054f2640bee4554b214e41628cec330ba52a31ef54f6911f8e16a4c6c92fe"
QUICK_NAME = f"minilm-token-table-{TABLE_SHA256[:8]}"
QUICK_TABLE = f"{QUICK_NAME}.npz"

TOKENIZER = "tokenizer.json"


def shipped(name: str) -> Path:
    """Return the path of a file that comes with the source."""
    return Path(str(files(__package__) / "data" / name))


def found(folder: Path, name: str) -> Path:
    """Return the path of a model file. Raises Permanent `model_missing`, with the command that makes it."""
    path = folder / name
    if path.is_file():
        return path
    raise Permanent(
        "model_missing", f"{folder} has no {name}: run `python -m rag_manager.models.build` with that folder."
    )


def open_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    """Return the word-piece tokenizer, which cuts texts at `max_tokens` and pads nothing."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
