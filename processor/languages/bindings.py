"""Which types a file gives to its names: parameters, variables, fields, and what is made by a constructor. Pure.

A query says it by `bind.name` with `bind.type` (a type as written) or `bind.call` (a callee that gives it).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

from processor.languages.lines import Lines
from processor.languages.text import MAX_NAME
from processor.languages.uses import Captures, Edge, Scope, segments

Given: TypeAlias = tuple[int, str, str]  # first byte of a name, its type, the name

_CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object", "scope"})
_WRAPPED = re.compile(
    r"^(?:[\w.]*\.)?(?:Optional|Annotated|Final|ClassVar|Type|type|Box|Rc|Arc|Readonly)[\[<](.*)[\]>]$"
)
_REMEMBERED = 8_192  # types as written
_NOTHING = frozenset({"None", "null", "undefined"})
_NAME = re.compile(r"^[A-Za-z_$\\][\w.$:\\]*(?:\(\))?$")
_GENERIC = re.compile(r"^([A-Za-z_$\\][\w.$:\\]*)[\[<]")
_OWN = re.compile(r"^(?:self|cls|this|\$this)(?:\.|->)")
_VAGUE = frozenset({"Any", "object", "Object", "var", "auto", "any", "str", "int", "bool", "float", "bytes", "string"})


def types_given(matches: Iterable[Captures], source: bytes) -> list[Given]:
    """What each match gives a type to, in source order."""
    given: list[Given] = []
    for captures in matches:
        called = "bind.call" in captures
        named, typed = captures["bind.name"][0], captures["bind.call" if called else "bind.type"][0]
        first = named.start_byte
        name = source[first : named.end_byte].decode("utf-8", "replace")
        written = source[typed.start_byte : typed.end_byte]
        if len(written) > MAX_NAME or len(name) > MAX_NAME:
            continue
        type_ = _plain(written)
        given.append((first, f"{type_}()" if type_ and called else type_, name))
    given.sort()
    return given


def types_in_scopes(
    given: Sequence[Given], scopes: Sequence[Scope], lines: Lines
) -> tuple[dict[str, dict[str, str]], list[Edge]]:
    """Scope → name → type, and those of fields and of the file itself as edges.

    A name that is given two types in one scope has none, and one of no plain type neither.
    """
    bound: dict[tuple[str, str], tuple[str, int]] = {}
    for open_scopes, begin, end in segments([first for first, _, _ in given], scopes):
        here = open_scopes[-1].qualified_name if open_scopes else ""
        field = "self." if open_scopes and open_scopes[-1].kind in _CLASSES else ""
        for first, type_, name in given[begin:end]:
            own = _OWN.match(name) if "." in name or ">" in name else None
            key = (here, field + name) if own is None else _field(name[own.end() :], open_scopes)
            if key is None:
                continue
            held = bound.setdefault(key, (type_, first))
            if held[0] != type_ and type_:
                bound[key] = (_agreed(held[0], type_), held[1])
    classes = {scope.qualified_name for scope in scopes if scope.kind in _CLASSES}
    known: dict[str, dict[str, str]] = {}
    typed = []
    for (scope, name), (type_, first) in bound.items():
        if not type_:
            continue
        known.setdefault(scope, {})[name] = type_
        if not scope or (scope in classes and name.startswith("self.")):
            edge = Edge("typed", scope or None, type_, lines.line_of(first), name=name.removeprefix("self."))
            typed.append(edge)
    return known, typed


def _field(name: str, open_scopes: Sequence[Scope]) -> tuple[str, str] | None:
    """A name that was asked of `self`, as one of the class right around; None where there is none."""
    classes = (scope.qualified_name for scope in reversed(open_scopes) if scope.kind in _CLASSES)
    return next(((owner, f"self.{name}") for owner in classes), None)


def _agreed(held: str, other: str) -> str:
    """What two statements about a name amount to: a declared type is taken rather than what a call gives."""
    if held.endswith("()") != other.endswith("()") and held:
        return held if other.endswith("()") else other
    return other if not held else ""


@lru_cache(_REMEMBERED)
def _plain(written: bytes) -> str:
    return plain_type(written.decode("utf-8", "replace"))


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
