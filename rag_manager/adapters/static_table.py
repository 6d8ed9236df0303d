"""The quick model: a table of word-piece vectors fitted to the full one. Implements `Embedder`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rag_manager.models.files import QUICK_NAME, QUICK_TABLE, TABLE_SHA256, TOKENIZER, found, open_tokenizer
from rag_manager.models.token_table import TokenTable, read_table
from rag_manager.models.weights import MAX_TOKENS, WIDTH
from rag_manager.models.word_pieces import WordPieces
from rag_manager.ports import Spent, always, uncounted

MAX_CHARS = 64 * MAX_TOKENS  # what lies behind cannot be among the first tokens, unless it is all blanks


class StaticTable:
    """Thousands of chunks a second: what makes a repository searchable at once, until the full model is through."""

    name = QUICK_NAME
    dimension = WIDTH
    max_batch = 256  # a tenth of a second of an idle machine: then a search that came meanwhile goes first
    max_characters = max_batch * MAX_CHARS

    def __init__(self, table: TokenTable, tokenizer: Tokenizer) -> None:
        self._table = table
        self._pieces = WordPieces(tokenizer)

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        """Return shape (len(texts), 384), float32, rows of length 1. Only a text's first 256 tokens count."""
        return self._table.pool(self._pieces.numbers([text[:MAX_CHARS] for text in texts]))

    def close(self) -> None:
        """See `ports.Embedder`. It has neither."""


def load_quick(folder: Path) -> StaticTable:
    """Return the quick model of a models folder. Raises Permanent `model_missing` or `model_corrupt`."""
    table = read_table(found(folder, QUICK_TABLE), TABLE_SHA256)
    return StaticTable(table, open_tokenizer(found(folder, TOKENIZER), MAX_TOKENS))
