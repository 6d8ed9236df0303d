"""Text as a terminal may show it. Pure."""

import unicodedata


def visible(text: str) -> str:
    """`text` without control characters (which move, colour or rename a terminal) and without marks that reorder it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t\u200d" or unicodedata.category(c) not in {"Cf", "Cc"})
