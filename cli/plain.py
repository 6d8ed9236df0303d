"""Text as a terminal may show it. Pure."""

import unicodedata


def visible(text: str) -> str:
    """`text` without control characters (which move, colour or rename a terminal) and without marks that reorder it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t\u200d" or unicodedata.category(c) not in {"Cf", "Cc"})


def one_line(path: str) -> str:
    """A path as a list has it, on one line and unlike any other: Git allows any sign in a name but NUL.

    What `visible` leaves out, or breaks a line, is spelled as an escape.
    """
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(_spelled(sign) for sign in path)


def _spelled(sign: str) -> str:
    is_plain = sign == "\u200d" or unicodedata.category(sign) not in {"Cf", "Cc", "Zl", "Zp"}
    return sign if is_plain and sign != "\\" else sign.encode("unicode_escape").decode("ascii")
