"""What Rust's `use`, `mod` and `extern crate` mean. Pure."""

from posixpath import dirname

from processor.linking.files import Files
from processor.linking.levels import EXACT, INFERRED
from processor.linking.meanings import UNKNOWN, Imported, Known, Meaning, a_file
from processor.linking.standard import RUST


class RustModules:
    """The modules of each crate, by where their files are."""

    def __init__(self, files: Files, known: Known) -> None:
        self._files = files
        self._known = known

    def resolve(self, imported: Imported) -> Meaning:
        """What a `use`, `mod` or `extern crate` means."""
        if imported.module.startswith("./"):  # `#[path = "…"] mod name;`
            hit = self._files.at(self._files.beside(imported.file, imported.module))
            return a_file(self._files, hit) if hit is not None else UNKNOWN
        parts = [*imported.module.split("::"), *([imported.name] if imported.name not in {"", "*"} else [])]
        folder, root = self._crate_of(imported.file)
        if parts[0] == "crate":
            return self._file(root, folder, parts[1:])
        if parts[0] in {"self", "super"}:
            return self._relative(imported.file, parts)
        return self._named(folder, parts)

    def _relative(self, file: int, parts: list[str]) -> Meaning:
        stem, base = self._files.paths[file].rpartition("/")[2], self._files.folders[file]
        if stem not in {"mod.rs", "lib.rs", "main.rs"}:
            base = f"{base}/{stem.removesuffix('.rs')}".lstrip("/")
        while parts and parts[0] in {"self", "super"}:
            base = dirname(base) if parts[0] == "super" else base
            parts = parts[1:]
        return self._file(file, base, parts)

    def _named(self, folder: str, parts: list[str]) -> Meaning:
        if parts[0] in RUST:
            return Meaning("standard", parts[0], confidence=EXACT)
        if (begin := self._files.at(self._known.crates.get(parts[0], ""))) is not None:
            return self._file(begin, self._files.folders[begin], parts[1:])
        if self._known.has("rust", parts[0]) or self._known.has("rust", parts[0].replace("_", "-")):
            return Meaning("dependency", parts[0], confidence=EXACT)
        inside = self._file(-1, folder, parts)
        return inside if inside.what == "file" else Meaning("unknown", parts[0])

    def _crate_of(self, file: int) -> tuple[str, int]:
        """The folder of a file's crate, and the file that it begins with."""
        folder = self._files.folders[file]
        while True:
            for name in ("lib.rs", "main.rs"):
                hit = self._files.at(f"{folder}/{name}".lstrip("/"))
                if hit is not None:
                    return folder, hit
            if not folder:
                return self._files.folders[file], file
            folder = dirname(folder)

    def _file(self, root: int, folder: str, parts: list[str]) -> Meaning:
        """The file of the longest beginning of a path that has one; the one it starts from where none has."""
        for depth in range(len(parts), 0, -1):
            path = "/".join([*([folder] if folder else []), *parts[:depth]])
            hit = self._files.at(f"{path}.rs", f"{path}/mod.rs")
            if hit is not None:
                return a_file(self._files, hit, EXACT if depth >= len(parts) - 1 else INFERRED)
        return a_file(self._files, root, INFERRED) if root >= 0 else UNKNOWN
