"""Where each definition stands: its parent, its qualified name, who may use it, how large it is. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from processor.languages.docs import DOCUMENTED_INSIDE, Comments, docstring_of
from processor.languages.grammars import Grammar
from processor.languages.lines import Lines
from processor.languages.measures import Measures
from processor.languages.uses import Scope
from processor.languages.visibility import SAID_IN_WORDS, visibility_of

MAX_DEPTH = 1_000  # nesting; beyond it nobody wrote the file by hand
_MAX_QUALIFIED = 1_000
_MAX_SIGNATURE = 400
_MAX_BEFORE = 80  # bytes on the line of a definition
_LEAVES = frozenset(  # enclose no definition
    {"variable", "constant", "type", "macro", "declaration", "property", "column", "rule"}
)
_CLASSES = frozenset({"class", "interface", "struct", "enum", "trait", "object", "scope"})


class Definition(NamedTuple):
    """One definition as found. Lines 1-based and inclusive, bytes half-open; `parent` is a qualified name.

    `complexity` is McCabe's, of functions alone; `code_lines` are those neither blank nor comment.
    """

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
    visibility: str = ""
    complexity: int = 0
    code_lines: int = 0


class Span(NamedTuple):
    """A node that has a name, before its place among the others is known."""

    first: int
    last: int
    kind: str
    name: str
    owner: str
    node: Node
    body: Node | None
    doc: str
    named: int  # first byte of its name


class Labels:
    """The labels that say who may use what stands below them, up to the end of what they stand in."""

    def __init__(self, labels: list[tuple[int, str]]) -> None:
        self._labels = sorted(labels)
        self._next = 0
        self._said: dict[int, str] = {}  # first byte of the enclosing scope → what the last label in it says

    def at(self, byte: int, open_scopes: Sequence[Scope]) -> str:
        """What holds at `byte`, whose scopes are `open_scopes`. To be asked in the order of the file."""
        if not self._labels:
            return ""
        while self._next < len(self._labels) and self._labels[self._next][0] < byte:
            place, word = self._labels[self._next]
            holder = next((scope for scope in reversed(open_scopes) if scope.first <= place < scope.last), None)
            if holder is not None:
                self._said[holder.first] = word
            self._next += 1
        return self._said.get(open_scopes[-1].first, "") if open_scopes else ""


class _Placed(NamedTuple):
    span: Span
    kind: str
    qualified: str
    parent: str | None
    visibility: str
    first_line: int
    last_line: int


class Placing:
    """One sweep over the spans of a file in source order: `place` each, then ask for `scopes` and `definitions`."""

    def __init__(self, grammar: Grammar, lines: Lines, labels: Labels, exported: set[str]) -> None:
        self.scopes: list[Scope] = []
        self._grammar = grammar
        self._lines = lines
        self._labels = labels
        self._exported = exported
        self._open: list[Scope] = []
        self._placed: list[_Placed] = []
        self._visible: dict[str, tuple[str, str]] = {}  # qualified name of a scope → its kind, and who may use it

    def place(self, span: Span) -> None:
        """Give the next span its parent and qualified name."""
        open_scopes, separator = self._open, self._grammar.separator
        self._labels.at(span.first, open_scopes)  # those that stand in a scope that ends before this span
        while open_scopes and open_scopes[-1].last <= span.first:
            open_scopes.pop()
        if len(open_scopes) >= MAX_DEPTH:
            return
        outer = open_scopes[-1] if open_scopes else None
        parent = _joined(separator, outer.qualified_name if outer is not None else "", span.owner)
        qualified = _joined(separator, parent, span.name)
        if len(qualified) > _MAX_QUALIFIED:
            return
        kind = span.kind
        if kind == "function" and (span.owner or (outer is not None and outer.kind in _CLASSES)):
            kind = "method"
        first_line, last_line = self._lines.line_of(span.first), self._lines.line_of(span.last - 1)
        visibility = self._visibility(span, outer, first_line)
        if kind not in _LEAVES:
            scope = Scope(span.first, span.last, kind, qualified, first_line, last_line)
            self.scopes.append(scope)
            open_scopes.append(scope)
            self._visible[qualified] = (kind, visibility)
        if kind != "scope":
            self._placed.append(_Placed(span, kind, qualified, parent or None, visibility, first_line, last_line))

    def definitions(self, comments: Comments, measures: Measures) -> list[Definition]:
        """All that was placed."""
        measures.nest(self.scopes)
        return [self._definition(each, comments, measures) for each in self._placed]

    def _visibility(self, span: Span, outer: Scope | None, first_line: int) -> str:
        if outer is None and span.name in self._exported:
            return "public"
        written = b""
        if self._grammar.name in SAID_IN_WORDS:
            source = self._lines.source
            start = max(self._lines.start_of(first_line), span.first - _MAX_BEFORE)
            written = source[start : span.first] + source[max(span.first, span.named - _MAX_SIGNATURE) : span.named]
        around = self._visible.get(outer.qualified_name) if outer is not None else None
        label = self._labels.at(span.first, self._open)
        return visibility_of(self._grammar.name, span.name, written, around, label)

    def _definition(self, placed: _Placed, comments: Comments, measures: Measures) -> Definition:
        span, kind, qualified, parent, visibility, first_line, last_line = placed
        body = span.body or span.node.child_by_field_name("body")
        inside = docstring_of(body, self._lines.source) if self._grammar.name in DOCUMENTED_INSIDE else ""
        return Definition(
            kind,
            span.name,
            qualified,
            parent,
            _signature(span, body, first_line, self._lines),
            span.doc or inside or comments.above(first_line),
            first_line,
            last_line,
            span.first,
            span.last,
            visibility,
            measures.complexity(kind, span.first, span.last),
            measures.code_lines(first_line, last_line) if kind not in _LEAVES else 0,
        )


def _joined(separator: str, outer: str, inner: str) -> str:
    return f"{outer}{separator}{inner}" if outer and inner else outer or inner


def _signature(span: Span, body: Node | None, first_line: int, lines: Lines) -> str:
    """The definition up to its body, on one line, with what stands before it on its first line (`export const`)."""
    start = lines.start_of(first_line)
    end = body.start_byte if body is not None and body.start_byte > span.first else span.last
    text = lines.source[start : min(end, start + 4 * _MAX_SIGNATURE)]
    if body is None:
        text = text.split(b"\n", 1)[0]
    signature = " ".join(text.decode("utf-8", "replace").split()).removesuffix("=>").rstrip(" {:=")
    return signature[:_MAX_SIGNATURE]
