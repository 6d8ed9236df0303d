"""What an import of Java, Kotlin or Scala means: by the packages that files say they are in, else by their paths. Pure.

Paths alone are asked where no file is known to say that it is in the package: of what could not be parsed, and of
analyses from before the packages were read.
"""

from posixpath import commonpath

from processor.linking.files import Files
from processor.linking.jvm_dependencies import JvmDependencies
from processor.linking.levels import EXACT, INFERRED
from processor.linking.meanings import Imported, Known, Meaning, a_file, found
from processor.linking.standard import JVM
from processor.linking.symbols import Symbols

_ENDINGS = (".java", ".kt", ".scala")


class JvmPackages:
    """The packages of a repository. Give `files` and `symbols` all that they hold before it is asked."""

    def __init__(self, files: Files, known: Known, symbols: Symbols) -> None:
        self._files = files
        self._symbols = symbols
        self._dependencies = JvmDependencies(known.dependencies.get("java", ()))

    def resolve(self, imported: Imported) -> Meaning:
        """The file of what is imported, the folder of a package, or whose it is otherwise."""
        module, file = imported.module.replace("`", ""), imported.file
        if imported.name == "*" and (folder := self._folder_of(module, file)) is not None:
            return folder
        if (declared := self._declared(module, file)) is not None:
            return declared
        if f"{module}.".startswith(JVM):
            return Meaning("standard", module, confidence=EXACT)
        if (by_path := self._by_path(module, file) or self._by_folder(module, file)) is not None:
            return by_path
        folder = self._folder_of(module.rpartition(".")[0], file) if module.count(".") > 1 else None
        if folder is not None:
            return folder._replace(confidence=INFERRED)
        dependency = self._dependencies.of(module)
        return Meaning(
            "dependency" if dependency else "unknown", dependency or module, confidence=INFERRED * bool(dependency)
        )

    def _declared(self, module: str, file: int) -> Meaning | None:
        """The file that defines a name, or what that is a member of, in the longest package that there is.

        What several files define (functions that extend one type each) leads to their folder.
        """
        parts = module.split(".")
        for depth in range(len(parts) - 1, 0, -1):
            package = ".".join(parts[:depth])
            held = self._files.packages.get(package)
            if held is None:
                continue
            hits = {self._symbols.file[number] for number in self._symbols.imported(package, parts[depth], file)}
            if len(hits) == 1:
                return a_file(self._files, hits.pop(), EXACT)
            if hits:
                return Meaning("folder", commonpath({self._files.folders[n] for n in hits}), confidence=INFERRED)
            if facade := self._facade(parts[depth], held):
                return facade
        return None

    def _facade(self, name: str, held: list[int]) -> Meaning | None:
        """`UtilKt` is what Java calls the functions of `Util.kt`."""
        named = [n for n in held if f"/{self._files.paths[n]}".endswith(f"/{name.removesuffix('Kt')}.kt")]
        return a_file(self._files, named[0], INFERRED) if name.endswith("Kt") and len(named) == 1 else None

    def _folder_of(self, package: str, file: int) -> Meaning | None:
        """The folder of a package: of several the nearest one, else what they are all below."""
        folders = {self._files.folders[each] for each in self._files.packages.get(package, ())}
        if len(folders) == 1:
            return Meaning("folder", folders.pop(), confidence=EXACT)
        if folders:
            nearest = {self._files.folders[n] for n in self._files.nearest(self._files.packages[package], file)}
            return Meaning("folder", nearest.pop() if len(nearest) == 1 else commonpath(folders), confidence=INFERRED)
        folder = self._files.folder_ending(package.replace(".", "/"), file)
        held = self._files.in_folder.get(folder, ()) if folder is not None else ()
        if folder is None or all(self._files.says_other(package, each) for each in held):
            return None
        return Meaning("folder", folder, confidence=INFERRED)

    def _by_path(self, module: str, file: int) -> Meaning | None:
        """The file whose path ends like a name; as a class within a class, or a member of one."""
        parts = module.split(".")
        for depth in range(len(parts), max(0, len(parts) - 3), -1):
            for ending in _ENDINGS:
                hit = self._files.ending("/".join(parts[:depth]) + ending, file)
                if hit is not None and not self._files.says_other(".".join(parts[: depth - 1]), hit[0]):
                    return found(self._files, hit, EXACT)
        return None

    def _by_folder(self, module: str, file: int) -> Meaning | None:
        """The one file of a package's folder that defines what is imported, or what that is a member of."""
        parts = module.split(".")
        for depth in range(len(parts), max(1, len(parts) - 2), -1):
            folder = self._files.folder_ending("/".join(parts[: depth - 1]), file)
            named = self._symbols.in_place(folder, parts[depth - 1]) if folder is not None else []
            if len(hits := {self._symbols.file[number] for number in named}) == 1:
                return a_file(self._files, hits.pop(), INFERRED)
        return None
