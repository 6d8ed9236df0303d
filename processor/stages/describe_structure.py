"""Say what a repository consists of.

In:  the rows of the `tree` artifact.
Out: facts: languages, classes, the folders to depth 3, the largest files, what was left out and why.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from events.artifacts import TreeRow
from processor.stages.fit import fit

_DEPTH = 3
_LANGUAGES = 60
_FOLDERS = 150
_LARGEST = 25
_TYPES = 40


@dataclass
class _Size:
    files: int = 0
    bytes: int = 0
    lines: int = 0

    def add(self, row: TreeRow) -> None:
        self.files += 1
        self.bytes += row.size
        self.lines += row.lines

    def facts(self) -> dict[str, object]:
        return {"files": self.files, "bytes": self.bytes, "lines": self.lines}


@dataclass
class _Folder:
    size: _Size = field(default_factory=_Size)
    skipped: int = 0


class _Largest:
    """The rows of the largest sizes, of which a few more than are wanted are held."""

    def __init__(self) -> None:
        self._rows: list[TreeRow] = []

    def add(self, row: TreeRow) -> None:
        self._rows.append(row)
        if len(self._rows) > 10 * _LARGEST:
            self._rows = self._first()

    def _first(self) -> list[TreeRow]:
        return sorted(self._rows, key=lambda row: (-row.size, row.path))[:_LARGEST]

    def facts(self) -> list[dict[str, object]]:
        return [
            {"path": row.path, "bytes": row.size, "lines": row.lines, "language": row.language, "skipped": row.skipped}
            for row in self._first()
        ]


@dataclass
class _Seen:
    """What the rows so far add up to."""

    entries: int = 0
    accepted: _Size = field(default_factory=_Size)
    languages: defaultdict[str, _Size] = field(default_factory=lambda: defaultdict(_Size))
    classes: defaultdict[str, _Size] = field(default_factory=lambda: defaultdict(_Size))
    skipped: Counter[str] = field(default_factory=Counter)
    folders: defaultdict[str, _Folder] = field(default_factory=lambda: defaultdict(_Folder))
    types: Counter[str] = field(default_factory=Counter)
    largest: _Largest = field(default_factory=_Largest)
    largest_skipped: _Largest = field(default_factory=_Largest)

    def add(self, row: TreeRow) -> None:
        self.entries += 1
        self.types[PurePosixPath(row.path.rpartition("/")[2]).suffix.lower()[:20] or "(none)"] += 1
        for folder in self._folders_of(row.path):
            if row.skipped is None:
                folder.size.add(row)
            else:
                folder.skipped += 1
        if row.skipped is not None:
            self.skipped[row.skipped] += 1
            self.largest_skipped.add(row)
            return
        self.accepted.add(row)
        self.classes[row.file_class].add(row)
        self.largest.add(row)
        if row.is_counted:
            self.languages[row.language or "other"].add(row)

    def _folders_of(self, path: str) -> list[_Folder]:
        parts = path.split("/")[:-1]
        return [self.folders["/".join(parts[:depth])] for depth in range(1, min(len(parts), _DEPTH) + 1)]


def describe_structure(rows: Iterable[TreeRow]) -> dict[str, object]:
    """The facts, small enough for an event; each row is looked at once.

    `languages` are bytes of accepted text by language, most first.
    """
    seen = _Seen()
    for row in rows:
        seen.add(row)
    languages, folders = _sizes(seen.languages), _folders(seen.folders)
    facts: dict[str, object] = {
        "entries": seen.entries,
        **seen.accepted.facts(),
        "languages": {name: size.bytes for name, size in languages[:_LANGUAGES]},
        "language_sizes": [{"name": name, **size.facts()} for name, size in languages],
        "classes": {name: size.facts() for name, size in _sizes(seen.classes)},
        "skipped": dict(seen.skipped.most_common()),
        "folders": folders[:_FOLDERS],
        "file_types": _types(seen.types),
        "largest_files": seen.largest.facts(),
        "largest_skipped": seen.largest_skipped.facts(),
    }
    if len(folders) > _FOLDERS:
        facts["folders_not_shown"] = len(folders) - _FOLDERS
    return fit(facts)


def _sizes(named: Mapping[str, _Size]) -> list[tuple[str, _Size]]:
    """Sizes by name, by bytes and then by name."""
    return sorted(named.items(), key=lambda item: (-item[1].bytes, item[0]))


def _folders(folders: Mapping[str, _Folder]) -> list[dict[str, object]]:
    """Folders to depth 3 with what is in them at any depth: the upper ones first, the larger ones of a level first."""
    ranked = sorted(folders.items(), key=lambda item: (item[0].count("/"), -item[1].size.bytes, item[0]))
    return [{"path": path, **folder.size.facts(), "skipped": folder.skipped} for path, folder in ranked]


def _types(counted: Mapping[str, int]) -> list[dict[str, object]]:
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [{"suffix": suffix, "files": files} for suffix, files in ranked[:_TYPES]]
