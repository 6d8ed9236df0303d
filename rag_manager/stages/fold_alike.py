"""Fold passages that say the same: what is shown twice tells nothing and takes the place of something else.

In:  the texts of passages, best first.
Out: those that stay, each with the later ones that are folded into it.
"""

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+|[^\w\s]")
_SHINGLE = 5  # words and signs
_LEAST = 12  # words and signs: of less only the very same is folded
_ALIKE = 0.8  # of the shingles of both
_HELD = 0.95  # of the shingles of the later one


def fold_alike(texts: Sequence[str]) -> dict[int, list[int]]:
    """Return place of what stays → places of what is folded into it, at most 50 texts in all. Pure.

    A text is folded into an earlier one that has four fifths of their shingles in common with it, or nearly all of
    its own: a copy with another name, an overload, lines of a passage that has more.
    """
    shingles = [_shingles(text) for text in texts]
    kept: dict[int, list[int]] = {}
    for place, own in enumerate(shingles):
        like = next((earlier for earlier in kept if _alike(shingles[earlier], own)), None)
        if like is None:
            kept[place] = []
        else:
            kept[like].append(place)
    return kept


def _alike(earlier: frozenset[tuple[str, ...]], own: frozenset[tuple[str, ...]]) -> bool:
    common = len(earlier & own)
    return common >= _HELD * len(own) or common >= _ALIKE * len(earlier | own)


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text)
    if len(words) < _LEAST:
        return frozenset([tuple(words)])
    return frozenset(tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))
