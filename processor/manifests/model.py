"""What one manifest says, and how a line is found again in it."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

MAX_DEPENDENCIES = 2_000  # of one manifest; more is no manifest
_NEVER = 0
_WORD = re.compile(r"[\w.@/-]+")


@dataclass(frozen=True)
class Dependency:
    """One thing that is needed. `scope` is runtime, dev, test, build, peer …; `line` is 1-based, 0 where unknown."""

    name: str
    constraint: str
    scope: str
    line: int = _NEVER


@dataclass(frozen=True)
class EntryPoint:
    """Something that can be started: a command with what it runs, or a script with its command line."""

    name: str
    target: str
    kind: str = "command"


@dataclass(frozen=True)
class Manifest:
    """What one manifest says of the project."""

    ecosystem: str
    name: str = ""
    description: str = ""
    licence: str = ""
    dependencies: tuple[Dependency, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()


Parse = Callable[["Text"], Manifest]


class Text:
    """The text of a manifest, and where in it something stands."""

    def __init__(self, content: str) -> None:
        self.content = content.removeprefix("\ufeff")
        self.lines = self.content.splitlines()
        self._places: dict[str, list[int]] | None = None

    def line_of(self, name: str, *, after: int = 0) -> int:
        """The first line after line `after` that has `name` as a word, else the first at all, else 0."""
        places = self._index().get(name.lower(), [])
        if not places:
            return _NEVER
        later = bisect_right(places, after)
        return places[later] if later < len(places) else places[0]

    def heading(self, text: str) -> int:
        """How many lines stand above the section that begins with `text`; 0 where there is none."""
        return next((above for above, line in enumerate(self.lines) if text in line), 0)

    def _index(self) -> dict[str, list[int]]:
        """Word → lines. Made once: a search for each of thousands of names would take minutes."""
        if self._places is None:
            self._places = {}
            for number, line in enumerate(self.lines, 1):
                for word in _WORD.findall(line[:2_000].lower()):
                    self._places.setdefault(word, []).append(number)
        return self._places


def table(value: object) -> Mapping[str, object]:
    """`value` where it is a mapping with text keys, else an empty one."""
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, Mapping) else {}


def texts(value: object) -> list[str]:
    """The texts in `value` where it is a list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """`value` where it is a text, on one line."""
    return " ".join(value.split())[:1_000] if isinstance(value, str) else ""


def limited(dependencies: Iterable[Dependency]) -> tuple[Dependency, ...]:
    """At most `MAX_DEPENDENCIES`, with names and constraints of a sane length."""
    kept: list[Dependency] = []
    for dependency in dependencies:
        if len(kept) == MAX_DEPENDENCIES:
            break
        if dependency.name and len(dependency.name) <= 200:
            kept.append(Dependency(dependency.name, dependency.constraint[:200], dependency.scope, dependency.line))
    return tuple(kept)
