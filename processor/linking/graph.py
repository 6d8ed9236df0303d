"""The graph of files, and what is measured of each. Pure."""

from collections import Counter

import pyarrow as pa

from events.artifacts import ConnectionRow
from processor.linking.files import Files
from runtime.parquet import schema_of

_TOP_FILES = 50
_TOP_FOLDERS = 200


class FileGraph:
    """Which files import and call which: the edges between files, counted."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._imports: Counter[tuple[int, int]] = Counter()
        self._calls: Counter[tuple[int, int]] = Counter()

    def imported(self, file: int, target: int) -> None:
        """One file imports another; -1 is none."""
        if file != target and target >= 0:
            self._imports[file, target] += 1

    def called(self, file: int, target: int) -> None:
        """One file calls another."""
        if file != target:
            self._calls[file, target] += 1

    def counted(self) -> dict[int, tuple[int, int, int, int]]:
        """Of each connected file: files it imports, files that import it, files it calls, files that call it."""
        ends: dict[int, list[int]] = {}
        for place, edges in ((0, self._imports), (2, self._calls)):
            for source, target in edges:
                ends.setdefault(source, [0, 0, 0, 0])[place] += 1
                ends.setdefault(target, [0, 0, 0, 0])[place + 1] += 1
        return {file: (each[0], each[1], each[2], each[3]) for file, each in ends.items()}

    def most_connected(self) -> list[dict[str, object]]:
        """The files that most others lead to or are led to from."""
        neighbours: Counter[int] = Counter()
        for source, target in self._imports.keys() | self._calls.keys():
            neighbours[source] += 1
            neighbours[target] += 1
        counted = self.counted()
        chosen = sorted(neighbours, key=lambda n: (-neighbours[n], self._files.paths[n]))[:_TOP_FILES]
        keys = ("imports", "imported_by", "calls", "called_by")
        return [
            {"path": self._files.paths[n], "files": neighbours[n], **dict(zip(keys, counted[n], strict=True))}
            for n in chosen
        ]

    def folders(self) -> list[dict[str, object]]:
        """The map of modules: how many edges lead from one folder to another, most first."""
        between: Counter[tuple[str, str]] = Counter()
        folders = self._files.folders
        for edges in (self._imports, self._calls):
            for (source, target), count in edges.items():
                if folders[source] != folders[target]:
                    between[folders[source], folders[target]] += count
        ordered = sorted(between.items(), key=lambda item: (-item[1], item[0]))[:_TOP_FOLDERS]
        return [{"source": source, "target": target, "edges": count} for (source, target), count in ordered]


class FileMeasures:
    """Functions, their complexity and their lines, of each file."""

    def __init__(self, files: int) -> None:
        self._functions, self._complexity, self._largest, self._lines = ([0] * files for _ in range(4))

    def add(self, file: int, complexity: int, lines: int) -> None:
        """One function."""
        self._functions[file] += 1
        self._complexity[file] += complexity
        self._largest[file] = max(self._largest[file], complexity)
        self._lines[file] += lines

    def table(self, files: Files, graph: FileGraph) -> pa.Table:
        """A row for each file that has functions or connections, by path."""
        counted = graph.counted()
        measured = {n for n, count in enumerate(self._functions) if count}
        chosen = sorted(measured | set(counted), key=files.paths.__getitem__)
        none = (0, 0, 0, 0)
        ends = [counted.get(n, none) for n in chosen]
        columns = {
            "path": [files.paths[n] for n in chosen],
            "imports": [each[0] for each in ends],
            "imported_by": [each[1] for each in ends],
            "calls": [each[2] for each in ends],
            "called_by": [each[3] for each in ends],
            "functions": [self._functions[n] for n in chosen],
            "complexity": [self._complexity[n] for n in chosen],
            "most_complex": [self._largest[n] for n in chosen],
            "function_lines": [self._lines[n] for n in chosen],
        }
        return pa.table(columns, schema=schema_of(ConnectionRow))
