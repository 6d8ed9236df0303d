"""What a name means that is not called: a class, a function, or a variable of a module. Pure."""

from processor.linking.holding import ABOVE, IMPLICIT, OWN, Bound, Thing
from processor.linking.levels import EXACT, INFERRED
from processor.linking.names import Names
from processor.linking.symbols import CLASSES
from processor.linking.written import parts_of

_MOST_STEPS = 12
_DEFINED = frozenset({"class", "function"})
_SPACES = frozenset({"namespace", "module"})
_IMPORTED = frozenset({"csharp", "php", "rust"})  # no name is everybody's here
_INCLUDED = frozenset({"c", "cpp"})
_HEADERS = (".h", ".hpp", ".hh", ".hxx", ".inl", ".ipp", ".tcc")
_NESTED = frozenset({"ruby", "swift"})  # only what is in something around, or in nothing, needs no more than its name


def used(names: Names, file: int, scope: str, written: str) -> Thing | None:
    """What a dotted name means as far as it leads to definitions: `Flask.run.x` means the method `run`.

    What leads to a constructor means its class.
    """
    thing = _named(names, file, scope, written)
    return _class_of(names, thing) if thing is not None and thing.what == "function" else thing


def _named(names: Names, file: int, scope: str, written: str) -> Thing | None:
    parts = parts_of(written)
    scope = "" if written.startswith("::") else scope
    thing = _first(names, file, scope, parts[0]) if parts else None
    if thing is None or (thing.what == "value" and parts[0] not in OWN) or _is_instead(names, file, thing, parts):
        return _variable(names, file, parts[0], scope) if parts else None
    found = thing if thing.what in _DEFINED else None
    for part in parts[1:]:
        following = names.member(thing, part)
        if thing.what == "module" and (following is None or following.what == "value"):
            return _variable(names, thing.number, part) or found
        if following is None or following.what not in {"class", "function", "module"}:
            return _constant(names, thing, part) or found or (thing if thing.what == "outside" else None)
        thing = following
        found = thing if thing.what in _DEFINED else found
    return found or (thing if thing.what == "outside" else None)


def _first(names: Names, file: int, scope: str, name: str) -> Thing | None:
    bound = names.bound(file, name)
    if bound is not None and bound.meaning.what == "file" and bound.name and _is_file_itself(names, bound):
        return Thing("module", bound.meaning.file, bound.meaning.confidence)
    thing = names.named(file, scope, name)
    if thing is None or thing.what not in _DEFINED or name in OWN or name in ABOVE:
        return thing
    return thing if _is_seen(names, file, scope, thing) else names.near(file, scope, name)


def _is_seen(names: Names, file: int, scope: str, thing: Thing) -> bool:
    """Whether the name alone may lead there, without an import or what stands around: as the language has it."""
    symbols, number = names.symbols, thing.number
    there, language = symbols.file[number], symbols.files.languages[file]
    if language in _IMPORTED:
        return False
    if language in _INCLUDED:
        return symbols.kind(number) == "function" or symbols.files.paths[there].endswith(_HEADERS)
    separator, owner = symbols.separator(there), symbols.owner(there, symbols.qualified(number))
    return language not in _NESTED or not owner or f"{scope}{separator}".startswith(f"{owner}{separator}")


def _class_of(names: Names, thing: Thing) -> Thing:
    """The class that a constructor is of, where that has its name."""
    symbols, number = names.symbols, thing.number
    file = symbols.file[number]
    owner = symbols.in_file(file).get(symbols.owner(file, symbols.qualified(number)))
    if owner is None or symbols.name(owner) != symbols.name(number) or symbols.kind(owner) not in CLASSES:
        return thing
    return Thing("class", owner, thing.confidence)


def _constant(names: Names, thing: Thing, name: str) -> Thing | None:
    """A constant that is asked of a namespace or of `self`; what is asked of another class means that class, too."""
    symbols = names.symbols
    is_own = thing.what == "value" and thing.number >= 0
    if not is_own and (thing.what != "class" or symbols.kind(thing.number) not in _SPACES):
        return None
    file = symbols.file[thing.number]
    number = symbols.value(file, f"{symbols.qualified(thing.number)}{symbols.separator(file)}{name}")
    return Thing("variable", number, thing.confidence) if number is not None else None


def _is_instead(names: Names, file: int, thing: Thing, parts: list[str]) -> bool:
    """Whether a file stands for what it has not as a class or a function: a constant that is imported from it."""
    bound = names.bound(file, parts[0]) if thing.what == "module" and len(parts) == 1 else None
    return bound is not None and bool(bound.name) and not _is_file_itself(names, bound)


def _is_file_itself(names: Names, bound: Bound) -> bool:
    """Whether `from . import cli` brings the file `cli.py`, and not what has that name in it."""
    stem = names.symbols.files.paths[bound.meaning.file].rpartition("/")[2].partition(".")[0]
    return stem == bound.name and parts_of(bound.module)[-1:] != [stem]


def _variable(names: Names, file: int, name: str, scope: str = "", steps: int = 0) -> Thing | None:
    """A variable of a file (of its folder where it is below 0) or of a scope, or one that the file has imported."""
    if steps > _MOST_STEPS:
        return None
    number = names.symbols.value(-2 - file if file < 0 else file, name)
    if number is None and scope and names.symbols.files.languages[file] in IMPLICIT:
        number = _around(names, file, scope, name)
    if number is not None:
        return Thing("variable", number, EXACT if steps < 2 else INFERRED)
    bound = names.bound(file, name)
    if bound is None or bound.meaning.what != "file" or not bound.name:
        return None
    thing = _variable(names, bound.meaning.file, bound.name, steps=steps + 1)
    return thing and thing._replace(confidence=min(thing.confidence, bound.meaning.confidence))


def _around(names: Names, file: int, scope: str, name: str) -> int | None:
    """A constant of what a scope is in, the innermost first."""
    separator = names.symbols.separator(file)
    while scope:
        number = names.symbols.value(file, f"{scope}{separator}{name}")
        if number is not None:
            return number
        scope = scope.rpartition(separator)[0]
    return None
