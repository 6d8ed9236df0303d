"""Deal texts out to the calls of an embedder.

In:  the length of each text, in the order in which they are to be embedded.
Out: groups of their places, each within the bounds of one call.
"""

from collections.abc import Sequence


def pack_texts(lengths: Sequence[int], *, most: int, characters: int) -> list[list[int]]:
    """Return the places 0 … len(lengths) - 1 in order, cut into groups. Pure.

    A group has at most `most` texts with at most `characters` together; a text that is longer alone has its own.
    """
    groups: list[list[int]] = []
    held = 0
    for place, length in enumerate(lengths):
        if not groups or len(groups[-1]) >= most or held + length > characters:
            groups.append([])
            held = 0
        groups[-1].append(place)
        held += length
    return groups
