"""What `.gitattributes` of any folder say of a path, as `git check-attr` has it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from processor.rules.ignoring import lines_of
from processor.rules.patterns import Patterns, folders_above

Value: TypeAlias = bool | str | None  # set, unset, `attribute=value`; None where a line takes back what others say
Assigned: TypeAlias = tuple[tuple[str, Value], ...]

_BLANKS = b" \t\r\n\f\v"
_MAX_LINE = 2_048  # bytes; git passes over longer ones
_NAME = re.compile(rb"[A-Za-z0-9_.][-A-Za-z0-9_.]*")
_MACRO = b"[attr]"
_BUILT_IN: Mapping[str, Assigned] = {"binary": (("diff", False), ("merge", False), ("text", False))}
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2}|.)", re.DOTALL)


@dataclass(frozen=True)
class Found:
    """The value of an attribute, and the line that says so (`docs/.gitattributes:3`)."""

    value: Value
    rule: str


@dataclass(frozen=True)
class _File:
    name: str
    patterns: Patterns
    assigned: Sequence[Assigned]


class Attributes:
    """The attributes of a tree."""

    def __init__(self, files: Mapping[bytes, bytes]) -> None:
        """`files` by their paths from the top. Macros are read from the top's file alone, as git does."""
        self._macros = dict(_BUILT_IN)
        self._files: dict[bytes, _File] = {}
        for path, content in files.items():
            folder = path[: path.rfind(b"/") + 1]
            self._files[folder] = self._read(path.decode("utf-8", "replace"), content, at_top=not folder)

    def __len__(self) -> int:
        return sum(len(file.patterns) for file in self._files.values())

    def of(self, path: bytes) -> dict[str, Found]:
        """Every attribute that is said of the file at `path`."""
        found: dict[str, Found] = {}
        for rule, assigned in self._lines_for(path) if self._files else ():
            for name, value in reversed(assigned):
                self._settle(found, name, Found(value, rule))
        return found

    def _settle(self, found: dict[str, Found], name: str, said: Found) -> None:
        """The first to be heard counts: lines come with the strongest first. A macro that is set says more."""
        if name in found:
            return
        found[name] = said
        if said.value is True:
            for other, value in reversed(self._macros.get(name, ())):
                self._settle(found, other, Found(value, said.rule))

    def _lines_for(self, path: bytes) -> Iterator[tuple[str, Assigned]]:
        for base in folders_above(path):
            if (file := self._files.get(base)) is not None:
                for number in reversed(file.patterns.matching(path[len(base) :])):
                    yield f"{file.name}:{number + 1}", file.assigned[number]

    def _read(self, name: str, content: bytes, *, at_top: bool) -> _File:
        read = [_read_line(line) for line in lines_of(content)]
        for pattern, assigned in read:
            if at_top and pattern.startswith(_MACRO) and pattern != _MACRO:
                self._macros[pattern.removeprefix(_MACRO).decode("utf-8", "replace")] = assigned
        patterns = Patterns([b"" if pattern.startswith((b"!", _MACRO)) else pattern for pattern, _ in read])
        return _File(name, patterns, [assigned for _, assigned in read])


def _read_line(line: bytes) -> tuple[bytes, Assigned]:
    """The pattern of a line and what it assigns; an empty pattern for a line that says nothing."""
    bare = line.lstrip(_BLANKS)
    if not bare or bare.startswith(b"#") or len(line) > _MAX_LINE:
        return b"", ()
    pattern, rest = _split(bare)
    assigned = [_read_state(word) for word in rest.split()]
    known = tuple(state for state in assigned if state is not None)
    return (pattern, known) if len(known) == len(assigned) else (b"", ())


def _split(bare: bytes) -> tuple[bytes, bytes]:
    """The pattern, which may stand in quotes, and what follows."""
    if bare.startswith(_MACRO):
        name, *rest = bare.removeprefix(_MACRO).split(maxsplit=1)
        return _MACRO + name, b"".join(rest)
    if bare.startswith(b'"') and (quoted := re.match(rb'"((?:[^"\\]|\\.)*)"', bare, re.DOTALL)) is not None:
        pattern = _ESCAPE.sub(_unescaped, quoted[1])
        return (b"\\" + pattern if pattern.startswith(b"#") else pattern), bare[quoted.end() :]
    pattern, *rest = bare.split(maxsplit=1)
    return pattern, b"".join(rest)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    said = escape[1]
    return bytes([int(said, 8)]) if len(said) == 3 else _ESCAPES.get(said, said)


def _read_state(word: bytes) -> tuple[str, Value] | None:
    sign, name = (word[:1], word[1:]) if word[:1] in {b"-", b"!"} else (b"", word)
    name, equals, value = name.partition(b"=")
    if not _NAME.fullmatch(name):
        return None
    if sign:
        return name.decode(), False if sign == b"-" else None
    return name.decode(), value.decode("utf-8", "replace") if equals else True
