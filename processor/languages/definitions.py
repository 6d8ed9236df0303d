"""What a syntax tree defines and uses: symbols and edges, from the matches of its language's query. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tree_sitter import Node

from processor.languages.bindings import types_given, types_in_scopes
from processor.languages.docs import Comments, clean_doc
from processor.languages.grammars import Condition, Grammar
from processor.languages.lines import Lines
from processor.languages.measures import Measures
from processor.languages.placing import Definition, Labels, Placing, Span
from processor.languages.references import references_of
from processor.languages.text import MAX_NAME, text_of
from processor.languages.uses import Captures, Edge, Scope, calls_of, edges_of, outside, uses_of

_SECTION = "section."
_MOST_REFERENCES = 1_000  # of a file, besides its other edges
_PRECISION = {"variable": 0, "type": 0, "class": 1}  # of a kind; 2 for the rest: another pattern may say more
_ARGUMENTS = re.compile(r"<[^<>]*>")  # of a template
_QUALIFYING = frozenset({"cpp", "ruby"})  # a definition may be named `Owner::name`
_RUBY_OPERATORS = frozenset({"<", "<=", "<<", "<=>"})
_ROLES = ("call", "bind", "branch", "comment", "use", "glue", "quiet", "access", "exported")  # all but definitions


class Found(NamedTuple):
    """All that a file defines and uses, in source order."""

    definitions: tuple[Definition, ...]
    scopes: tuple[Scope, ...]
    edges: tuple[Edge, ...]


def find_definitions(root: Node, matches: Iterable[tuple[int, Captures]], grammar: Grammar, lines: Lines) -> Found:
    """The definitions and edges that a tree and the matches of its grammar's query stand for."""
    source = lines.source
    spans, heard = _heard(matches, grammar, source)
    comments = Comments(lines, heard["comment"], heard["glue"])
    placing = Placing(grammar, lines, Labels(_labels(heard["access"], source)), _exported(heard["exported"], source))
    for span in _in_order(spans, source)[: grammar.most_symbols]:
        placing.place(span)
    scopes = placing.scopes
    branches = [captures["branch"][0].start_byte for captures in heard["branch"]]
    definitions = placing.definitions(comments, Measures(branches, comments.ranges, lines))
    uses = calls_of(heard["call"], source)
    for captures in heard["use"]:
        uses.extend(uses_of(captures, grammar.name, grammar.separator, source))
    if heard["quiet"]:
        uses = list(outside(_ranges(heard["quiet"], "quiet"), uses))
    bound, typed = types_in_scopes(types_given(heard["bind"], source), scopes, lines)
    shown = _blanked(source, [*comments.ranges, *_ranges(heard["use"], "imports")])
    named = references_of(root, grammar.name, shown, uses, definitions, scopes)
    edges = edges_of(uses, scopes, lines, bound, typed) + edges_of(named, scopes, lines, {}, [])[:_MOST_REFERENCES]
    return Found(tuple(definitions), tuple(scopes), tuple(edges))


def _heard(
    matches: Iterable[tuple[int, Captures]], grammar: Grammar, source: bytes
) -> tuple[Collection[Span], Mapping[str, list[Captures]]]:
    """What the matches say: the spans of definitions, and of all other roles the captures, in the order of the query.

    Lists, for then each role is read by a loop of its own, without a call for each match.
    """
    spans: dict[tuple[int, int, str], Span] = {}
    heard: dict[str, list[Captures]] = {role: [] for role in _ROLES}

    def define(role: str, captures: Captures) -> None:
        _keep(spans, _span_of(role, captures, grammar, source))

    take = [heard[role].append if role in heard else partial(define, role) for role in grammar.roles]
    conditions = grammar.conditions
    for pattern, captures in matches:
        if not conditions[pattern] or _holds(conditions[pattern], captures, source):
            take[pattern](captures)
    return spans.values(), heard


def _ranges(matches: Iterable[Captures], name: str) -> list[tuple[int, int]]:
    return [node.byte_range for captures in matches for node in captures.get(name, ())]


def _blanked(source: bytes, silent: Iterable[tuple[int, int]]) -> bytes:
    """The source, of as many bytes, without these ranges of it."""
    shown = bytearray(source)
    for first, last in silent:
        shown[first:last] = bytes(last - first)
    return bytes(shown)


def _labels(matches: Iterable[Captures], source: bytes) -> list[tuple[int, str]]:
    nodes = (captures["access"][0] for captures in matches)
    return [(node.start_byte, text_of(node, source).strip(": ")) for node in nodes]


def _exported(matches: Iterable[Captures], source: bytes) -> set[str]:
    return {text_of(node, source) for captures in matches for node in captures["exported"]}


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
