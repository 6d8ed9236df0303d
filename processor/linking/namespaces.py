"""Which files make up a namespace of C#, and what stands right in it. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from posixpath import commonpath

from processor.linking.files import Files
from processor.linking.levels import EXACT, INFERRED
from processor.linking.meanings import Imported, Meaning, a_file
from processor.linking.standard import DOTNET


class Namespaces:
    """Namespaces by their names, and types by their full names. Give it every namespace before it is asked.

    `named` gives the definitions of a full name: one, or the parts of a class that is written in several places;
    `file_of` has the file of each definition.
    """

    def __init__(self, files: Files, named: Callable[[str], list[int]], file_of: Sequence[int]) -> None:
        self._files = files
        self.named = named
        self._file_of = file_of
        self._in: dict[str, dict[int, None]] = defaultdict(dict)  # namespace → files

    def add(self, file: int, qualified: str) -> None:
        """One namespace of a file."""
        self._in[qualified][file] = None

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
        if parts := self.named(module):
            return a_file(files, self._file_of[parts[0]])
        if module.partition(".")[0] in DOTNET:
            return Meaning("standard", module, confidence=EXACT)
        return Meaning("unknown", module)
