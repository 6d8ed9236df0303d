"""Which files make up a namespace of C#, and what stands right in it. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from posixpath import commonpath

from processor.linking.files import Files
from processor.linking.levels import EXACT, INFERRED
from processor.linking.meanings import Imported, Meaning, a_file
from processor.linking.standard import DOTNET

_MOST = 8  # parts of one class


class Namespaces:
    """Namespaces and types by their full names. Give it every definition before it is asked."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._in: dict[str, dict[int, None]] = defaultdict(dict)  # namespace → files
        self._types: dict[str, list[tuple[int, int]]] = {}  # full name → definition and file, of each part of a class

    def add(self, file: int, kind: str, qualified: str, number: int) -> None:
        """One definition of a file."""
        if kind == "namespace":
            self._in[qualified][file] = None
        elif len(held := self._types.setdefault(qualified, [])) < _MOST:
            held.append((number, file))

    def named(self, qualified: str) -> list[int]:
        """The definitions of a full name: one, or the parts of a class that is written in several places."""
        return [number for number, _ in self._types.get(qualified, ())]

    def around(self, scope: str) -> Iterator[str]:
        """The namespaces that a scope is in, the inner one first."""
        while scope:
            if scope in self._in:
                yield scope
            scope = scope.rpartition(".")[0]

    def resolve(self, imported: Imported) -> Meaning:
        """What a `using` means: the file or the folder that a namespace is in, or the file of the type it names."""
        module, files = imported.module, self._files
        if (held := self._in.get(module)) is not None:
            folders = {files.folders[file] for file in held}
            if len(held) == 1:
                return a_file(files, next(iter(held)))
            return Meaning("folder", commonpath(folders), confidence=EXACT if len(folders) == 1 else INFERRED)
        if (parts := self._types.get(module)) is not None:
            return a_file(files, parts[0][1])
        if module.partition(".")[0] in DOTNET:
            return Meaning("standard", module, confidence=EXACT)
        return Meaning("unknown", module)
