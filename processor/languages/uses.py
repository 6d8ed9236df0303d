"""What a syntax tree uses: imports, calls and inheritances, each with the definition it stands in. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from processor.languages.imports import imports_of
from processor.languages.lines import Lines
from processor.languages.text import MAX_NAME, receiver_written, taken_apart, target_of, text_of

Captures: TypeAlias = dict[str, list[Node]]
# first byte, kind, target, receiver, module, name, alias, level
Use: TypeAlias = tuple[int, str, str, str, str, str, str, int]
Bound: TypeAlias = Mapping[str, Mapping[str, str]]  # enclosing definition → name → type as written

MAX_EDGES = 2_000  # a file, each use once
_REMEMBERED = 8_192  # beginnings of receivers
_NEVER = 1 << 62  # behind the last byte of any file
_NOTHING: Mapping[str, str] = {}
_OWN = ("self", "cls", "this", "$this", "Self", "static")
_IN_ORDER = itemgetter(0, 1, 2)
_BESIDE = frozenset({"require_relative"})  # a path that is looked for beside the file


class Edge(NamedTuple):
    """One use as written: an import, a call, an inheritance; `source` is the enclosing definition.

    `receiver` is what a call is asked of, `receiver_type` the type that the file gives to the beginning of it;
    `module`, `name`, `alias` and `level` are those of an import. `typed` says which type a field or a variable of the
    file has: `name` is the field, `source` its class, `target` the type.
    """

    kind: str
    source: str | None
    target: str
    line: int
    receiver: str = ""
    receiver_type: str = ""
    module: str = ""
    name: str = ""
    alias: str = ""
    level: int = 0


class Scope(NamedTuple):
    """What encloses others: a definition, or a block such as Rust's `impl`."""

    first: int
    last: int
    kind: str
    qualified_name: str
    first_line: int
    last_line: int


def calls_of(matches: Iterable[Captures], source: bytes) -> list[Use]:
    """The call in each match; `receiver` is captured where it stands apart from the name."""
    uses: list[Use] = []
    for captures in matches:
        node = captures["call"][0]
        start = node.start_byte
        target, receiver = taken_apart(source[start : node.end_byte])
        if len(captures) > 1:
            asked = captures["receiver"][0]
            receiver = receiver_written(source[asked.start_byte : asked.end_byte])
        uses.append((start, "call", target, receiver, "", "", "", 0))
    return uses


def uses_of(captures: Captures, language: str, separator: str, source: bytes) -> Iterator[Use]:
    """The imports and inheritances in one match, or the package that the file says it is in."""
    if "imports" in captures:
        for each in imports_of(language, captures["imports"][0], source):
            yield (each.at, "import", each.target, "", each.module, each.name, each.alias, each.level)
        return
    if "component" in captures:
        yield from _component(captures["component"][0], source)
        return
    kind = next((one for one in _NAMED if one in captures), "import")
    begun = captures.get("import.from")
    prefix = source[begun[0].start_byte : begun[-1].end_byte].decode("utf-8", "replace") if begun else ""
    if "import.name" in captures and prefix[-1:].isalnum():
        prefix += separator
    elif begun and "import.name" not in captures:
        yield _use(begun[0].start_byte, "import", prefix[:MAX_NAME])
    for node in captures.get("import.name" if prefix else kind, ()):
        text = source[node.start_byte : node.end_byte]
        if kind in _NAMED:
            yield _use(node.start_byte, kind, _NAMED[kind](text)[:MAX_NAME])
        else:
            written = prefix + " ".join(text_of(node, source).split())
            yield from _plain_imports(node.start_byte, written, captures, language, source)


def _component(node: Node, source: bytes) -> Iterator[Use]:
    """In JSX, lower case is HTML and upper case is a call."""
    if source[node.start_byte : node.start_byte + 1].isupper():
        yield _use(node.start_byte, "call", target_of(source[node.start_byte : node.end_byte]))


def _base(written: bytes) -> str:
    return target_of(written).strip("\"'<> ")


def _package(written: bytes) -> str:
    return "".join(written.decode("utf-8", "replace").replace("`", "").split())


_NAMED = {"inherit": _base, "package": _package}


def _use(at: int, kind: str, target: str) -> Use:
    return (at, kind, target, "", target if kind == "import" else "", "", "", 0)


def _plain_imports(at: int, written: str, captures: Captures, language: str, source: bytes) -> Iterator[Use]:
    """An import of a module, or of a file by its path; `const { a, b: c } = require(…)` has a row for each name."""
    target = written.strip("\"'<> ")[:MAX_NAME]
    to = captures["import.to"][0] if "import.to" in captures else None
    callee = text_of(captures["callee"][0], source) if "callee" in captures else ""
    beside = written[:1] == '"' if language in {"c", "cpp"} else language == "php" or callee in _BESIDE
    level = int(beside or target.startswith("."))
    for name, alias in _taken(to, source) if to is not None else [("", "")]:
        yield (at, "import", target, "", target, name[:MAX_NAME], alias[:MAX_NAME], level)


def _taken(to: Node, source: bytes) -> Iterator[tuple[str, str]]:
    """The names that a module is assigned to, as (name, alias)."""
    if to.type != "object_pattern":
        yield "", text_of(to, source) if to.type == "identifier" else ""
        return
    for child in to.named_children[:100]:
        key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
        if key is not None and value is not None:
            yield text_of(key, source), text_of(value, source)
        elif child.type == "shorthand_property_identifier_pattern":
            yield text_of(child, source), ""


def outside(quiet: list[tuple[int, int]], uses: list[Use]) -> Iterator[Use]:
    """The uses that are not calls within one of the ranges of bytes, in source order."""
    quiet.sort()
    upto = place = 0
    for use in sorted(uses, key=_IN_ORDER):
        while place < len(quiet) and quiet[place][0] <= use[0]:
            upto = max(upto, quiet[place][1])
            place += 1
        if use[0] >= upto or use[1] != "call":
            yield use


def edges_of(uses: list[Use], scopes: Sequence[Scope], lines: Lines, bound: Bound, typed: list[Edge]) -> list[Edge]:
    """Each use once for its enclosing definition, in source order, then `typed`; at most `MAX_EDGES`."""
    uses.sort(key=_IN_ORDER)
    seen: dict[str | None, set[tuple[object, ...]]] = {}
    edges: list[Edge] = []
    starts, count = lines.starts, lines.count
    for open_scopes, begin, end in segments([use[0] for use in uses], scopes):
        source = open_scopes[-1].qualified_name if open_scopes else None
        known = seen.setdefault(source, set())
        types: dict[str, str] = {}
        for at, kind, target, receiver, module, name, alias, level in uses[begin:end]:
            key = (kind, target, receiver, module, name)
            if not target or key in known:
                continue
            known.add(key)
            type_ = types.get(receiver) if receiver and bound else ""
            if type_ is None:
                type_ = types[receiver] = type_of(receiver, open_scopes, bound)
            line = bisect_right(starts, at, 0, count) or 1
            row = (kind, source, target, line, receiver, type_, module, name, alias, level)
            edges.append(tuple.__new__(Edge, row))  # a third of what `Edge(…)` takes
        if len(edges) >= MAX_EDGES:
            break
    return (edges + typed)[:MAX_EDGES]


def segments(begins: Sequence[int], scopes: Sequence[Scope]) -> Iterator[tuple[Sequence[Scope], int, int]]:
    """Of what begins at these bytes, in order, the runs that stand in the same scopes, as slices: begin and end.

    The innermost scope is last. The scopes are read, not kept.
    """
    open_scopes: list[Scope] = []
    place = following = 0
    count, most = len(scopes), len(begins)
    coming = scopes[0].first if scopes else _NEVER
    while place < most:
        at = begins[place]
        while coming <= at:
            while open_scopes and open_scopes[-1].last <= coming:
                open_scopes.pop()
            open_scopes.append(scopes[following])
            following += 1
            coming = scopes[following].first if following < count else _NEVER
        while open_scopes and open_scopes[-1].last <= at:
            open_scopes.pop()
        border = open_scopes[-1].last if open_scopes and open_scopes[-1].last < coming else coming
        end = bisect_left(begins, border, place)
        yield open_scopes, place, end
        place = end


@lru_cache(_REMEMBERED)
def beginning_of(receiver: str) -> str:
    """The part of a receiver that a file may give a type to: `self.a` of `self.a.b`, `a` of `a.b`."""
    parts = receiver.replace("->", ".").replace("?.", ".").split(".", 2)
    if parts[0] in _OWN and len(parts) > 1:
        return f"self.{parts[1]}"
    return parts[0]


def type_of(receiver: str, open_scopes: Sequence[Scope], bound: Bound) -> str:
    """The type that the innermost scope gives to the beginning of a receiver; empty where none does."""
    beginning = beginning_of(receiver)
    for scope in reversed(open_scopes):
        if (held := bound.get(scope.qualified_name)) is None:
            continue
        # A field is named bare in some languages (`field.call()`), and by its owner in others (`self.field.call()`).
        found = held.get(beginning) or held.get(f"self.{beginning}")
        if found is not None:
            return found
    return bound.get("", _NOTHING).get(beginning, "")
