"""What a syntax tree defines and uses: symbols and edges, from the matches of its language's query. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from processor.languages.docs import Comments, clean_doc, docstring_of
from processor.languages.grammars import Condition, Grammar
from processor.languages.lines import Lines
from processor.languages.uses import MAX_NAME, Captures, Edge, Scope, edges_of, outside, target_of, text_of, uses_of

MAX_DEPTH = 1_000  # nesting; beyond it nobody wrote the file by hand
_MAX_QUALIFIED = 1_000
_MAX_SIGNATURE = 400

_SECTION = "section."
_PRECISION = {"variable": 0, "type": 0, "class": 1}  # of a kind; 2 for the rest: another pattern may say more
_LEAVES = frozenset(  # enclose no definition
    {"variable", "constant", "type", "macro", "declaration", "property", "column", "rule"}
)
_CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object", "scope"})
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


class _Span(NamedTuple):
    """A node that has a name, before its place among the others is known."""

    first: int
    last: int
    kind: str
    name: str
    owner: str
    node: Node
    body: Node | None
    doc: str


class Found(NamedTuple):
    """All that a file defines and uses, in source order."""

    definitions: tuple[Definition, ...]
    scopes: tuple[Scope, ...]
    edges: tuple[Edge, ...]


def find_definitions(matches: Sequence[tuple[int, Captures]], grammar: Grammar, lines: Lines) -> Found:
    """The definitions and edges that the matches of the grammar's query stand for."""
    spans: dict[tuple[int, int, str], _Span] = {}
    uses: list[tuple[int, str, str]] = []
    quiet: list[tuple[int, int]] = []
    comments = Comments(lines)
    targets: dict[bytes, str] = {}
    source = lines.source
    for role, captures in _counting(matches, grammar, source):
        if role == "call":
            [node] = captures["call"]
            start, end = node.byte_range
            text = source[start:end]
            if (target := targets.get(text)) is None:
                target = targets[text] = target_of(text)
            uses.append((start, "call", target))
        elif role == "comment":
            comments.add(captures["comment"][0], captures["doc"][0] if "doc" in captures else None)
        elif role == "glue":
            comments.glue(captures["glue"][0])
        elif role == "quiet":
            quiet.extend(node.byte_range for node in captures["quiet"])
        elif role == "use":
            uses.extend(uses_of(captures, grammar.separator, source))
        else:
            _keep(spans, _span_of(role, captures, grammar, source))
    ordered = _in_order(spans.values(), source)
    scopes, definitions = _place(ordered[: grammar.most_symbols], grammar, lines, comments)
    heard = list(outside(quiet, uses)) if quiet else uses
    return Found(tuple(definitions), tuple(scopes), tuple(edges_of(heard, scopes, lines)))


def _counting(
    matches: Sequence[tuple[int, Captures]], grammar: Grammar, source: bytes
) -> Iterator[tuple[str, Captures]]:
    """The matches whose conditions hold, with their roles."""
    roles, conditions = grammar.roles, grammar.conditions
    for pattern, captures in matches:
        if not conditions[pattern] or _holds(conditions[pattern], captures, source):
            yield roles[pattern], captures


def _holds(conditions: Sequence[Condition], captures: Captures, source: bytes) -> bool:
    for capture, text, wanted in conditions:
        for node in captures.get(capture, ()):
            if (text.search(source[node.start_byte : node.end_byte]) is not None) != wanted:
                return False
    return True


def _keep(spans: dict[tuple[int, int, str], _Span], span: _Span | None) -> None:
    """Keep one span of those that stand for the same definition, with what each of its patterns says."""
    if span is None:
        return
    key = (span.first, span.last, span.name)
    held = spans.get(key)
    if held is None:
        spans[key] = span
        return
    precision = _PRECISION.get(held.kind, 2)
    best = span if not precision or _PRECISION.get(span.kind, 2) > precision else held
    spans[key] = best._replace(
        body=best.body or held.body or span.body,
        doc=best.doc or held.doc or span.doc,
        owner=best.owner or held.owner or span.owner,
    )


def _in_order(spans: Iterable[_Span], source: bytes) -> list[_Span]:
    """The spans in source order, the outer ones first; sections go on until the next one, or the end of the file."""
    ordered = sorted(spans, key=lambda span: (span.first, -span.last))
    if not any(span.kind.startswith(_SECTION) for span in ordered):
        return ordered
    end = len(source)
    extended = []
    for span in reversed(ordered):
        if span.kind.startswith(_SECTION):
            last = span.first + len(source[span.first : end].rstrip())
            extended.append(span._replace(kind=span.kind.removeprefix(_SECTION), last=last))
            end = span.first
        else:
            extended.append(span)
    return extended[::-1]


def _span_of(role: str, captures: Captures, grammar: Grammar, source: bytes) -> _Span | None:
    node, name_node = captures[role][0], captures["name"][0]
    name = " ".join(text_of(name_node, source).split()).strip("\"'`")
    owner = ""
    if "owner" in captures:
        owner = text_of(captures["owner"][0], source)
    elif grammar.name in _QUALIFYING and ("::" in name or "<" in name or name.startswith("operator ")):
        owner, name = _split_owner(name)
    if not name or len(name) > MAX_NAME:
        return None
    body = captures["body"][0] if "body" in captures else None
    first, last = node.byte_range
    if body is not None:
        last = max(last, body.end_byte)
    last = first + len(source[first:last].rstrip())
    doc = clean_doc(text_of(captures["doc"][0], source)) if "doc" in captures else ""
    return _Span(first, last, role.removeprefix("def."), name, owner, node, body, doc)


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
        docstring=span.doc or docstring_of(body, lines.source) or comments.above(first_line),
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
