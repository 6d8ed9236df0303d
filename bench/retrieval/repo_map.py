"""A map of the repository by references, as aider 5dc9490 ranks it (`aider/repomap.py`), over our parser's names.

Files are the nodes; a name that one file uses and another defines is an edge, heavier where the question writes it. A
random walk begins at files whose name the question writes, and its weight goes on to the definitions. The files that
aider lists first because of their name alone (readme, build files) are left out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from bench.retrieval.cuts import DEFINITIONS, File, Place

_DAMPING = 0.85
_ROUNDS, _EXACT = 100, 1e-6
_DEFINED = DEFINITIONS | {"constant", "macro"}
_USED = frozenset({"call", "inherit", "use"})
_WORD = re.compile(r"\w+")
_LONGEST_LINE = 100  # characters of one that are shown
_LONG_NAME, _OFTEN = 8, 5  # letters of a name that tells something; definitions of one that does not
_FEWEST_LETTERS = 5  # of a file's name that the question writes


class RepoMap:
    """The map of one tree. `files` are its sources with what the parser found in them."""

    def __init__(self, files: Sequence[File]) -> None:
        self._paths = sorted(source.path for source, _ in files)
        numbers = {path: number for number, path in enumerate(self._paths)}
        self._places: dict[tuple[int, str], list[Place]] = defaultdict(list)
        defined: dict[str, set[int]] = defaultdict(set)
        used: dict[str, Counter[int]] = defaultdict(Counter)
        for source, parsed in files:
            number = numbers[source.path]
            for row in (row for row in parsed.symbols if row["kind"] in _DEFINED):
                first, size = int(str(row["first_line"])), min(_LONGEST_LINE, len(str(row["signature"])) + 1)
                place = Place(source.path, first, int(str(row["last_line"])), size)
                self._places[number, str(row["name"])].append(place)
                defined[str(row["name"])].add(number)
            for edge in parsed.edges:
                if edge["kind"] in _USED and (words := _WORD.findall(str(edge["target"]))):
                    used[words[-1]][number] += 1
        self._names = sorted(defined)
        self._edges = _edges_of(self._names, defined, used)

    def ranked(self, question: str) -> list[Place]:
        """The definitions that a map for this question would show, best first; then files that have none."""
        words = set(_WORD.findall(question))
        source, target, name, weight = self._edges
        asked = np.array([written in words for written in self._names], dtype=bool)
        weight = weight * np.where(asked[name], 10.0, 1.0) if len(name) else weight
        ranks = _walk(len(self._paths), source, target, weight, self._begun(words, question))
        out = np.bincount(source, weight, minlength=len(self._paths))
        share = ranks[source] * weight / np.where(out[source] > 0, out[source], 1.0)
        shares: dict[tuple[int, str], float] = defaultdict(float)
        for file, named, value in zip(target.tolist(), name.tolist(), share.tolist(), strict=True):
            shares[file, self._names[named]] += value
        listed = [
            place
            for key, _ in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
            for place in self._places[key]
        ]
        shown = {place.path for place in listed}
        others = [file for file in np.argsort(-ranks, kind="stable").tolist() if self._paths[file] not in shown]
        return [*listed, *(Place(self._paths[file], 0, 0, len(self._paths[file]) + 1) for file in others)]

    def _begun(self, words: set[str], question: str) -> NDArray[np.float64]:
        """Where the walk begins: files that the question names, by path, name or a word of it."""
        lowered = {word.lower() for word in words if len(word) >= _FEWEST_LETTERS}
        written = {word.rstrip(",.!;:?").strip("\"'`*_") for word in question.split()}
        begun = np.zeros(len(self._paths))
        for number, path in enumerate(self._paths):
            at = PurePosixPath(path)
            told = at.stem.lower() in lowered or path in written or at.name in written
            parts = bool({*at.parts, at.name, at.stem} & words)
            begun[number] = float(told) + float(parts)
        return begun


def _edges_of(
    names: Sequence[str], defined: dict[str, set[int]], used: dict[str, Counter[int]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Who uses, who defines, the name's number, the weight."""
    rows: list[tuple[int, int, int, float]] = []
    for number, name in enumerate(names):
        definers = sorted(defined[name])
        if name not in used:
            rows += [(definer, definer, number, 0.1) for definer in definers]
            continue
        weight = _weight_of(name, len(definers))
        for user, count in used[name].items():
            times = float(count)
            for definer in definers:
                times **= 0.5  # once more for each definer, as there
                rows.append((user, definer, number, weight * times))
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    whole = [np.array(column, dtype=np.int64) for column in columns[:3]]
    return whole[0], whole[1], whole[2], np.array(columns[3], dtype=np.float64)


def _weight_of(name: str, definers: int) -> float:
    weight = 1.0
    letters = any(letter.isalpha() for letter in name)
    camel = any(letter.isupper() for letter in name) and any(letter.islower() for letter in name)
    if (("_" in name and letters) or camel) and len(name) >= _LONG_NAME:
        weight *= 10
    if name.startswith("_"):
        weight *= 0.1
    return weight * 0.1 if definers > _OFTEN else weight


def _walk(
    count: int,
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    weight: NDArray[np.float64],
    begun: Iterable[float],
) -> NDArray[np.float64]:
    """PageRank by weighted edges; where the walk can't go on it begins anew."""
    begin = np.asarray(begun, dtype=np.float64)
    begin = begin / begin.sum() if begin.sum() else np.full(count, 1 / max(1, count))
    out = np.bincount(source, weight, minlength=count)
    share = weight / np.where(out[source] > 0, out[source], 1.0)
    ranks = np.full(count, 1 / max(1, count))
    for _ in range(_ROUNDS):
        moved = np.bincount(target, ranks[source] * share, minlength=count)
        fresh = _DAMPING * (moved + ranks[out == 0].sum() * begin) + (1 - _DAMPING) * begin
        if np.abs(fresh - ranks).sum() < count * _EXACT:
            return fresh
        ranks = fresh
    return ranks
