"""What names of a repository are held by: imports by file, bases and fields by class. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from processor.linking.cards import Cards
from processor.linking.files import place_of
from processor.linking.levels import EXACT, INFERRED, OVERLOADED
from processor.linking.meanings import Imported, Meaning
from processor.linking.modules import Modules
from processor.linking.symbols import CLASSES, Symbols
from processor.linking.written import parts_of

OWN = frozenset({"self", "this", "cls", "$this", "Self", "static", "@"})
ABOVE = frozenset({"super", "super()", "parent", "base"})
IMPLICIT = frozenset({"java", "kotlin", "scala", "csharp", "cpp", "ruby", "swift", "dart"})  # members need no `this`
_BY_PLACE = frozenset({"go", "java", "kotlin", "scala", "csharp", "swift", "php"})
EVERYWHERE = frozenset({"c", "cpp", "ruby", "php", "csharp", "swift", "shell", "lua", "elixir", "rust"})
OPEN = frozenset({"go", "rust", "cpp", "c", "ruby", "csharp", "swift", "kotlin"})  # members may stand in other files


class Thing(NamedTuple):
    """What an expression is: `module` (a file), `class`, `value` of one, `function`, or `outside` of the repository.

    `number` is a file for a module, else a definition. `above` is a value asked as one of its bases (`super()`).
    """

    what: str
    number: int = -1
    confidence: float = EXACT


OUTSIDE = Thing("outside")


class Bound(NamedTuple):
    """A name that an import gives to a file."""

    meaning: Meaning
    module: str
    name: str


@dataclass
class Said:
    """What one file says: names that imports bind, files all of whose names it has, namespaces (of C#) or packages (of
    the JVM) that it uses, types by owner and name, and bases by the number of their class.
    """

    bound: dict[str, Bound] = field(default_factory=dict)
    all_of: list[Meaning] = field(default_factory=list)
    usings: list[str] = field(default_factory=list)
    typed: dict[tuple[str, str], str] = field(default_factory=dict)
    bases: dict[int, list[str]] = field(default_factory=dict)

    def plain(self) -> tuple[object, ...]:
        """As it is put on a card."""
        bound = {name: (*each.meaning, each.module, each.name) for name, each in self.bound.items()}
        return bound, self.all_of, self.usings, list(self.typed.items()), list(self.bases.items())


def _read(
    bound: dict[str, tuple[str, str, int, float, str, str]],
    all_of: list[tuple[str, str, int, float]],
    usings: list[str],
    typed: list[tuple[tuple[str, str], str]],
    bases: list[tuple[int, list[str]]],
) -> Said:
    """As it stands on a card."""
    names = {name: Bound(Meaning(*each[:4]), *each[4:]) for name, each in bound.items()}
    types = {(owner, name): written for (owner, name), written in typed}
    return Said(names, [Meaning(*each) for each in all_of], usings, types, dict(bases))


class Holding:
    """Takes in what files say, and answers what needs one look alone."""

    def __init__(self, symbols: Symbols, modules: Modules) -> None:
        self.symbols = symbols
        self._files = symbols.files
        self._modules = modules
        self._saying: dict[int, Said] = defaultdict(Said)  # of the files that are being read
        self._said = Cards(len(self._files.paths), _read, none=Said())
        self._everywhere_used: dict[str, list[str]] = defaultdict(list)  # folder → those of `global using`

    def bind(self, imported: Imported, meaning: Meaning) -> None:
        """Take in what an import means."""
        language, said = self._files.languages[imported.file], self._saying[imported.file]
        if imported.name == "*" and language == "csharp":
            said.usings.append(imported.module)
            if imported.level:
                self._everywhere_used[self._files.folders[imported.file]].append(imported.module)
            return
        if imported.name == "*" and imported.module in self._files.packages:
            said.usings.append(imported.module)
            return
        if imported.name == "*":
            said.all_of.append(meaning)
            return
        local = imported.alias or imported.name
        if not local:
            parts = [part for part in parts_of(imported.module.replace("/", ".")) if part]
            if not parts:
                return
            local = parts[0] if language == "python" else parts[-1]
            if language in {"c", "cpp", "ruby"}:
                said.all_of.append(meaning)
                return
        said.bound.setdefault(local, Bound(meaning, imported.module, imported.name))

    def inherit(self, file: int, owner: str, base: str) -> None:
        """Take in that a class is derived from another, as written."""
        number = self.symbols.in_file(file).get(owner)
        if number is not None:
            self._saying[file].bases.setdefault(number, []).append(base)

    def type_field(self, file: int, owner: str, name: str, written: str) -> None:
        """Take in the type of a field of a class, or of a variable of a file (`owner` is empty)."""
        self._saying[file].typed[owner, name] = written

    def keep(self) -> None:
        """Nothing more is said of the files of which something was."""
        for file, said in self._saying.items():
            self._said.put(file, *said.plain())
        self._saying.clear()

    def bound(self, file: int, name: str) -> Bound | None:
        """What an import gives a name of a file to."""
        return self._said[file].bound.get(name)

    def class_around(self, file: int, scope: str) -> int | None:
        """The class that a scope is in."""
        held, separator = self.symbols.in_file(file), self.symbols.separator(file)
        while scope:
            number = held.get(scope)
            if number is not None and self.symbols.kind(number) in CLASSES:
                return number
            scope = scope.rpartition(separator)[0]
        return None

    def _in_namespaces(self, file: int, scope: str, name: str) -> Thing | None:
        """In C#: a type of the namespaces that the scope is in, the inner one first, or of those that the file uses."""
        if self._files.languages[file] != "csharp":
            return None
        spaces = self.symbols.namespaces
        for namespace in spaces.around(scope):
            if (thing := self._type_named(f"{namespace}.{name}")) is not None:
                return thing
        used = [self._type_named(f"{one}.{name}") for one in self._used(file)]
        things = list(dict.fromkeys(thing for thing in used if thing is not None))
        return things[0] if len(things) == 1 else None

    def _used(self, file: int) -> Iterator[str]:
        yield from self._said[file].usings
        folder = self._files.folders[file]
        for project, namespaces in self._everywhere_used.items():
            if not project or f"{folder}/".startswith(f"{project}/"):
                yield from namespaces

    def _type_named(self, qualified: str) -> Thing | None:
        """A type of C# by its full name; one of its parts where it is written in several places."""
        parts = self.symbols.namespaces.named(qualified)
        return self._thing(parts[0]) if parts else None

    def _in_place(self, file: int, name: str) -> Thing | None:
        """In what needs no import: the folder or package that the file is in, then packages all of which it imports."""
        if self._files.languages[file] not in _BY_PLACE:
            return None
        if found := self.symbols.in_place(self._files.places[file], name, file):
            return self._one_of(found)
        packages = self._said[file].usings if self._files.packages else []
        used = [self._one_of(self.symbols.in_place(place_of(one), name, file)) for one in packages]
        things = list(dict.fromkeys(thing for thing in used if thing is not None))
        return things[0] if len(things) == 1 else None

    def _everywhere(self, file: int, name: str) -> Thing | None:
        """In languages without a scope of files: the only definition of the name that stands by itself."""
        if self._files.languages[file] not in EVERYWHERE:
            return None
        found = [n for n in self.symbols.called(file, name) if self._is_top(n)]
        thing = self._one_of(found)
        return thing._replace(confidence=min(thing.confidence, INFERRED)) if thing is not None else None

    def _is_top(self, number: int) -> bool:
        owner = self.symbols.owner(self.symbols.file[number], self.symbols.qualified(number))
        around = self.symbols.in_file(self.symbols.file[number]).get(owner)
        return not owner or around is None or self.symbols.kind(around) in {"namespace", "module"}

    def _one_of(self, found: list[int]) -> Thing | None:
        if not found:
            return None
        if len(found) == 1:
            return self._thing(found[0])
        symbols = self.symbols
        if len({(symbols.file[n], symbols.qualified(n)) for n in found}) == 1:
            return self._thing(found[0])._replace(confidence=OVERLOADED)
        return None

    def _thing(self, number: int) -> Thing:
        kind = self.symbols.kind(number)
        confidence = OVERLOADED if self.symbols.is_again(number) else EXACT
        if kind in CLASSES or kind == "type":
            return Thing("class", number, EXACT)
        if kind in {"namespace", "module"}:
            return Thing("class", number, EXACT)
        return Thing("function", number, confidence)

    def _default_of(self, file: int) -> Thing | None:
        """What a JavaScript module gives by default, where its only class or function is that."""
        tops = [n for q, n in self.symbols.in_file(file).items() if "." not in q]
        return self._thing(tops[0])._replace(confidence=INFERRED) if len(tops) == 1 else None
