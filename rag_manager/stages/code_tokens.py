"""Cut text into the words that code and questions about code have in common.

In:  any text: source code, a path, a question.
Out: lower-case tokens; an identifier gives its parts, stemmed, and itself.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from py_rust_stemmers import SnowballStemmer

MAX_TOKEN = 64  # characters: longer "words" are data, and nobody asks for them

_WORD = re.compile(r"\w+")
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_STEMMER = SnowballStemmer("english")

STOP_WORDS = frozenset(
    """a about all also am an and any are as at be because been being both but by can could did do does doing done
    each either etc every few for from further get gets got had has have having he her here hers him his how i if in
    into is it its itself just let like may me might more most must my no nor not now of off on once one only or other
    our out over own per shall she should so some such than that the their them then there these they this those
    through to too under until up upon us use used uses using very via was way we were what when where whether which
    while who whom whose why will with within without would you your""".split()  # noqa: SIM905  # one word a line would be two pages
)


def code_tokens(text: str) -> list[str]:
    """Return the tokens of `text` in order, repeats kept: `getHTTPUrl` → get http url gethttpurl. Pure."""
    return [token for word in _WORD.findall(text) for token in _expand(word)]


def joined_tokens(text: str) -> str:
    """Return the same tokens as one line with blanks between: what a whitespace analyzer cuts again. Pure."""
    return " ".join(filter(None, map(_expand_joined, _WORD.findall(text))))


def identifiers(text: str) -> Iterator[str]:
    """Yield the words of `text` that look like names in code: inner capitals, underscores or digits."""
    for word in _WORD.findall(text):
        if len(word) > 2 and ("_" in word.strip("_") or re.search(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d", word)):
            yield word


@lru_cache(maxsize=100_000)
def _expand_joined(word: str) -> str:
    return " ".join(_expand(word))


@lru_cache(maxsize=20_000)
def _expand(word: str) -> tuple[str, ...]:
    if len(word) > MAX_TOKEN:
        return ()
    found = _PARTS.findall(word) if word.isascii() else filter(None, word.split("_"))
    parts = [part.lower() for part in found]
    tokens = [stem(part) for part in parts if part not in STOP_WORDS and (len(part) > 1 or len(parts) == 1)]
    if len(parts) > 1:
        tokens.append(word.strip("_").lower())
    return tuple(tokens)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the English stem of a lower-case word. Pure."""
    return str(_STEMMER.stem_word(word)) if len(word) > 2 else word
