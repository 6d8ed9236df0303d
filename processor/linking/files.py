"""The files of a repository by their paths and packages, and how a path that is written finds one. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from posixpath import dirname, normpath

_MOST = 200  # files of one name that are looked through


class Files:
    """Paths by number. `languages` stands beside `paths`.

    `places` has of each file what its definitions are seen in without an import: its folder, or the package that it
    says it is in, wherever its folder is.
    """

    def __init__(self, paths: Sequence[str], languages: Sequence[str | None]) -> None:
        self.paths = paths
        self.languages = languages
        self.number = {path: number for number, path in enumerate(paths)}
        folders: dict[str, str] = {}  # each once
        self.folders = [folders.setdefault(folder, folder) for folder in map(dirname, paths)]
        self.places = list(self.folders)
        self.packages: dict[str, list[int]] = {}  # files by the package that they say
        self.in_folder: dict[str, list[int]] = defaultdict(list)
        self._named: dict[str, list[int]] = defaultdict(list)
        for number, path in enumerate(paths):
            self.in_folder[self.folders[number]].append(number)
            self._named[path.rpartition("/")[2]].append(number)
        self._ends: dict[str, list[str]] = defaultdict(list)
        for folder in self.in_folder:
            self._ends[folder.rpartition("/")[2]].append(folder)

    def put_in(self, package: str, file: int) -> None:
        """Take in which package a file says it is in."""
        self.packages.setdefault(package, []).append(file)
        self.places[file] = place_of(package)

    def says_other(self, package: str, file: int) -> bool:
        """Whether a file says that it is in another package."""
        place = self.places[file]
        return place not in {self.folders[file], place_of(package)}

    def nearest(self, found: Iterable[int], near: int) -> list[int]:
        """Those of the files whose folders share most of the way with `near`."""
        shared = {file: _shared(f"{self.folders[file]}/", f"{self.folders[near]}/") for file in found}
        most = max(shared.values(), default=0)
        return [file for file, count in shared.items() if count == most]

    def at(self, *candidates: str) -> int | None:
        """The first of the paths that is there."""
        return next((self.number[path] for path in candidates if path in self.number), None)

    def beside(self, file: int, path: str) -> str:
        """A path that is written as relative to a file; empty where it leads out of the repository."""
        found = normpath(f"{self.folders[file]}/{path}" if self.folders[file] else path)
        return "" if found.startswith("..") else found.removeprefix("./")

    def ending(self, path: str, near: int) -> tuple[int, bool] | None:
        """The file whose path ends so, the one that shares most of the way with `near`; whether it is the only one."""
        named = self._named.get(path.rpartition("/")[2], ())
        found = [n for n in named[:_MOST] if self.paths[n] == path or self.paths[n].endswith(f"/{path}")]
        if not found:
            return None
        best = self._nearest([self.paths[n] for n in found], self.paths[near])
        return (self.number[best], len(found) == 1) if best else None

    def folder_ending(self, path: str, near: int) -> str | None:
        """The folder whose path ends so, the one that shares most of the way with `near`."""
        found = [one for one in self._ends.get(path.rpartition("/")[2], ())[:_MOST] if f"/{one}".endswith(f"/{path}")]
        return self._nearest(found, self.paths[near]) if found else None

    @staticmethod
    def _nearest(found: list[str], near: str) -> str | None:
        """None where two are equally near."""
        ranked = sorted((-_shared(path, near), path.count("/"), path) for path in found)
        if len(ranked) > 1 and ranked[0][:2] == ranked[1][:2]:
            return None
        return ranked[0][2]


def place_of(package: str) -> str:
    """What the definitions of a package are seen in: no folder is called so."""
    return f"package:{package}"


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
