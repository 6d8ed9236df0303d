"""Say what a repository consists of.

In:  the rows of the `tree` artifact.
Out: facts: languages, classes, the folders to depth 3, the largest files, what was left out and why.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
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


def describe_structure(rows: Sequence[TreeRow]) -> dict[str, object]:
    """The facts, small enough for an event. `languages` are bytes of accepted text by language, most first."""
    accepted = [row for row in rows if row.skipped is None]
    languages = _sizes((row.language or "other", row) for row in accepted if row.is_counted)
    folders = _folders(rows)
    facts: dict[str, object] = {
        "entries": len(rows),
        "files": len(accepted),
        "bytes": sum(row.size for row in accepted),
        "lines": sum(row.lines for row in accepted),
        "languages": {name: size.bytes for name, size in languages[:_LANGUAGES]},
        "language_sizes": [{"name": name, **size.facts()} for name, size in languages],
        "classes": {name: size.facts() for name, size in _sizes((row.file_class, row) for row in accepted)},
        "skipped": dict(Counter(row.skipped for row in rows if row.skipped is not None).most_common()),
        "folders": folders[:_FOLDERS],
        "file_types": _types(rows),
        "largest_files": _largest(accepted),
        "largest_skipped": _largest([row for row in rows if row.skipped is not None]),
    }
    if len(folders) > _FOLDERS:
        facts["folders_not_shown"] = len(folders) - _FOLDERS
    return fit(facts)


def _sizes(named: Iterable[tuple[str, TreeRow]]) -> list[tuple[str, _Size]]:
    """Sizes by name, by bytes and then by name."""
    sizes: defaultdict[str, _Size] = defaultdict(_Size)
    for name, row in named:
        sizes[name].add(row)
    return sorted(sizes.items(), key=lambda item: (-item[1].bytes, item[0]))


def _folders(rows: Iterable[TreeRow]) -> list[dict[str, object]]:
    """Folders to depth 3 with what is in them at any depth: the upper ones first, the larger ones of a level first."""
    folders: defaultdict[str, _Folder] = defaultdict(_Folder)
    for row in rows:
        parts = row.path.split("/")[:-1]
        for depth in range(1, min(len(parts), _DEPTH) + 1):
            folder = folders["/".join(parts[:depth])]
            if row.skipped is None:
                folder.size.add(row)
            else:
                folder.skipped += 1
    ranked = sorted(folders.items(), key=lambda item: (item[0].count("/"), -item[1].size.bytes, item[0]))
    return [{"path": path, **folder.size.facts(), "skipped": folder.skipped} for path, folder in ranked]


def _types(rows: Iterable[TreeRow]) -> list[dict[str, object]]:
    names = Counter(row.path.rpartition("/")[2] for row in rows)
    counted: Counter[str] = Counter()
    for name, files in names.items():
        counted[PurePosixPath(name).suffix.lower()[:20] or "(none)"] += files
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [{"suffix": suffix, "files": files} for suffix, files in ranked[:_TYPES]]


def _largest(rows: Iterable[TreeRow]) -> list[dict[str, object]]:
    ranked = sorted(rows, key=lambda row: (-row.size, row.path))[:_LARGEST]
    return [
        {"path": row.path, "bytes": row.size, "lines": row.lines, "language": row.language, "skipped": row.skipped}
        for row in ranked
    ]
