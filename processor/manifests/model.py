"""What one manifest says, which files are manifests, and where in a text something stands."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

MAX_DEPENDENCIES = 50_000  # of one manifest or lock file; more is none
_NEVER = 0
_WORD = re.compile(r"[\w.@/-]+")
_NEWLINE = re.compile("\n")

# What a dependency is needed for. `managed`: only its version is set, for whoever needs it; `constraint`: the same in
# Python; `transitive`: needed by another dependency; empty: a lock that does not say.
SCOPES = ("runtime", "peer", "optional", "dev", "test", "build", "managed", "constraint", "transitive", "")
_GROUPS = {
    "": "runtime",
    "main": "runtime",
    "default": "runtime",
    "prod": "runtime",
    "production": "runtime",
    "build": "build",
}
_TEST = re.compile(r"(?:^|[-_+. ])(?:test|tests|testing|spec)(?:$|[-_+. ])", re.IGNORECASE)


@dataclass(frozen=True)
class Dependency:
    """One thing that is needed.

    `constraint` is what is asked for, `version` what a lock file chose, `scope` one of SCOPES, `group` the extra,
    group, stage or job it belongs to; `line` is 1-based, 0 where unknown.
    """

    name: str
    constraint: str
    scope: str
    line: int = _NEVER
    version: str = ""
    group: str = ""


@dataclass(frozen=True)
class EntryPoint:
    """Something that can be started: a command with what it runs, or a script with its command line."""

    name: str
    target: str
    kind: str = "command"


@dataclass(frozen=True)
class Manifest:
    """What one manifest says of the project. `includes` are files that it reads besides, with the scope they get."""

    ecosystem: str
    name: str = ""
    description: str = ""
    licence: str = ""
    dependencies: tuple[Dependency, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    includes: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, Dependency], ...] = ()  # short names that other manifests use
    variables: tuple[tuple[str, str], ...] = ()  # texts that manifests in the folders below may put in


Parse = Callable[["Text"], Manifest]


@dataclass(frozen=True)
class Format:
    """A kind of manifest. `name` and `folder` are patterns of the file's name and of the folders above; case is free.

    A lock file says which versions were chosen, and of what they all need. `names_project`: the file is called like the
    project, where it does not say another name.
    """

    name: str
    parse: Parse
    is_lock: bool = False
    folder: str = ".*"
    names_project: bool = False


class Text:
    """The text of a manifest, and where in it something stands."""

    def __init__(self, content: str) -> None:
        self.content = content.removeprefix("\ufeff")
        self.lines = self.content.split("\n")
        self._places: dict[str, list[int]] | None = None
        self._newlines: list[int] | None = None

    def line_at(self, offset: int) -> int:
        """The line of the character at `offset`."""
        if self._newlines is None:
            self._newlines = [match.start() for match in _NEWLINE.finditer(self.content)]
        return bisect_right(self._newlines, offset - 1) + 1

    def offset_of(self, line: int) -> int:
        """Where a line begins."""
        self.line_at(0)
        newlines = self._newlines or []
        return newlines[min(line, len(newlines) + 1) - 2] + 1 if line > 1 and newlines else 0

    def find(self, literal: str, *, from_line: int = 1) -> int:
        """The first line from `from_line` on in which `literal` begins, else 0."""
        place = self.content.find(literal, self.offset_of(from_line)) if literal else -1
        return self.line_at(place) if place >= 0 else _NEVER

    def line_of(self, name: str, *, after: int = 0) -> int:
        """The first line after line `after` that has `name` as a word, else the first at all, else 0."""
        places = self._index().get(name.lower(), [])
        if not places:
            return _NEVER
        later = bisect_right(places, after)
        return places[later] if later < len(places) else places[0]

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
    return " ".join(value[:5_000].split())[:1_000] if isinstance(value, str) else ""


def scope_of_group(group: str) -> str:
    """What a named group of dependencies is for, by its name."""
    known = _GROUPS.get(group.lower())
    return known or ("test" if _TEST.search(group) else "dev")


def limited(dependencies: Iterable[Dependency]) -> tuple[Dependency, ...]:
    """At most `MAX_DEPENDENCIES`, each once, with names and constraints of a sane length, on one line."""
    kept: dict[Dependency, None] = {}
    for found in dependencies:
        if len(kept) == MAX_DEPENDENCIES:
            break
        name = text_of(found.name)
        if name and len(found.name) <= 200:
            constraint = text_of(found.constraint)[:200]
            version, group = text_of(found.version)[:200], text_of(found.group)[:200]
            kept[replace(found, name=name, constraint=constraint, version=version, group=group)] = None
    return tuple(kept)
