"""Which words a question's words meet: those that are the same, and those of which one begins with the other.

In:  the question's words, and from how many letters on a beginning counts.
Out: what tells of any word whether it is met; asked of a thousand names, it looks at each word once.
"""

from collections.abc import Collection


class MetWords:
    """The words that are met: `word in met`. "authorization" and `auth` meet from four letters on."""

    def __init__(self, tokens: Collection[str], prefix: int) -> None:
        self._tokens = frozenset(tokens)
        self._prefix = prefix
        self._begun = {token[:end] for token in self._tokens for end in range(prefix, len(token))}
        self._known: dict[str, bool] = {}

    def __contains__(self, word: str) -> bool:
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = self._is_met(word)
        return found

    def _is_met(self, word: str) -> bool:
        if word in self._tokens or word in self._begun:
            return True
        return any(word[:end] in self._tokens for end in range(self._prefix, len(word)))
