"""Python's imports, as its import system finds modules: by packages, from the folders that are on its path. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from posixpath import dirname

from processor.linking.files import Files
from processor.linking.levels import EXACT, INFERRED, NAMED
from processor.linking.meanings import UNKNOWN, Imported, Known, Meaning, a_file
from processor.linking.standard import PYTHON

_NAMED_OTHERWISE = {  # module → distribution
    "yaml": "pyyaml",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "attr": "attrs",
    "OpenSSL": "pyopenssl",
    "jwt": "pyjwt",
    "git": "gitpython",
    "google": "protobuf",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
_TESTS = frozenset(("test", "tests"))


class PythonModules:
    """Modules by their dotted names, each below the folder that has to be on Python's path for it."""

    def __init__(self, files: Files, known: Known) -> None:
        self._files = files
        self._known = known
        self._modules: dict[str, list[int]] = defaultdict(list)
        self._by_path: dict[str, int] = {}
        self.names: dict[int, tuple[str, str]] = {}  # file → its root folder, and its dotted name below that
        packages = {files.folders[n] for n, path in enumerate(files.paths) if path.endswith("__init__.py")}
        packages |= {files.folders[n] for n, path in enumerate(files.paths) if path.endswith("__init__.pyi")}
        for number, path in enumerate(files.paths):
            if files.languages[number] == "python" and path.endswith((".py", ".pyi")):
                self._add(number, path, packages)
        self.tops = {name.partition(".")[0] for name in self._modules}

    def _add(self, number: int, path: str, packages: set[str]) -> None:
        root = self._files.folders[number]
        while root in packages and root:
            root = dirname(root)
        below = path[len(root) + 1 if root else 0 :]
        name = _dotted(below)
        if not name and root in packages:
            return
        if path.endswith(".py") or not self._modules.get(name):
            self._modules[name].append(number)
        self._by_path.setdefault(_dotted(path), number)
        self.names[number] = (root, name)

    def resolve(self, imported: Imported) -> Meaning:
        """What an import means; of `from a import b` the module `a.b` where there is one, else `a`."""
        if imported.level:
            return self._relative(imported)
        module = imported.module
        whole = self._find(f"{module}.{imported.name}", imported.file) if imported.name not in {"", "*"} else None
        hit = self._find(module, imported.file)
        if hit is not None and whole is not None and self._is_package(hit.file):
            return whole
        if hit is not None:
            return hit
        if whole is not None:
            return whole
        return self._outside(module.partition(".")[0])

    def module(self, dotted: str, near: int) -> int | None:
        """The file of a module, as one file sees it."""
        hit = self._find(dotted, near)
        return hit.file if hit is not None else None

    def submodule(self, file: int, name: str) -> int | None:
        """The module `name` of the package whose `__init__` a file is."""
        if not self._is_package(file):
            return None
        folder = self._files.folders[file]
        prefix = f"{folder}/{name}" if folder else name
        return self._files.at(f"{prefix}.py", f"{prefix}/__init__.py", f"{prefix}.pyi", f"{prefix}/__init__.pyi")

    def _is_package(self, file: int) -> bool:
        return file >= 0 and self._files.paths[file].rpartition("/")[2] in {"__init__.py", "__init__.pyi"}

    def _relative(self, imported: Imported) -> Meaning:
        folder = self._files.folders[imported.file]
        for _ in range(imported.level - 1):
            if not folder:
                return UNKNOWN
            folder = dirname(folder)
        parts = [part for part in (folder, *imported.module.split(".")) if part]
        base = "/".join(parts)
        for path in ([f"{base}/{imported.name}".lstrip("/")] if imported.name not in {"", "*"} else []) + [base]:
            hit = self._files.at(f"{path}/__init__.py".lstrip("/"), f"{path}.py", f"{path}.pyi", f"{path}/__init__.pyi")
            if hit is not None:
                return a_file(self._files, hit)
        return UNKNOWN

    def _find(self, module: str, near: int) -> Meaning | None:
        named = self._modules.get(module, ())
        root = self.names.get(near, ("", ""))[0]
        same = [n for n in named if self.names[n][0] == root]
        if same:
            return a_file(self._files, same[0])
        if module.partition(".")[0] in PYTHON:
            return None
        if named and self._is_of_tests(named) and self._outside(module.partition(".")[0]).what == "dependency":
            return None
        if named:
            ranked = sorted(named, key=lambda n: (self.names[n][0].count("/"), len(self.names[n][0]), n))
            sure = len({self.names[n][0] for n in named}) == 1
            return a_file(self._files, ranked[0], EXACT if sure else NAMED)
        by_path = self._by_path.get(module)
        return a_file(self._files, by_path, INFERRED) if by_path is not None else None

    def _is_of_tests(self, named: Sequence[int]) -> bool:
        """Whether these are found from folders of tests alone: packages there may be called as what they test."""
        return all(not _TESTS.isdisjoint(self.names[n][0].split("/")) for n in named)

    def _outside(self, top: str) -> Meaning:
        if top in PYTHON:
            return Meaning("standard", top, confidence=EXACT)
        for name in (_NAMED_OTHERWISE.get(top, top), top, top.replace("_", "-")):
            if self._known.has("python", name):
                return Meaning("dependency", name, confidence=EXACT)
        return Meaning("unknown", top)


def _dotted(path: str) -> str:
    name = path.removesuffix(".pyi").removesuffix(".py")
    return name.removesuffix("__init__").rstrip("/").replace("/", ".")
