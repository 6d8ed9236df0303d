"""What a syntax tree defines and uses: symbols and edges, from the matches of its language's query. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from processor.languages.bindings import Bindings
from processor.languages.docs import Comments, clean_doc
from processor.languages.grammars import Condition, Grammar
from processor.languages.lines import Lines
from processor.languages.measures import Measures
from processor.languages.placing import Definition, Labels, Placing, Span
from processor.languages.references import references_of
from processor.languages.text import MAX_NAME, text_of
from processor.languages.uses import Calls, Captures, Edge, Scope, Use, edges_of, outside, uses_of

_SECTION = "section."
_MOST_REFERENCES = 1_000  # of a file, besides its other edges
_PRECISION = {"variable": 0, "type": 0, "class": 1}  # of a kind; 2 for the rest: another pattern may say more
_ARGUMENTS = re.compile(r"<[^<>]*>")  # of a template
_QUALIFYING = frozenset({"cpp", "ruby"})  # a definition may be named `Owner::name`
_RUBY_OPERATORS = frozenset({"<", "<=", "<<", "<=>"})


Listener: TypeAlias = Callable[[Captures, str], None]  # the captures of a match, the role of its pattern


class Found(NamedTuple):
    """All that a file defines and uses, in source order."""

    definitions: tuple[Definition, ...]
    scopes: tuple[Scope, ...]
    edges: tuple[Edge, ...]


class _Heard:
    """What the matches of a file say, by their roles."""

    def __init__(self, grammar: Grammar, lines: Lines) -> None:
        self.spans: dict[tuple[int, int, str], Span] = {}
        self.uses: list[Use] = []
        self.quiet: list[tuple[int, int]] = []
        self.branches: list[int] = []
        self.labels: list[tuple[int, str]] = []
        self.exported: set[str] = set()
        self.comments = Comments(lines)
        self.bindings = Bindings(lines.source)
        self._grammar = grammar
        self._source = lines.source

    def listeners(self) -> list[Listener]:
        """Who takes in the matches of each pattern."""
        by_role: dict[str, Listener] = {
            "call": Calls(self._source, self.uses).add,
            "bind": self.bindings.add,
            "branch": self._branch,
            "comment": self._comment,
            "use": self._use,
            "glue": self._glue,
            "quiet": self._quiet,
            "access": self._access,
            "exported": self._export,
        }
        return [by_role.get(role, self._define) for role in self._grammar.roles]

    def _branch(self, captures: Captures, _role: str) -> None:
        self.branches.append(captures["branch"][0].start_byte)

    def _comment(self, captures: Captures, _role: str) -> None:
        self.comments.add(captures["comment"][0], captures["doc"][0] if "doc" in captures else None)

    def _use(self, captures: Captures, _role: str) -> None:
        self.uses.extend(uses_of(captures, self._grammar.name, self._grammar.separator, self._source))

    def _define(self, captures: Captures, role: str) -> None:
        _keep(self.spans, _span_of(role, captures, self._grammar, self._source))

    def _glue(self, captures: Captures, _role: str) -> None:
        self.comments.glue(captures["glue"][0])

    def _quiet(self, captures: Captures, _role: str) -> None:
        self.quiet.extend(each.byte_range for each in captures["quiet"])

    def _access(self, captures: Captures, _role: str) -> None:
        node = captures["access"][0]
        self.labels.append((node.start_byte, text_of(node, self._source).strip(": ")))

    def _export(self, captures: Captures, _role: str) -> None:
        self.exported.update(text_of(each, self._source) for each in captures["exported"])


def find_definitions(root: Node, matches: Iterable[tuple[int, Captures]], grammar: Grammar, lines: Lines) -> Found:
    """The definitions and edges that a tree and the matches of its grammar's query stand for."""
    heard = _Heard(grammar, lines)
    listeners, roles, conditions = heard.listeners(), grammar.roles, grammar.conditions
    for pattern, captures in matches:
        if not conditions[pattern] or _holds(conditions[pattern], captures, lines.source):
            listeners[pattern](captures, roles[pattern])
    ordered = _in_order(heard.spans.values(), lines.source)[: grammar.most_symbols]
    placing = Placing(grammar, lines, Labels(heard.labels), heard.exported)
    for span in ordered:
        placing.place(span)
    scopes = placing.scopes
    definitions = placing.definitions(heard.comments, Measures(heard.branches, heard.comments.ranges, lines))
    uses = list(outside(heard.quiet, heard.uses)) if heard.quiet else heard.uses
    bound, typed = heard.bindings.in_scopes(scopes, lines)
    named = references_of(root, grammar.name, lines.source, uses, definitions, scopes)
    edges = edges_of(uses, scopes, lines, bound, typed) + edges_of(named, scopes, lines, {}, [])[:_MOST_REFERENCES]
    return Found(tuple(definitions), tuple(scopes), tuple(edges))


def _holds(conditions: Sequence[Condition], captures: Captures, source: bytes) -> bool:
    for capture, text, wanted in conditions:
        for node in captures.get(capture, ()):
            if (text.search(source[node.start_byte : node.end_byte]) is not None) != wanted:
                return False
    return True


def _keep(spans: dict[tuple[int, int, str], Span], span: Span | None) -> None:
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


def _in_order(spans: Iterable[Span], source: bytes) -> list[Span]:
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


def _span_of(role: str, captures: Captures, grammar: Grammar, source: bytes) -> Span | None:
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
    return Span(first, last, role.removeprefix("def."), name, owner, node, body, doc, name_node.start_byte)


def _split_owner(name: str) -> tuple[str, str]:
    """`A<T>::f` as `A` and `f`; the name of an operator may hold `<` and `::` itself."""
    if name in _RUBY_OPERATORS:
        return "", name
    before, operator, after = name.partition("operator")
    if after.startswith(" "):
        after = after.partition("()" if "()" in after else "(")[0]
    while "<" in before and (shorter := _ARGUMENTS.sub("", before)) != before:
        before = shorter
    owner, _, last = before.rpartition("::")
    return owner.strip(), f"{last}{operator}{after}".strip()
