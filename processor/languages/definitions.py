"""What a syntax tree defines and uses: symbols and edges, from the matches of its language's query. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from processor.languages.docs import Comments, docstring_of
from processor.languages.grammars import Grammar
from processor.languages.lines import Lines

Captures: TypeAlias = dict[str, list[Node]]

MAX_DEPTH = 1_000  # nesting; beyond it nobody wrote the file by hand
MAX_SYMBOLS = 10_000  # a file
MAX_EDGES = 2_000  # a file, each (kind, source, target) once
_MAX_NAME = 200
_MAX_QUALIFIED = 1_000
_MAX_SIGNATURE = 400

_GENERIC = frozenset({"variable", "type"})  # another pattern may say more of the same node
_LEAVES = frozenset({"variable", "constant", "type", "macro", "declaration", "property"})  # enclose no definition
_CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "scope"})
_IMPORTING = frozenset({b"require", b"require_relative", b"load", b"autoload"})
_MIXING_IN = frozenset({b"include", b"extend", b"prepend"})
_PLAIN = re.compile(r"[\w.$:@>?!\\-]+")
_TAIL = re.compile(r"[A-Za-z_$][\w$]*[?!]?$")
_ARGUMENTS = re.compile(r"<[^<>]*>")  # of a template
_QUALIFYING = frozenset({"cpp", "ruby"})  # a definition may be named `Owner::name`
_RUBY_OPERATORS = frozenset({"<", "<=", "<<", "<=>"})


class Definition(NamedTuple):
    """One definition as found. Lines 1-based and inclusive, bytes half-open; `parent` is a qualified name."""

    kind: str
    name: str
    qualified_name: str
    parent: str | None
    signature: str
    docstring: str
    first_line: int
    last_line: int
    first_byte: int
    last_byte: int


class Edge(NamedTuple):
    """One use as written: an import, a call, an inheritance; `source` is the enclosing definition."""

    kind: str
    source: str | None
    target: str
    line: int


class _Span(NamedTuple):
    """A node that has a name, before its place among the others is known."""

    first: int
    last: int
    kind: str
    name: str
    owner: str
    node: Node
    body: Node | None


class Scope(NamedTuple):
    """What encloses others: a definition, or a block such as Rust's `impl`."""

    first: int
    last: int
    kind: str
    qualified_name: str
    first_line: int
    last_line: int


class Found(NamedTuple):
    """All that a file defines and uses, in source order."""

    definitions: tuple[Definition, ...]
    scopes: tuple[Scope, ...]
    edges: tuple[Edge, ...]


def find_definitions(matches: Sequence[tuple[int, Captures]], grammar: Grammar, lines: Lines) -> Found:
    """The definitions and edges that the matches of the grammar's query stand for."""
    spans: dict[tuple[int, int, str], _Span] = {}
    uses: list[tuple[int, str, str]] = []
    comments = Comments(lines)
    targets: dict[bytes, str] = {}
    source, roles = lines.source, grammar.roles
    for pattern, captures in matches:
        role = roles[pattern]
        if role == "call":
            [node] = captures["call"]
            start, end = node.byte_range
            text = source[start:end]
            if (target := targets.get(text)) is None:
                target = targets[text] = _target(text)
            uses.append((start, "call", target))
        elif role == "comment":
            comments.add(captures["comment"][0])
        elif role == "glue":
            comments.glue(captures["glue"][0])
        elif role == "use":
            uses.extend(_uses_of(captures, source))
        else:
            _keep(spans, _span_of(role, captures, grammar, source))
    ordered = sorted(spans.values(), key=lambda span: (span.first, -span.last))[:MAX_SYMBOLS]
    scopes, definitions = _place(ordered, grammar, lines, comments)
    return Found(tuple(definitions), tuple(scopes), tuple(_edges_of(uses, scopes, lines)))


def _keep(spans: dict[tuple[int, int, str], _Span], span: _Span | None) -> None:
    if span is None:
        return
    key = (span.first, span.last, span.name)
    if key not in spans or spans[key].kind in _GENERIC:
        spans[key] = span


def _span_of(role: str, captures: Captures, grammar: Grammar, source: bytes) -> _Span | None:
    node, name_node = captures[role][0], captures["name"][0]
    name = " ".join(_text(name_node, source).split()).strip("\"'`")
    owner = ""
    if "owner" in captures:
        owner = _text(captures["owner"][0], source)
    elif grammar.name in _QUALIFYING and ("::" in name or "<" in name or name.startswith("operator ")):
        owner, name = _split_owner(name)
    if not name or len(name) > _MAX_NAME:
        return None
    first, last = node.byte_range
    last = first + len(source[first:last].rstrip())
    kind = role.removeprefix("def.")
    bodies = captures.get("body")
    return _Span(first, last, kind, name, owner, node, bodies[0] if bodies else None)


def _split_owner(name: str) -> tuple[str, str]:
    """`A<T>::f` as `A` and `f`; the name of an operator may hold `<` and `::` itself."""
    if name in _RUBY_OPERATORS:
        return "", name
    before, operator, after = name.partition("operator")
    if after.startswith(" "):
        after = after.partition("(")[0]
    while "<" in before and (shorter := _ARGUMENTS.sub("", before)) != before:
        before = shorter
    owner, _, last = before.rpartition("::")
    return owner.strip(), f"{last}{operator}{after}".strip()


def _place(
    spans: Sequence[_Span], grammar: Grammar, lines: Lines, comments: Comments
) -> tuple[list[Scope], list[Definition]]:
    """Give each span its parent and qualified name, in one sweep over the spans in source order."""
    scopes: list[Scope] = []
    definitions: list[Definition] = []
    open_scopes: list[Scope] = []
    for span in spans:
        while open_scopes and open_scopes[-1].last <= span.first:
            open_scopes.pop()
        if len(open_scopes) >= MAX_DEPTH:
            continue
        outer = open_scopes[-1] if open_scopes else None
        parent = grammar.separator.join(filter(None, (outer.qualified_name if outer else "", span.owner)))
        qualified = f"{parent}{grammar.separator}{span.name}" if parent else span.name
        if len(qualified) > _MAX_QUALIFIED:
            continue
        kind = span.kind
        if kind == "function" and (span.owner or (outer is not None and outer.kind in _CLASSES)):
            kind = "method"
        if kind not in _LEAVES:
            first_line, last_line = lines.line_of(span.first), lines.line_of(span.last - 1)
            scope = Scope(span.first, span.last, kind, qualified, first_line, last_line)
            scopes.append(scope)
            open_scopes.append(scope)
        if kind != "scope":
            definitions.append(_definition(span, kind, qualified, parent or None, lines, comments))
    return scopes, definitions


def _definition(
    span: _Span, kind: str, qualified: str, parent: str | None, lines: Lines, comments: Comments
) -> Definition:
    body = span.body or span.node.child_by_field_name("body")
    first_line = lines.line_of(span.first)
    return Definition(
        kind=kind,
        name=span.name,
        qualified_name=qualified,
        parent=parent,
        signature=_signature(span, body, first_line, lines),
        docstring=docstring_of(body, lines.source) or comments.above(first_line),
        first_line=first_line,
        last_line=lines.line_of(span.last - 1),
        first_byte=span.first,
        last_byte=span.last,
    )


def _signature(span: _Span, body: Node | None, first_line: int, lines: Lines) -> str:
    """The definition up to its body, on one line, with what stands before it on its first line (`export const`)."""
    start = lines.start_of(first_line)
    end = body.start_byte if body is not None and body.start_byte > span.first else span.last
    text = lines.source[start : min(end, start + 4 * _MAX_SIGNATURE)]
    if body is None:
        text = text.split(b"\n", 1)[0]
    signature = " ".join(text.decode("utf-8", "replace").split()).removesuffix("=>").rstrip(" {:=")
    return signature[:_MAX_SIGNATURE]


def _uses_of(captures: Captures, source: bytes) -> Iterator[tuple[int, str, str]]:
    """(first byte, kind, target) of the imports and inheritances in one match."""
    if "component" in captures:  # in JSX, lower case is HTML and upper case is a call
        node = captures["component"][0]
        if source[node.start_byte : node.start_byte + 1].isupper():
            yield node.start_byte, "call", _target(source[node.start_byte : node.end_byte])
        return
    kind = "inherit" if "inherit" in captures else "import"
    callee = captures.get("callee")
    if callee:
        named = source[callee[0].start_byte : callee[0].end_byte]
        if named not in (_IMPORTING if kind == "import" else _MIXING_IN):
            return
    prefix = _text(captures["import.from"][0], source) if "import.from" in captures else ""
    for node in captures.get("import.name" if prefix else kind, ()):
        text = source[node.start_byte : node.end_byte]
        target = prefix + " ".join(_text(node, source).split()) if kind == "import" else _target(text)
        yield node.start_byte, kind, target.strip("\"'<> ")[:_MAX_NAME]


def _text(node: Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _target(written: bytes) -> str:
    """The callee or type as written where that is a plain name, else its last name; empty where it has none."""
    text = written.decode("utf-8", "replace")
    if len(text) <= _MAX_NAME and _PLAIN.fullmatch(text):
        return text
    head, generic, _ = text.partition("<")
    tail = _TAIL.search((head if generic and "(" not in head else text)[-_MAX_NAME:].rstrip())
    return tail.group() if tail else ""


def _edges_of(uses: list[tuple[int, str, str]], scopes: Sequence[Scope], lines: Lines) -> Iterator[Edge]:
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
