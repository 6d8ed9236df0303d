"""The definitions of a repository, to be found by where they stand and by what they are called. Pure.

Definitions are numbers. Their texts are on the card of their file; a few bytes of each and hashes of names are columns:
half a million definitions are some fifty megabytes.
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from processor.languages.namings import LANGUAGES
from processor.linking.cards import Cards
from processor.linking.files import Files, place_of
from processor.linking.name_index import NameIndex
from processor.linking.namespaces import Namespaces

CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object"})
FUNCTIONS = frozenset({"function", "method", "macro"})
_LINKED = CLASSES | FUNCTIONS | {"declaration", "type"}
_HELD = _LINKED | {"namespace", "module"}
_FOUND_WHOLE = {"csharp": CLASSES | {"type"}, "elixir": frozenset({"module"})}  # by their full names
VALUES = frozenset({"variable", "constant"})
_KINDS = tuple(sorted(_HELD | VALUES))
_CODES = {kind: code for code, kind in enumerate(_KINDS)}
FAMILY = {
    **dict.fromkeys(("javascript", "typescript", "tsx", "vue", "svelte"), "script"),
    **dict.fromkeys(("java", "kotlin", "scala"), "jvm"),
    **dict.fromkeys(("c", "cpp"), "c"),
}
SEPARATED = frozenset({"rust", "c", "cpp", "ruby", "php"})  # by `::`
_BY_PLACE = frozenset({"go", "java", "kotlin", "scala", "csharp", "swift", "php"})
_EXTENDING = "."  # begins the name of what stands by itself and extends a type
_EXPECTED, _ACTUAL = re.compile(r"\bexpect\b"), re.compile(r"\bactual\b")  # of Kotlin
_MOST = 8  # definitions of one name; more are as ambiguous as these


class Definition(NamedTuple):
    """A definition as a file's rows have it; `place` is its number among the rows of its shard."""

    kind: str
    name: str
    qualified: str
    signature: str
    place: int


class Defined(NamedTuple):
    """The definitions of one file, from the number `first` on, and which are found by their qualified names."""

    first: int
    names: list[str]
    qualified: list[str]
    signatures: list[str]
    numbers: dict[str, int]
    values: dict[str, int]  # variables and constants

    def plain(self) -> tuple[object, ...]:
        """As it is put on a card: what can be told from a qualified name is not written twice."""
        named = zip(self.names, self.qualified, strict=True)
        names = [len(name) if qualified.endswith(name) else name for name, qualified in named]
        found = [[number - self.first for number in each.values()] for each in (self.numbers, self.values)]
        return self.first, names, self.qualified, self.signatures, *found


def _read(
    first: int,
    names: list[int | str],
    qualified: list[str],
    signatures: list[str],
    numbers: list[int],
    values: list[int],
) -> Defined:
    """As it stands on a card."""
    named = zip(names, qualified, strict=True)
    whole = [name if isinstance(name, str) else full[len(full) - name :] for name, full in named]
    found = ({qualified[place]: first + place for place in each} for each in (numbers, values))
    return Defined(first, whole, qualified, signatures, *found)


def _defined_from(first: int) -> Defined:
    return Defined(first, [], [], [], {}, {})


class Symbols:
    """All definitions that a use can mean. Add file by file, close it, then ask."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.file = array("i")
        self._kind = bytearray()
        self._shard, self._ordinal = array("i"), array("i")
        self._again = bytearray()  # whether there is another definition of that name in that place
        self._cards = Cards(len(files.paths), _read, none=_defined_from(0))
        self._called, self._members, self._in_place = NameIndex(), NameIndex(), NameIndex()
        self._values, self._types = NameIndex(), NameIndex()
        self.namespaces = Namespaces(files, self._type_named, self.file)

    def add(self, file: int, shard: int, definitions: Iterable[Definition]) -> None:
        """All definitions of a file; those that nothing can mean are passed over."""
        card = _defined_from(len(self.file))
        has_values = self.files.languages[file] in LANGUAGES
        for each in definitions:
            is_value = each.kind in VALUES and has_values
            if each.kind in _HELD or is_value:
                number = len(self.file)
                self.file.append(file)
                self._kind.append(_CODES[each.kind])
                self._again.append(False)
                self._shard.append(shard)
                self._ordinal.append(each.place)
                card.names.append(each.name)
                card.qualified.append(each.qualified)
                card.signatures.append("" if is_value else each.signature)
                if is_value:
                    self._add_value(card, file, each.qualified, number)
                else:
                    self._add(card, file, each, number)
        if card.names:
            self._cards.put(file, *card.plain())

    def _add_value(self, card: Defined, file: int, qualified: str, number: int) -> None:
        if self.files.languages[file] == "go" or (self.family(file) == "jvm" and "." not in qualified):
            self._values.add((self.files.places[file], qualified), number)
        if self.files.languages[file] != "go":
            card.values.setdefault(qualified, number)

    def _add(self, card: Defined, file: int, each: Definition, number: int) -> None:
        kind, qualified = each.kind, each.qualified
        if self.files.languages[file] == "csharp" and kind == "namespace":
            self.namespaces.add(file, qualified)
        elif kind in _FOUND_WHOLE.get(self.files.languages[file] or "", ()):
            self._types.add((self.files.languages[file], qualified), number)
        held = card.numbers.setdefault(qualified, number)
        if held == number:
            self._index(number, file, each)
        elif kind != "declaration" and _KINDS[self._kind[held]] == "declaration":
            card.numbers[qualified] = number
        elif kind != "declaration":
            self._again[held] = True

    def _index(self, number: int, file: int, each: Definition) -> None:
        family, owner = self.family(file), self.owner(file, each.qualified)
        if each.kind in _LINKED:
            self._called.add((family, each.name), number)
            if owner:
                self._members.add((family, _last(owner), each.name), number)
        place, language = self.files.places[file], self.files.languages[file]
        if not owner and language in _BY_PLACE:
            self._in_place.add((place, each.name), number)
        elif owner and language == "kotlin" and f"{owner}.{each.name}" in each.signature:
            self._in_place.add((place, f"{_EXTENDING}{each.name}"), number)

    def close(self) -> None:
        """Nothing more is added."""
        for index in (self._called, self._members, self._in_place, self._values, self._types):
            index.close()

    def kind(self, number: int) -> str:
        """What a definition is."""
        return _KINDS[self._kind[number]]

    def name(self, number: int) -> str:
        """What a definition is called."""
        card = self._cards[self.file[number]]
        return card.names[number - card.first]

    def qualified(self, number: int) -> str:
        """What a definition is called in its file."""
        card = self._cards[self.file[number]]
        return card.qualified[number - card.first]

    def signature(self, number: int) -> str:
        """How a definition is written; empty for a variable or constant."""
        card = self._cards[self.file[number]]
        return card.signatures[number - card.first]

    def is_again(self, number: int) -> bool:
        """Whether there is another definition of that name in that place."""
        return bool(self._again[number])

    def in_file(self, file: int) -> dict[str, int]:
        """The definitions of a file by their qualified names, but for variables and constants."""
        return self._cards[file].numbers

    def in_place(self, place: str, name: str, near: int = -1) -> list[int]:
        """The definitions of a name that stand by themselves in a folder or package, as `Files.places` has it.

        Of those of a package in several folders the ones that are nearest to the file `near`; where Kotlin expects
        something that each platform has for itself, what is expected.
        """
        places, file = self.files.places, self.file
        found = [n for n in self._in_place.get((place, name)) if places[file[n]] == place and self.name(n) == name]
        return self._nearest(found, near) if near >= 0 and len(found) > 1 else found

    def imported(self, package: str, name: str, near: int) -> list[int]:
        """What an import of a name out of a package may mean: definitions, what extends a type, else values."""
        place, places, file = place_of(package), self.files.places, self.file
        if named := self.in_place(place, name, near):
            return named
        extending = self._in_place.get((place, f"{_EXTENDING}{name}"))
        found = [n for n in extending if places[file[n]] == place and self.name(n) == name]
        found = found or [n for n in self._values.get((place, name)) if self._is_value(n, place, name)]
        return self._nearest(found, near)

    def _is_value(self, number: int, place: str, qualified: str) -> bool:
        return self.files.places[self.file[number]] == place and self.qualified(number) == qualified

    def _nearest(self, found: list[int], near: int) -> list[int]:
        nearest = self.files.nearest({self.file[n]: None for n in found}, near)
        found = [n for n in found if self.file[n] in nearest]
        if len(nearest) == 1:
            return found
        expected = [n for n in found if _EXPECTED.search(self.signature(n))]
        return expected or [n for n in found if not _ACTUAL.search(self.signature(n))] or found

    def value(self, file: int, qualified: str) -> int | None:
        """A variable or constant of a file; in Go of any file of its folder."""
        if self.files.languages[file] != "go":
            return self._cards[file].values.get(qualified)
        place = self.files.places[file]
        return next((n for n in self._values.get((place, qualified)) if self._is_value(n, place, qualified)), None)

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
        family = self.family(file)
        return self._whole(self._of_name(self._called.get((family, name)), family, name))

    def members(self, file: int, owner: str, name: str) -> list[int]:
        """Definitions of a name in something that is called `owner`, wherever it stands."""
        family = self.family(file)
        found = self._of_name(self._members.get((family, owner, name)), family, name)
        return self._whole(n for n in found if _last(self.owner(self.file[n], self.qualified(n))) == owner)

    def _of_name(self, found: Iterable[int], family: str, name: str) -> Iterator[int]:
        return (n for n in found if self.family(self.file[n]) == family and self.name(n) == name)

    def _whole(self, found: Iterable[int]) -> list[int]:
        first = list(islice(found, _MOST))
        return [number for number in first if self.kind(number) != "declaration"] or first

    def modules(self, qualified: str) -> list[int]:
        """The modules of Elixir of a full name."""
        return self._named("elixir", qualified)

    def _type_named(self, qualified: str) -> list[int]:
        """The types of C# of a full name."""
        return self._named("csharp", qualified)

    def _named(self, language: str, qualified: str) -> list[int]:
        found = self._types.get((language, qualified))
        return list(islice((n for n in found if self.qualified(n) == qualified), _MOST))


def _last(qualified: str) -> str:
    return qualified.rpartition("::")[2].rpartition(".")[2]
