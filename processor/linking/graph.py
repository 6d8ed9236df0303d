"""The graph of files, and what is measured of each. Pure."""

from array import array
from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from events.artifacts import ConnectionRow
from processor.linking.files import Files
from runtime.parquet import schema_of

_TOP_FILES = 50
_TOP_FOLDERS = 200
_MOST_NEW = 10_000  # pairs that are counted one by one

Numbers = NDArray[np.int64]


class _Pairs:
    """How often one number leads to another. Sixteen bytes for each pair, where what leads somewhere comes together."""

    def __init__(self) -> None:
        self._new: Counter[int] = Counter()
        self._keys, self._counts = array("q"), array("q")

    def add(self, source: int, target: int) -> None:
        """Once more."""
        self._new[source << 32 | target] += 1
        if len(self._new) > _MOST_NEW:
            self._keep()

    def _keep(self) -> None:
        self._keys.extend(self._new.keys())
        self._counts.extend(self._new.values())
        self._new.clear()

    def counted(self) -> tuple[Numbers, Numbers, Numbers]:
        """Sources, targets and how often, each pair once."""
        self._keep()
        return _added(np.array(self._keys, np.int64), np.array(self._counts, np.int64))


def _added(keys: Numbers, counts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """The two halves of each key once, and the sum of its counts."""
    unique, places = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(unique), np.int64)
    np.add.at(sums, places, counts)
    return unique >> 32, unique & 0xFFFFFFFF, sums


class FileGraph:
    """Which files import and call which: the edges between files, counted."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._imports, self._calls = _Pairs(), _Pairs()

    def imported(self, file: int, target: int) -> None:
        """One file imports another; -1 is none."""
        if file != target and target >= 0:
            self._imports.add(file, target)

    def called(self, file: int, target: int) -> None:
        """One file calls another."""
        if file != target:
            self._calls.add(file, target)

    def counted(self) -> Numbers:
        """Of each file: those it imports, those that import it, that it calls, that call it. Shape (files, 4)."""
        ends = [end for pairs in (self._imports, self._calls) for end in pairs.counted()[:2]]
        return np.stack([np.bincount(end, minlength=len(self._files.paths)) for end in ends], axis=1)

    def most_connected(self) -> list[dict[str, object]]:
        """The files that most others lead to or are led to from."""
        keys = [source << 32 | target for source, target, _ in (self._imports.counted(), self._calls.counted())]
        both, size = np.union1d(*keys), len(self._files.paths)
        neighbours = np.bincount(both >> 32, minlength=size) + np.bincount(both & 0xFFFFFFFF, minlength=size)
        counted = self.counted()
        connected = np.flatnonzero(neighbours).tolist()
        chosen = sorted(connected, key=lambda n: (-neighbours[n], self._files.paths[n]))[:_TOP_FILES]
        names = ("imports", "imported_by", "calls", "called_by")
        return [
            {
                "path": self._files.paths[n],
                "files": int(neighbours[n]),
                **dict(zip(names, counted[n].tolist(), strict=True)),
            }
            for n in chosen
        ]

    def folders(self) -> list[dict[str, object]]:
        """The map of modules: how many edges lead from one folder to another, most first."""
        names = list(self._files.in_folder)
        number = {name: n for n, name in enumerate(names)}
        of = np.array([number[folder] for folder in self._files.folders], np.int64)
        sources, targets, counts = (np.concatenate(both) for both in zip(*self._all(), strict=True))
        sources, targets = of[sources], of[targets]
        between = sources != targets
        pairs = _added((sources << 32 | targets)[between], counts[between])
        edges = zip(*(each.tolist() for each in pairs), strict=True)
        ordered = sorted(edges, key=lambda edge: (-edge[2], names[edge[0]], names[edge[1]]))[:_TOP_FOLDERS]
        return [{"source": names[source], "target": names[target], "edges": count} for source, target, count in ordered]

    def _all(self) -> list[tuple[Numbers, Numbers, Numbers]]:
        return [self._imports.counted(), self._calls.counted()]


class FileMeasures:
    """Functions, their complexity and their lines, of each file."""

    def __init__(self, files: int) -> None:
        none = bytes(8 * files)
        self._functions, self._complexity, self._largest, self._lines = (array("q", none) for _ in range(4))

    def add(self, file: int, complexity: int, lines: int) -> None:
        """One function."""
        self._functions[file] += 1
        self._complexity[file] += complexity
        self._largest[file] = max(self._largest[file], complexity)
        self._lines[file] += lines

    def table(self, files: Files, graph: FileGraph) -> pa.Table:
        """A row for each file that has functions or connections, by path."""
        ends = graph.counted()
        there = np.flatnonzero(np.array(self._functions) + ends.sum(axis=1)).tolist()
        chosen = sorted(there, key=files.paths.__getitem__)
        columns = {
            "path": [files.paths[n] for n in chosen],
            "imports": ends[chosen, 0],
            "imported_by": ends[chosen, 1],
            "calls": ends[chosen, 2],
            "called_by": ends[chosen, 3],
            "functions": [self._functions[n] for n in chosen],
            "complexity": [self._complexity[n] for n in chosen],
            "most_complex": [self._largest[n] for n in chosen],
            "function_lines": [self._lines[n] for n in chosen],
        }
        return pa.table(columns, schema=schema_of(ConnectionRow))
