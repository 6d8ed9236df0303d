"""Which definition a call, an inheritance or another use means, and how sure that is. Pure."""

from typing import NamedTuple

from processor.languages.uses import beginning_of
from processor.linking.holding import OUTSIDE, Thing
from processor.linking.levels import INFERRED, NAMED
from processor.linking.names import Names
from processor.linking.standard import COMMON
from processor.linking.symbols import FUNCTIONS
from processor.linking.values import used

_SHORT = 4  # letters: names as short as these are not looked for by themselves
_AMBIGUOUS, _OUTSIDE, _UNKNOWN = "ambiguous", "outside", "unknown"


class Use(NamedTuple):
    """One use as a file's rows have it."""

    file: int
    kind: str
    source: str
    target: str
    receiver: str
    receiver_type: str


class Found(NamedTuple):
    """What a use means: a definition with its confidence, or (`number` -1) why it has none."""

    number: int
    confidence: float
    why: str = ""


class Calls:
    """Finds what uses mean. What is written alike in one place is looked for once; ask file by file."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._symbols = names.symbols
        self._file = -1
        self._known: dict[Use, Found] = {}  # of one file

    def find(self, use: Use) -> Found:
        """What a use means."""
        found = self._known.get(use)
        if found is None:
            if use.file != self._file:
                self._file = use.file
                self._known.clear()
            found = self._known[use] = self._find(use)
        return found

    def leads_in(self, use: Use) -> bool:
        """Whether the name that a use begins with may be of the repository, as far as the imports of its file say."""
        bound = self._names.bound(use.file, use.target.partition(".")[0])
        return bound is None or bound.meaning.what in {"file", "folder"}

    def _find(self, use: Use) -> Found:
        if use.kind == "inherit":
            base = self._names.named(use.file, self._outer(use), use.target)
            return self._found(base) or Found(-1, 0.0, _OUTSIDE)
        if use.kind in {"use", "import"}:
            return self._used(use)
        name = _last(use.target)
        thing, guess = self._thing(use, name)
        if found := self._found(thing):
            return found
        if thing is not None:
            return Found(-1, 0.0, _OUTSIDE)
        if not guess:
            return Found(-1, 0.0, _UNKNOWN)
        return self._by_name(use.file, name)

    def _thing(self, use: Use, name: str) -> tuple[Thing | None, bool]:
        """What is called; and whether, where nothing is known, its name alone may say it."""
        names = self._names
        if not use.receiver:
            return names.lookup(use.file, use.source, name), False
        beginning = None
        if use.receiver_type:
            beginning = names.of_type(use.file, use.source, use.receiver_type)
            if beginning is not None and beginning.what == "outside":
                return OUTSIDE, False
            if beginning is None and not beginning_of(use.receiver).startswith("self."):
                return None, True
        holder = names.chain(use.file, use.source, use.receiver, beginning)
        if holder is None:
            return None, True
        if holder.what == "function":
            return None, True
        return names.member(holder, name) or OUTSIDE, False

    def _used(self, use: Use) -> Found:
        """What is named without being called: where nothing binds the name, nothing is guessed."""
        thing = used(self._names, use.file, use.source, use.target)
        return self._found(thing) or Found(-1, 0.0, _UNKNOWN if thing is None else _OUTSIDE)

    def _found(self, thing: Thing | None) -> Found | None:
        if thing is None or thing.what not in {"class", "function", "variable"} or thing.number < 0:
            return None
        if self._symbols.kind(thing.number) in {"namespace", "module"}:
            return None
        if self._symbols.kind(thing.number) == "declaration":
            return self._defined(thing)
        return Found(thing.number, thing.confidence)

    def _defined(self, thing: Thing) -> Found:
        """The definition of what is declared (in a header), where there is one."""
        symbols, number = self._symbols, thing.number
        called = symbols.called(symbols.file[number], symbols.name(number))
        whole = [n for n in called if n != number and symbols.qualified(n) == symbols.qualified(number)]
        if len(whole) == 1 and symbols.kind(whole[0]) != "declaration":
            return Found(whole[0], min(thing.confidence, INFERRED))
        return Found(number, thing.confidence)

    def _by_name(self, file: int, name: str) -> Found:
        """The only definition of a name in the repository, where it is no name that many things have."""
        if len(name) <= _SHORT or name in COMMON:
            return Found(-1, 0.0, _UNKNOWN)
        found = [n for n in self._symbols.called(file, name) if self._symbols.kind(n) in FUNCTIONS]
        if len(found) == 1:
            return Found(found[0], NAMED)
        return Found(-1, 0.0, _AMBIGUOUS if found else _UNKNOWN)

    def _outer(self, use: Use) -> str:
        """Bases are named in what the class stands in."""
        return self._symbols.owner(use.file, use.source)


def _last(target: str) -> str:
    for separator in ("::", "->", "?.", ".", "\\"):
        target = target.rpartition(separator)[2]
    return target
