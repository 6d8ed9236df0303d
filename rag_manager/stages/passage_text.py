"""What is indexed and what is embedded of a chunk: never what looks like a secret.

In:  a chunk's header (path and enclosing symbols) and text.
Out: the line for BM25; the text for the model, and the hash that names it; the text that is shown.

Parsing took secrets out already, file by file; here it is said again for chunks that an older release parsed.
"""

import hashlib
from functools import cache
from pathlib import Path

from rag_manager.stages.code_tokens import joined_tokens
from runtime import redaction
from runtime.redaction import redact, redact_lines

HEADER_WEIGHT = 3  # how often the header counts in BM25; measured in bench/results/retrieval.md


def lexical_text(header: str, text: str) -> str:
    """Return the tokens of header (three times) and text, blank-separated. Pure."""
    head = joined_tokens(redact(header))
    return " ".join([*[head] * HEADER_WEIGHT, joined_tokens(redact(text))])


def embedding_text(header: str, text: str) -> str:
    """Return what the model reads: the header's line, then the code. Pure."""
    return redact(f"{header}\n{text}" if header else text)


def shown_text(text: str) -> str:
    """Return what a passage shows: as many lines as its chunk has. Pure."""
    return redact_lines(text)


def text_hash(text: str) -> str:
    """Return the SHA-256 (hex) of a text to be embedded: the same hash under one model is the same vector. Pure."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def passage_recipe() -> str:
    """A digest of this file, of the redactor and of what cuts texts into tokens: where it differs, all is made anew."""
    code = [Path(__file__), Path(__file__).with_name("code_tokens.py"), Path(redaction.__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in code)).hexdigest()
