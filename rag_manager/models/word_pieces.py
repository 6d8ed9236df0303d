"""A text as the numbers of its word pieces, exactly as the tokenizer has them, each word cut once.

In plain text (printable ASCII and line ends) a BERT tokenizer cuts every word for itself, and code says the same words
over and over: what a word is cut into is kept. Any other text, and one with a longer word than anybody writes, is
given to the tokenizer whole.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from tokenizers import Tokenizer

MOST_KEPT = 50_000  # words, some 12 MB, at worst 70: then all are let go, and those of the next texts are kept anew
LONGEST = 40  # letters of a word that is kept
_PLAIN = re.compile(r"[\t\n\r -~]*")
_WORD = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")  # a sign is a word of its own, blanks are none

Words = dict[str, Sequence[int]]


class WordPieces:
    """A BERT tokenizer that remembers words. For any number of threads at once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Of a text as many pieces count as of the tokenizer's own."""
        self._tokenizer = tokenizer
        self._most: int | None = (tokenizer.truncation or {}).get("max_length")
        self._kept: Words = {}
        added = (token.content for token in tokenizer.get_added_tokens_decoder().values())
        self._added = re.compile("|".join(map(re.escape, added)))  # `[MASK]` in a text is one piece

    def numbers(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Return the numbers of each text's pieces, without those that mark its ends."""
        words = [self._words(text) for text in texts]
        kept = self._keep(chain.from_iterable(found for found in words if found is not None))
        others = iter(self._cut([text for text, found in zip(texts, words, strict=True) if found is None]))
        return [
            next(others) if found is None else list(chain.from_iterable(map(kept.__getitem__, found)))[: self._most]
            for found in words
        ]

    def _words(self, text: str) -> list[str] | None:
        """The words of a plain text; None of any other, in which they do not stand for themselves."""
        if _PLAIN.fullmatch(text) is None or self._added.search(text) is not None:
            return None
        found = _WORD.findall(text.lower())
        return found if max(map(len, found), default=0) <= LONGEST else None

    def _keep(self, words: Iterable[str]) -> Words:
        """What is kept, with all of these: this thread's own, where another one begins anew meanwhile."""
        if len(self._kept) > MOST_KEPT:
            self._kept = {}
        kept = self._kept
        fresh = [word for word in set(words) if word not in kept]
        kept.update(zip(fresh, map(tuple, self._cut(fresh)), strict=True))
        return kept

    def _cut(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
