"""What imports mean in languages that only say a path or the name of a module. Pure; one function a language.

Elixir's modules are found by their definitions, Swift's by the targets of `Package.swift`, Dart's by the packages of
`pubspec.yaml`; those of Lua, the shell, CSS and HTML by their paths.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from processor.linking.files import Files
from processor.linking.levels import EXACT, INFERRED
from processor.linking.meanings import UNKNOWN, Imported, Known, Meaning, Resolve, SwiftTarget, a_file, found
from processor.linking.standard import ELIXIR, LUA, SWIFT
from processor.linking.symbols import Symbols

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
# What a shell puts together before it reads a file: what follows the last of it is a path.
_COMPUTED = re.compile(r".*(?:\)|\}|`|\$\w{1,100})\"?/(?P<path>[^$`\"']{1,500})", re.DOTALL)
_MOST_ALIKE = 100  # targets, or packages, of one name
_LUA_FOLDERS = ("", "src/", "lib/", "lua/")


class PlainModules:
    """The rules of these languages, by the name of each."""

    def __init__(self, files: Files, known: Known, symbols: Symbols) -> None:
        self._files = files
        self._known = known
        self._symbols = symbols
        self._folders: set[str] | None = None
        self._targets: dict[str, list[SwiftTarget]] | None = None
        self.rules: dict[str, Resolve] = {
            "elixir": self._elixir,
            "swift": self._swift,
            "dart": self._dart,
            "lua": self._lua,
            "shell": self._shell,
            "css": self._page,
            "html": self._page,
        }

    def _elixir(self, imported: Imported) -> Meaning:
        module, files = imported.module, self._files
        held = {self._symbols.file[number] for number in self._symbols.modules(module)}
        nearest = files.nearest(held, imported.file) if held else []
        if len(nearest) == 1:
            return a_file(files, nearest[0], EXACT if len(held) == 1 else INFERRED)
        top = module.partition(".")[0]
        if held or top in ELIXIR:
            return UNKNOWN._replace(target=module) if held else Meaning("standard", module, confidence=EXACT)
        parts = module.split(".")
        for depth in range(min(len(parts), 4), 0, -1):  # `Phoenix.LiveView` is of phoenix_live_view
            package = "_".join(_CAMEL.sub("_", part).lower() for part in parts[:depth])
            if self._known.has("elixir", package):
                return Meaning("dependency", package, confidence=INFERRED)
        return Meaning("unknown", module)

    def _swift(self, imported: Imported) -> Meaning:
        module = imported.module.partition(".")[0]
        here = self._targets_of(module)
        nearest = {one.folder for one in here if self._is_near(one.package, imported.file)} or {
            one.folder for one in here
        }
        if len(nearest) == 1:
            return Meaning("folder", nearest.pop(), confidence=EXACT if len(here) == 1 else INFERRED)
        if here:
            return Meaning("unknown", module)
        if module in SWIFT:
            return Meaning("standard", module, confidence=EXACT)
        package = self._known.swift_products.get(module, module)
        if self._known.has("swift", package):
            return Meaning("dependency", package.lower(), confidence=EXACT if package != module else INFERRED)
        return Meaning("unknown", module)

    def _targets_of(self, module: str) -> list[SwiftTarget]:
        """The targets of that name whose folders are there; of hostile manifests no more than some."""
        if self._targets is None:
            self._targets = defaultdict(list)
            for one in dict.fromkeys(self._known.swift_targets):
                if one.folder in self._all_folders() and len(self._targets[one.name]) < _MOST_ALIKE:
                    self._targets[one.name].append(one)
        return self._targets.get(module, [])

    def _is_near(self, package: str, file: int) -> bool:
        return not package or f"{self._files.folders[file]}/".startswith(f"{package}/")

    def _all_folders(self) -> set[str]:
        """The folders that have files, and those around them."""
        if self._folders is None:
            self._folders = set()
            for folder in self._files.in_folder:
                around = folder
                while around and around not in self._folders:
                    self._folders.add(around)
                    around = around.rpartition("/")[0]
        return self._folders

    def _dart(self, imported: Imported) -> Meaning:
        files, module = self._files, imported.module
        if module.startswith("dart:"):
            return Meaning("standard", module, confidence=EXACT)
        if not module.startswith("package:"):
            return self._beside(imported, module)
        package, _, path = module.removeprefix("package:").partition("/")
        folders = self._known.dart_packages.get(package, ())[:_MOST_ALIKE]
        hits = [hit for folder in folders if (hit := files.at(f"{folder}/lib/{path}".lstrip("/"))) is not None]
        if hits:
            return a_file(files, files.nearest(hits, imported.file)[0], EXACT if len(hits) == 1 else INFERRED)
        if self._known.has("dart", package) and not folders:
            return Meaning("dependency", package, confidence=EXACT)
        return Meaning("unknown", module)

    def _lua(self, imported: Imported) -> Meaning:
        files, module = self._files, imported.module
        if module.endswith(".lua"):  # `dofile`
            hit = files.at(files.beside(imported.file, module), module)
            return a_file(files, hit, INFERRED) if hit is not None else Meaning("unknown", module)
        path = module.replace(".", "/")
        here = f"{files.folders[imported.file]}/".lstrip("/")
        places = dict.fromkeys((*_LUA_FOLDERS, here))
        hit = files.at(*(f"{place}{path}{end}" for place in places for end in (".lua", "/init.lua")))
        if hit is not None:
            return a_file(files, hit, INFERRED)
        if "/" in path:  # one word alone may be anything
            for end in (".lua", "/init.lua"):
                if (by_end := found(files, files.ending(f"{path}{end}", imported.file))) is not None:
                    return by_end
        if module in LUA:
            return Meaning("standard", module, confidence=EXACT)
        return Meaning("unknown", module)

    def _shell(self, imported: Imported) -> Meaning:
        files, module = self._files, imported.module
        computed = _COMPUTED.fullmatch(module)
        path = computed["path"] if computed is not None else module
        if "$" in path or path.startswith(("/", "~")):
            return Meaning("unknown", module)
        hit = files.at(*filter(None, (files.beside(imported.file, path), path.removeprefix("./"))))
        if hit is not None:
            return a_file(files, hit, INFERRED)
        if computed is not None and (by_end := files.ending(path, imported.file)) is not None and by_end[1]:
            return a_file(files, by_end[0], INFERRED)
        return Meaning("unknown", module)

    def _page(self, imported: Imported) -> Meaning:
        path = re.split(r"[?#]", imported.module, maxsplit=1)[0]
        if not path or _ELSEWHERE.match(path):
            return Meaning("unknown", imported.module)
        return self._beside(imported, path)

    def _beside(self, imported: Imported, path: str) -> Meaning:
        """A file by its path from this one, or, where that begins with a slash, from where the site begins."""
        files = self._files
        for candidate, confidence in self._candidates(imported.file, path):
            hit = files.at(candidate)
            if hit is not None:
                return a_file(files, hit, confidence)
        return Meaning("unknown", imported.module)

    def _candidates(self, file: int, path: str) -> Iterator[tuple[str, float]]:
        if not path.startswith("/"):
            yield self._files.beside(file, path), EXACT
            return
        folder = self._files.folders[file]
        while folder:  # the site begins in one of the folders around the page
            yield f"{folder}{path}", INFERRED
            folder = folder.rpartition("/")[0]
        yield path.lstrip("/"), INFERRED
