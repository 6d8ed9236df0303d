"""What imports mean in languages other than Python. Pure; one function a language."""

from collections.abc import Callable
from posixpath import dirname, normpath

from processor.linking.files import Files
from processor.linking.jvm_packages import JvmPackages
from processor.linking.levels import EXACT, INFERRED
from processor.linking.meanings import UNKNOWN, Imported, Known, Meaning, Resolve, a_file, found
from processor.linking.plain_modules import PlainModules
from processor.linking.python_modules import PythonModules
from processor.linking.rust_modules import RustModules
from processor.linking.standard import C_FOLDERS, NODE, RUBY
from processor.linking.symbols import Symbols

_SCRIPTS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")
_WRITTEN_AS = {".js": (".ts", ".tsx", ".d.ts"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_HEADERS = (".h", ".hpp", ".hh", ".hxx")


class Modules:
    """Every import of a repository, by the language of the file that has it."""

    def __init__(self, files: Files, known: Known, symbols: Symbols) -> None:
        self._files = files
        self._known = known
        self._symbols = symbols
        self.python = PythonModules(files, known)
        self._by_language: dict[str, Resolve] = {
            "python": self.python.resolve,
            **dict.fromkeys(("javascript", "typescript", "tsx"), self._script),
            "go": self._go,
            "rust": RustModules(files, known).resolve,
            **dict.fromkeys(("java", "kotlin", "scala"), JvmPackages(files, known, symbols).resolve),
            **dict.fromkeys(("c", "cpp"), self._include),
            "csharp": symbols.namespaces.resolve,
            "ruby": self._ruby,
            "php": self._php,
            **PlainModules(files, known, symbols).rules,
        }

    def resolve(self, imported: Imported) -> Meaning:
        """What an import means; `unknown` where its language has no rule here."""
        rule: Callable[[Imported], Meaning] | None
        rule = self._by_language.get(self._files.languages[imported.file] or "")
        return rule(imported) if rule is not None else Meaning("unknown", imported.module)

    def _script(self, imported: Imported) -> Meaning:
        module, files = imported.module, self._files
        if module.startswith((".", "/")):
            path = files.beside(imported.file, module) if not module.startswith("/") else module.lstrip("/")
            hit = self._script_file(path)
            return a_file(files, hit) if hit is not None else UNKNOWN
        if (configured := self._configured(imported)) is not None:
            return a_file(files, configured)
        bare = module.removeprefix("node:")
        if module.startswith("node:") or bare.partition("/")[0] in NODE:
            return Meaning("standard", bare, confidence=EXACT)
        package = "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
        if package in self._known.packages:
            return self._own_package(package, module[len(package) :].strip("/"))
        if self._known.has("javascript", package):
            return Meaning("dependency", package, confidence=EXACT)
        return Meaning("unknown", package)

    def _configured(self, imported: Imported) -> int | None:
        """The file that TypeScript's nearest configuration gives to a name."""
        folder = self._files.folders[imported.file]
        while (said := self._known.script_paths.get(folder)) is None:
            if not folder:
                return None
            folder = dirname(folder)
        found = (self._script_file(path) for path in said.candidates(imported.module) if not path.startswith(".."))
        return next((file for file in found if file is not None), None)

    def _own_package(self, package: str, rest: str) -> Meaning:
        folder = self._known.packages[package]
        for inside in (rest, f"src/{rest}") if rest else ("src/index", "index", "src/main", "lib/index"):
            hit = self._script_file(normpath(f"{folder}/{inside}").lstrip("./"))
            if hit is not None:
                return a_file(self._files, hit, INFERRED)
        return Meaning("folder", folder, confidence=INFERRED)

    def _script_file(self, path: str) -> int | None:
        """A file as Node and TypeScript look for it: as written, with an ending, as the source of what is written."""
        stem, dot, ending = path.rpartition(".")
        sources = [f"{stem}{source}" for source in _WRITTEN_AS.get(f"{dot}{ending}", ())]
        candidates = (path, *sources, *(path + end for end in _SCRIPTS), *(f"{path}/index{end}" for end in _SCRIPTS))
        return self._files.at(*(one.lstrip("/") for one in candidates))

    def _go(self, imported: Imported) -> Meaning:
        path, files = imported.module, self._files
        for folder, module in self._known.go_modules.items():
            if path == module or path.startswith(f"{module}/"):
                inside = normpath(f"{folder}/{path[len(module) :]}").strip("/.")
                known = inside in files.in_folder
                return Meaning("folder", inside, confidence=EXACT) if known else Meaning("unknown", path)
        if "." not in path.partition("/")[0]:
            return Meaning("standard", path, confidence=EXACT)
        parts = path.split("/")
        for depth in range(len(parts), 2, -1):
            if self._known.has("go", "/".join(parts[:depth])):
                return Meaning("dependency", "/".join(parts[:depth]), confidence=EXACT)
        return Meaning("unknown", path)

    def _include(self, imported: Imported) -> Meaning:
        files, path = self._files, imported.module
        if imported.level:
            hit = files.at(files.beside(imported.file, path))
            if hit is not None:
                return a_file(files, hit)
        if by_end := found(files, files.ending(normpath(path), imported.file)):
            return by_end
        if "/" not in path and (not path.endswith(_HEADERS) or not imported.level):
            return Meaning("standard", path, confidence=INFERRED)
        if path.partition("/")[0] in C_FOLDERS:
            return Meaning("standard", path, confidence=INFERRED)
        return Meaning("unknown", path)

    def _ruby(self, imported: Imported) -> Meaning:
        files, path = self._files, imported.module.removesuffix(".rb")
        if imported.level or path.startswith("."):
            hit = files.at(f"{files.beside(imported.file, path)}.rb")
            return a_file(files, hit) if hit is not None else UNKNOWN
        hit = files.at(f"lib/{path}.rb")
        if hit is not None:
            return a_file(files, hit)
        if by_end := found(files, files.ending(f"lib/{path}.rb", imported.file)):
            return by_end
        top = path.partition("/")[0]
        if path in RUBY or top in RUBY:
            return Meaning("standard", path, confidence=EXACT)
        for name in (path.replace("/", "-"), top):
            if self._known.has("ruby", name):
                return Meaning("dependency", name, confidence=EXACT)
        return Meaning("unknown", path)

    def _php(self, imported: Imported) -> Meaning:
        files = self._files
        if imported.level and imported.module.endswith(".php"):
            hit = files.at(files.beside(imported.file, imported.module.lstrip("/")))
            return a_file(files, hit, INFERRED) if hit is not None else UNKNOWN
        for prefix, folders in self._known.namespaces.items():
            if imported.module.startswith(prefix):
                inside = imported.module[len(prefix) :].strip("\\").replace("\\", "/")
                hit = files.at(*(f"{folder}/{inside}.php".lstrip("/") for folder in folders))
                if hit is not None:
                    return a_file(files, hit)
        parts = imported.module.split("\\")
        for skipped in range(min(3, len(parts))):  # the beginning of a namespace seldom is a folder
            path = "/".join(parts[skipped:]) + ".php"
            confidence = INFERRED if skipped else EXACT
            hit_by_end = (
                found(files, files.ending(path, imported.file), confidence) if "/" in path or not skipped else None
            )
            if hit_by_end is not None:
                return hit_by_end
        return Meaning("unknown", imported.module)
