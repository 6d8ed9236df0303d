"""Choose chunks inside the files that were ranked: the second step of ranking.

In:  ranked files and the plain fused scores of chunks.
Out: chunks, in the order in which they are shown.
"""

from collections.abc import Mapping, Sequence

from rag_manager.stages.catalogue import Catalogue

QUOTAS = (3, 2, 2)  # chunks of the first, second and third file; later files give one


def pick_passages(
    files: Sequence[tuple[int, float]], scores: Mapping[int, float], catalogue: Catalogue, *, limit: int
) -> list[tuple[int, float]]:
    """Return at most `limit` (chunk, score of its file), files in order, the best chunks of each first. Pure.

    Inside a file only the fused score counts: what helps to find a file misleads about the place in it. Places left
    over because there are too few files go to the next best chunks of the same files.
    """
    candidates: dict[int, list[int]] = {}
    for chunk in sorted(scores, key=lambda chunk: (-scores[chunk], chunk)):
        candidates.setdefault(catalogue.files[chunk], []).append(chunk)
    kept = [file for file, _ in files[:limit]]
    quotas = _quotas([len(candidates.get(file, ())) for file in kept], limit)
    file_scores = dict(files)
    return [
        (chunk, file_scores[file])
        for file, quota in zip(kept, quotas, strict=True)
        for chunk in candidates.get(file, ())[:quota]
    ]


def _quotas(available: Sequence[int], limit: int) -> list[int]:
    wanted = [min(count, QUOTAS[place] if place < len(QUOTAS) else 1) for place, count in enumerate(available)]
    for place in range(len(wanted)):
        wanted[place] = min(wanted[place], max(0, limit - sum(wanted[:place])))
    left = limit - sum(wanted)
    for place, count in enumerate(available):
        more = min(left, count - wanted[place])
        wanted[place] += more
        left -= more
    return wanted
