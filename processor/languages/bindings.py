"""Which types a file gives to its names: parameters, variables, fields, and what is made by a constructor. Pure.

A query says it by `bind.name` with `bind.type` (a type as written) or `bind.call` (a callee that gives it).
"""

import re
from collections.abc import Iterator, Sequence

from processor.languages.lines import Lines
from processor.languages.text import MAX_NAME, text_of
from processor.languages.uses import Captures, Edge, Scope, Use, enclosed

_CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object", "scope"})
_WRAPPED = re.compile(
    r"^(?:[\w.]*\.)?(?:Optional|Annotated|Final|ClassVar|Type|type|Box|Rc|Arc|Readonly)[\[<](.*)[\]>]$"
)
_NOTHING = frozenset({"None", "null", "undefined"})
_NAME = re.compile(r"^[A-Za-z_$\\][\w.$:\\]*(?:\(\))?$")
_GENERIC = re.compile(r"^([A-Za-z_$\\][\w.$:\\]*)[\[<]")
_OWN = re.compile(r"^(?:self|cls|this|\$this)(?:\.|->)")
_VAGUE = frozenset({"Any", "object", "Object", "var", "auto", "any", "str", "int", "bool", "float", "bytes", "string"})


class Bindings:
    """The types of a file's names, by the scope they are given in."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._given: list[Use] = []

    def add(self, captures: Captures) -> None:
        """Remember what one match says."""
        name = text_of(captures["bind.name"][0], self._source)
        called = "bind.call" in captures
        node = captures["bind.call" if called else "bind.type"][0]
        if node.end_byte - node.start_byte > MAX_NAME or len(name) > MAX_NAME:
            return
        type_ = plain_type(text_of(node, self._source))
        if type_ and called:
            type_ += "()"
        self._given.append((captures["bind.name"][0].start_byte, "typed", type_, "", "", name, "", 0))

    def in_scopes(self, scopes: Sequence[Scope], lines: Lines) -> tuple[dict[tuple[str, str], str], list[Edge]]:
        """(scope, name) → type, and those of fields and of the file itself as edges.

        A name that is given two types in one scope has none, and one of no plain type neither.
        """
        bound: dict[tuple[str, str], str] = {}
        at: dict[tuple[str, str], int] = {}
        self._given.sort()
        for key, type_, first in self._placed(scopes):
            held = bound.setdefault(key, type_)
            at.setdefault(key, first)
            if held != type_ and type_:
                bound[key] = _agreed(held, type_)
        known = {key: type_ for key, type_ in bound.items() if type_}
        classes = {scope.qualified_name for scope in scopes if scope.kind in _CLASSES}
        typed = [
            Edge("typed", scope or None, type_, lines.line_of(at[scope, name]), name=name.removeprefix("self."))
            for (scope, name), type_ in known.items()
            if not scope or (scope in classes and name.startswith("self."))
        ]
        return known, typed

    def _placed(self, scopes: Sequence[Scope]) -> Iterator[tuple[tuple[str, str], str, int]]:
        for given, open_scopes in enclosed(self._given, scopes):
            first, type_, name = given[0], given[2], given[5]
            if own := _OWN.match(name):
                owner = next((scope for scope in reversed(open_scopes) if scope.kind in _CLASSES), None)
                if owner is not None:
                    yield (owner.qualified_name, f"self.{name[own.end() :]}"), type_, first
            elif open_scopes and open_scopes[-1].kind in _CLASSES:
                yield (open_scopes[-1].qualified_name, f"self.{name}"), type_, first
            else:
                yield (open_scopes[-1].qualified_name if open_scopes else "", name), type_, first


def _agreed(held: str, other: str) -> str:
    """What two statements about a name amount to: a declared type is taken rather than what a call gives."""
    if held.endswith("()") != other.endswith("()") and held:
        return held if other.endswith("()") else other
    return other if not held else ""


def plain_type(text: str) -> str:
    """The one class that a type names: `X` of `X | None`, `Optional[X]`, `"X"`, `*X`, `X<T>`; else empty."""
    text = " ".join(text.split()).strip("\"'&*? ")
    text = text.removeprefix("const ").removeprefix("mut ").removeprefix("dyn ").lstrip("*&? ")
    while wrapped := _WRAPPED.match(text):
        text = wrapped.group(1).split(",")[0].strip("\"' ")
    if "|" in text and "[" not in text and "<" not in text:
        named = [part.strip("\"' ") for part in text.split("|") if part.strip() not in _NOTHING]
        text = named[0] if len(named) == 1 else ""
    if generic := _GENERIC.match(text):
        text = generic.group(1)
    return text if _NAME.match(text) and text not in _VAGUE else ""
