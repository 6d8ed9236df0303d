"""What a syntax tree uses: imports, calls and inheritances, each with the definition it stands in. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from processor.languages.lines import Lines

Captures: TypeAlias = dict[str, list[Node]]

MAX_EDGES = 2_000  # a file, each (kind, source, target) once
MAX_NAME = 200
_PLAIN = re.compile(r"[\w.$:@>?!\\-]+")
_TAIL = re.compile(r"[A-Za-z_$][\w$]*[?!]?$")


class Edge(NamedTuple):
    """One use as written: an import, a call, an inheritance; `source` is the enclosing definition."""

    kind: str
    source: str | None
    target: str
    line: int


class Scope(NamedTuple):
    """What encloses others: a definition, or a block such as Rust's `impl`."""

    first: int
    last: int
    kind: str
    qualified_name: str
    first_line: int
    last_line: int


def uses_of(captures: Captures, separator: str, source: bytes) -> Iterator[tuple[int, str, str]]:
    """(first byte, kind, target) of the imports and inheritances in one match."""
    if "component" in captures:  # in JSX, lower case is HTML and upper case is a call
        node = captures["component"][0]
        if source[node.start_byte : node.start_byte + 1].isupper():
            yield node.start_byte, "call", target_of(source[node.start_byte : node.end_byte])
        return
    kind = "inherit" if "inherit" in captures else "import"
    begun = captures.get("import.from")
    prefix = source[begun[0].start_byte : begun[-1].end_byte].decode("utf-8", "replace") if begun else ""
    if "import.name" in captures and prefix[-1:].isalnum():
        prefix += separator
    elif begun and "import.name" not in captures:
        yield begun[0].start_byte, "import", prefix[:MAX_NAME]
    for node in captures.get("import.name" if prefix else kind, ()):
        text = source[node.start_byte : node.end_byte]
        target = prefix + " ".join(text_of(node, source).split()) if kind == "import" else target_of(text)
        yield node.start_byte, kind, target.strip("\"'<> ")[:MAX_NAME]


def outside(quiet: list[tuple[int, int]], uses: list[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    """The uses that are not calls within one of the ranges of bytes, in source order."""
    quiet.sort()
    upto = place = 0
    for use in sorted(uses):
        while place < len(quiet) and quiet[place][0] <= use[0]:
            upto = max(upto, quiet[place][1])
            place += 1
        if use[0] >= upto or use[1] != "call":
            yield use


def text_of(node: Node, source: bytes) -> str:
    """The text of a node."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def target_of(written: bytes) -> str:
    """The callee or type as written where that is a plain name, else its last name; empty where it has none."""
    text = written.decode("utf-8", "replace")
    if len(text) <= MAX_NAME and _PLAIN.fullmatch(text):
        return text
    head, generic, _ = text.partition("<")
    tail = _TAIL.search((head if generic and "(" not in head else text)[-MAX_NAME:].rstrip())
    return tail.group() if tail else ""


def edges_of(uses: list[tuple[int, str, str]], scopes: Sequence[Scope], lines: Lines) -> Iterator[Edge]:
    """Each use once for its enclosing definition, in source order, at most `MAX_EDGES`."""
    uses.sort()
    coming = iter(scopes)
    following = next(coming, None)
    seen: set[tuple[str, str | None, str]] = set()
    open_scopes: list[Scope] = []
    for at, kind, target in uses:
        while following is not None and following.first <= at:
            while open_scopes and open_scopes[-1].last <= following.first:
                open_scopes.pop()
            open_scopes.append(following)
            following = next(coming, None)
        while open_scopes and open_scopes[-1].last <= at:
            open_scopes.pop()
        source = open_scopes[-1].qualified_name if open_scopes else None
        key = (kind, source, target)
        if key in seen or not target:
            continue
        seen.add(key)
        yield Edge(kind, source, target, lines.line_of(at))
        if len(seen) >= MAX_EDGES:
            return
