"""Order chunks by themselves, whatever file they are in: for questions that describe a place.

In:  ranked files and the scores of chunks.
Out: chunks, in the order in which they are shown.
"""

from collections.abc import Mapping, Sequence

from rag_manager.stages.catalogue import Catalogue

PER_FILE = 3  # chunks of one file among those that are shown


def order_passages(
    files: Sequence[tuple[int, float]], scores: Mapping[int, float], catalogue: Catalogue, *, limit: int
) -> list[tuple[int, float]]:
    """Return at most `limit` (chunk, score of its file times its own), best first, few of each file. Pure.

    Places left over because there are too few files go to the next best chunks.
    """
    of_files = dict(files)
    weighed = [
        (chunk, of_files[catalogue.files[chunk]] * score)
        for chunk, score in scores.items()
        if catalogue.files[chunk] in of_files
    ]
    first: list[tuple[int, float]] = []
    later: list[tuple[int, float]] = []
    shown: dict[int, int] = {}
    for chunk, score in sorted(weighed, key=lambda item: (-item[1], item[0])):
        file = catalogue.files[chunk]
        shown[file] = shown.get(file, 0) + 1
        (first if shown[file] <= PER_FILE else later).append((chunk, score))
    return [*first, *later][:limit]
