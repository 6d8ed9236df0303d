"""What a name means that is not called: a class, a function, or a variable of a module. Pure."""

from processor.linking.holding import OWN, Bound, Thing
from processor.linking.levels import EXACT, INFERRED
from processor.linking.names import Names
from processor.linking.written import parts_of

_MOST_STEPS = 12
_DEFINED = frozenset({"class", "function"})


def used(names: Names, file: int, scope: str, written: str) -> Thing | None:
    """What a dotted name means as far as it leads to definitions: `Flask.run.x` means the method `run`."""
    parts = parts_of(written)
    thing = _first(names, file, scope, parts[0]) if parts else None
    if thing is None or (thing.what == "value" and parts[0] not in OWN):
        return _variable(names, file, parts[0]) if parts else None
    found = thing if thing.what in _DEFINED else None
    for part in parts[1:]:
        following = names.member(thing, part)
        if thing.what == "module" and (following is None or following.what == "value"):
            return _variable(names, thing.number, part) or found
        if following is None or following.what not in {"class", "function", "module"}:
            break
        thing = following
        found = thing if thing.what in _DEFINED else found
    return found or (thing if thing.what == "outside" else None)


def _first(names: Names, file: int, scope: str, name: str) -> Thing | None:
    bound = names.bound(file, name)
    if bound is not None and bound.meaning.what == "file" and bound.name and _is_file_itself(names, bound):
        return Thing("module", bound.meaning.file, bound.meaning.confidence)
    return names.named(file, scope, name)


def _is_file_itself(names: Names, bound: Bound) -> bool:
    """Whether `from . import cli` brings the file `cli.py`, and not what has that name in it."""
    stem = names.symbols.files.paths[bound.meaning.file].rpartition("/")[2].partition(".")[0]
    return stem == bound.name and parts_of(bound.module)[-1:] != [stem]


def _variable(names: Names, file: int, name: str, steps: int = 0) -> Thing | None:
    """A variable of a file (of its folder where it is below 0), or one that the file has imported."""
    if steps > _MOST_STEPS:
        return None
    number = names.symbols.value(-2 - file if file < 0 else file, name)
    if number is not None:
        return Thing("variable", number, EXACT if steps < 2 else INFERRED)
    bound = names.bound(file, name)
    if bound is None or bound.meaning.what != "file" or not bound.name:
        return None
    thing = _variable(names, bound.meaning.file, bound.name, steps + 1)
    return thing and thing._replace(confidence=min(thing.confidence, bound.meaning.confidence))
