"""The definitions of a repository, to be found by where they stand and by what they are called. Pure.

Definitions are numbers; names are interned to numbers, so that a million definitions are some hundred megabytes.
"""

import sys
from array import array
from collections import defaultdict
from collections.abc import Sequence

from processor.languages.naming import LANGUAGES
from processor.linking.files import Files
from processor.linking.namespaces import Namespaces

CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object"})
FUNCTIONS = frozenset({"function", "method", "macro"})
_LINKED = CLASSES | FUNCTIONS | {"declaration", "type"}
_HELD = _LINKED | {"namespace", "module"}
VALUES = frozenset({"variable", "constant"})
FAMILY = {
    **dict.fromkeys(("javascript", "typescript", "tsx", "vue", "svelte"), "script"),
    **dict.fromkeys(("java", "kotlin", "scala"), "jvm"),
    **dict.fromkeys(("c", "cpp"), "c"),
}
SEPARATED = frozenset({"rust", "c", "cpp", "ruby", "php"})  # by `::`


class Symbols:
    """All definitions that a use can mean. Columns stand side by side; add file by file."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.file: list[int] = []
        self.kind: list[str] = []
        self.name: list[str] = []
        self.qualified: list[str] = []
        self.signature: list[str] = []
        self._shard, self._ordinal = array("i"), array("i")
        self.again: set[int] = set()  # there is another definition of that name in that place
        self.namespaces = Namespaces(files)
        self.in_file: list[dict[str, int]] = [{} for _ in files.paths]
        self._values: dict[tuple[int | str, str], int] = {}  # (file or folder, qualified name) → variable or constant
        self._names: dict[str, int] = {}
        self._families: dict[str, int] = {}
        self._called: dict[int, int | list[int]] = {}
        self._members: dict[int, int | list[int]] = {}
        self.in_folder: dict[tuple[str, str], list[int]] = defaultdict(list)  # (folder, name) → top definitions

    def add(self, file: int, kind: str, name: str, qualified: str, signature: str, place: tuple[int, int]) -> None:
        """One definition; those that nothing can mean are passed over."""
        is_value = kind in VALUES and self.files.languages[file] in LANGUAGES
        if kind not in _HELD and not is_value:
            return
        number = len(self.file)
        name, qualified = sys.intern(name), sys.intern(qualified)
        self.file.append(file)
        self.kind.append(sys.intern(kind))
        self.name.append(name)
        self.qualified.append(qualified)
        self.signature.append("" if is_value else signature)
        self._shard.append(place[0])
        self._ordinal.append(place[1])
        if is_value:
            self._values.setdefault((self._shared(file), qualified), number)
            return
        if self.files.languages[file] == "csharp" and (kind in CLASSES or kind in {"type", "namespace"}):
            self.namespaces.add(file, kind, qualified, number)
        held = self.in_file[file].setdefault(qualified, number)
        if held != number:
            if self.kind[held] == "declaration" and kind != "declaration":
                self.in_file[file][qualified] = number
            elif kind != "declaration":
                self.again.add(held)
            return
        self._index(number, file, kind, name, qualified)

    def _index(self, number: int, file: int, kind: str, name: str, qualified: str) -> None:
        family = self.family(file)
        owner = self.owner(file, qualified)
        if kind in _LINKED:
            _put(self._called, self._key(family, name), number)
            if owner:
                _put(self._members, self._key(family, f"{_last(owner)}\0{name}"), number)
        if not owner and self.files.languages[file] in {"go", "java", "kotlin", "scala", "csharp", "swift"}:
            self.in_folder[self.files.folders[file], name].append(number)

    def value(self, file: int, qualified: str) -> int | None:
        """A variable or constant of a file; in Go of any file of its folder."""
        return self._values.get((self._shared(file), qualified))

    def _shared(self, file: int) -> int | str:
        return self.files.folders[file] if self.files.languages[file] == "go" else file

    def place(self, number: int) -> tuple[int, int]:
        """The shard of a definition, and its number in it."""
        return self._shard[number], self._ordinal[number]

    def family(self, file: int) -> str:
        """Which languages can call each other."""
        language = self.files.languages[file] or ""
        return FAMILY.get(language, language)

    def separator(self, file: int) -> str:
        """What joins the parts of a qualified name."""
        return "::" if self.files.languages[file] in SEPARATED else "."

    def owner(self, file: int, qualified: str) -> str:
        """The qualified name of what a definition stands in."""
        return qualified.rpartition(self.separator(file))[0]

    def called(self, file: int, name: str) -> list[int]:
        """All definitions of a name, in the languages of a file: those that are whole, else declarations."""
        return self._whole(_get(self._called, self._key(self.family(file), name)))

    def members(self, file: int, owner: str, name: str) -> list[int]:
        """Definitions of a name in something that is called `owner`, wherever it stands."""
        return self._whole(_get(self._members, self._key(self.family(file), f"{owner}\0{name}")))

    def _whole(self, found: Sequence[int]) -> list[int]:
        whole = [number for number in found if self.kind[number] != "declaration"]
        return whole or list(found)

    def _key(self, family: str, name: str) -> int:
        number = self._families.setdefault(family, len(self._families))
        return self._names.setdefault(name, len(self._names)) << 8 | number


def _last(qualified: str) -> str:
    return qualified.rpartition("::")[2].rpartition(".")[2]


_MOST = 8  # definitions of one name; more are as ambiguous as these


def _put(table: dict[int, int | list[int]], key: int, number: int) -> None:
    held = table.setdefault(key, number)
    if held is number or held == number:
        return
    if isinstance(held, int):
        table[key] = [held, number]
    elif len(held) < _MOST:
        held.append(number)


def _get(table: dict[int, int | list[int]], key: int) -> Sequence[int]:
    held = table.get(key, ())
    return (held,) if isinstance(held, int) else held
