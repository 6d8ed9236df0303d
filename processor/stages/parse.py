"""Read what one source file defines, uses and says.

In:  one row of a `sources` shard.
Out: rows of `symbols`, `edges`, `chunks` and `outcomes`, or the reason there are none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tree_sitter import Node, Query, QueryCursor

from events.artifacts import SourceRow
from processor.languages.branches import one_branch
from processor.languages.cuts import Piece, cut_headings, cut_lines, cut_tree
from processor.languages.definitions import Found, find_definitions
from processor.languages.grammars import Grammar, grammar_of
from processor.languages.headings import HEADED, headings_of, sections_of
from processor.languages.lines import Lines
from processor.languages.macros import without_macros
from processor.languages.notebooks import cut_cells, placed, read_notebook, shown, without_magics
from processor.languages.placing import MAX_DEPTH, Definition
from processor.languages.uses import Edge
from processor.stages.chunk import Origin, chunk_file
from processor.stages.without_secrets import without_secrets

Row: TypeAlias = dict[str, object]
Stop: TypeAlias = Callable[[], bool]

NOTEBOOK = "jupyter"
_PREPROCESSED = frozenset({"c", "cpp"})
_MAX_ERROR_SHARE = 0.5
_BRANCHED = {"csharp": 0.0, "c": _MAX_ERROR_SHARE, "cpp": _MAX_ERROR_SHARE}  # of which share of errors on
_MAX_ERROR_PLACES = 20
_MATCH_LIMIT = 65_536  # matches in progress at one time
_MAX_HEAP = 20_000  # children of one node that holds errors
_SYMBOL = ("path", "language", *Definition._fields)
_NOTHING = Found((), (), ())


@dataclass(frozen=True)
class Parsed:
    """What one file says; each row is a dict with the fields of its row class."""

    outcome: Row
    symbols: list[Row] = field(default_factory=list)
    edges: list[Row] = field(default_factory=list)
    chunks: list[Row] = field(default_factory=list)


class _Errors(NamedTuple):
    """How many error and missing nodes there are, how many bytes they cover (nested ones once), and the first places.

    A place is the lines that a node covers which has none below it (`3`, `7-9`), each told once.
    """

    nodes: int = 0
    covered: int = 0
    places: tuple[str, ...] = ()


_NO_ERRORS = _Errors()


@dataclass(frozen=True)
class _Tree:
    root: Node
    found: Found
    errors: _Errors


def parse_source(source: SourceRow, should_stop: Stop = lambda: False) -> Parsed:
    """Return what one file says. Pure: same bytes, same rows.

    `should_stop` is asked again and again while the parser works; once it says yes, the file failed: `parser_timeout`.
    """
    content = source.content.encode("utf-8", "replace")
    lines = Lines(content)
    language = source.language
    if language in HEADED and content.strip():
        sections = sections_of(language, lines.text(1, lines.count).split("\n"))
        found, pieces = headings_of(sections, lines), cut_headings(sections, lines)
        return _parsed(source, language, lines, pieces, outcome=("parsed", None), found=found)
    grammar = grammar_of("json" if language == NOTEBOOK else language) if language else None
    if grammar is None:
        reason = "no_grammar" if content.strip() else "empty"
        return _parsed(source, language, lines, cut_lines(lines), outcome=("lines", reason))
    if language == NOTEBOOK and (said := _parse_notebook(source, grammar, lines, should_stop)):
        return said
    return _parse_code(source, grammar, lines, should_stop)


def _parse_code(source: SourceRow, grammar: Grammar, lines: Lines, should_stop: Stop) -> Parsed:
    """What a file says whose whole text is of one language."""
    tree = _read_tree(grammar, lines, should_stop)
    if tree is None:
        return failed(source.path, "parser_timeout")
    if tree.errors.covered > _MAX_ERROR_SHARE * max(1, len(lines.source)):
        outcome: tuple[str, str | None] = ("lines", "syntax_errors")
        pieces = cut_lines(lines)
    else:
        outcome = ("parsed", None)
        pieces = cut_tree(tree.root, lines, grammar.glue) if lines.count else []
    return _parsed(source, grammar.name, lines, pieces, outcome=outcome, found=tree.found, errors=tree.errors)


def _parse_notebook(source: SourceRow, json: Grammar, lines: Lines, should_stop: Stop) -> Parsed | None:
    """What the cells of a notebook say, at the lines of its file; None where it is to be read as the JSON it is."""
    root = _parse(json, lines.source, should_stop)
    if root is None:
        return failed(source.path, "parser_timeout")
    notebook = read_notebook(root, lines)
    if notebook is None:
        return None
    everything = shown(notebook.cells, lines.count)
    written = [cell for cell in notebook.cells if not cell.is_code]
    code = shown([without_magics(cell) for cell in notebook.cells if cell.is_code], lines.count)
    text = shown(written, lines.count)
    sections = sections_of("markdown", text.text(1, text.count).split("\n")) if written else []
    grammar = grammar_of(notebook.language)
    tree = _read_tree(grammar, code, should_stop) if grammar is not None else None
    if grammar is not None and tree is None:
        return failed(source.path, "parser_timeout")
    defined = (tree.found if tree else _NOTHING, headings_of(sections, everything))
    definitions = placed([one for found in defined for one in found.definitions], notebook.cells)
    cut = cut_tree(tree.root, code, grammar.glue) if grammar is not None and tree else cut_lines(code)
    pieces = cut_cells(notebook.cells, sections, cut, everything)
    found = Found(definitions, defined[0].scopes, defined[0].edges)
    errors = tree.errors if tree else _NO_ERRORS
    return _parsed(source, notebook.language, everything, pieces, outcome=("parsed", None), found=found, errors=errors)


def failed(path: str, reason: str) -> Parsed:
    """The outcome of a file that could not be parsed at all."""
    return Parsed(_outcome(path, "failed", reason))


def _outcome(
    path: str, outcome: str, reason: str | None, *, symbols: int = 0, chunks: int = 0, errors: _Errors = _NO_ERRORS
) -> Row:
    return {
        "path": path,
        "outcome": outcome,
        "reason": reason,
        "symbols": symbols,
        "chunks": chunks,
        "errors": errors.nodes,
        "error_lines": list(errors.places),
    }


def _parse(grammar: Grammar, source: bytes, should_stop: Stop) -> Node | None:
    """The root of the syntax tree. None where it was told to stop."""
    views: list[memoryview] = []

    def read(offset: int, _point: object) -> memoryview:
        views.append(memoryview(source)[offset:])
        return views[-1]

    try:
        # Bytes would be quicker to hand over, but then the binding ignores the progress callback.
        tree = grammar.parser.parse(read, progress_callback=lambda _offset, _has_error: should_stop())
    except ValueError:
        grammar.parser.reset()
        return None
    finally:
        for view in views:
            view.release()  # the binding never lets go of what the callback returned
    return tree.root_node


def _read_tree(grammar: Grammar, lines: Lines, should_stop: Stop) -> _Tree | None:
    """Parse, and run the language's query. None where it was told to stop.

    Where branches of a preprocessor make errors, one of them alone is read, unless that has fewer definitions. C and
    C++, whose grammars know most branches, are read twice only where they would be cut by lines.
    """
    source = without_macros(lines.source) if grammar.name in _PREPROCESSED else lines.source
    tree = _read_shown(grammar, source, lines, should_stop)
    share = _BRANCHED.get(grammar.name, 1.0)
    if tree is None or tree.errors.covered <= share * max(1, len(source)):
        return tree
    shown = one_branch(source)
    if shown == source:
        return tree
    other = _read_shown(grammar, shown, lines, should_stop)
    if other is None:
        return None
    is_whole = len(other.found.definitions) >= len(tree.found.definitions)
    return other if is_whole and other.errors.covered < tree.errors.covered else tree


def _read_shown(grammar: Grammar, source: bytes, lines: Lines, should_stop: Stop) -> _Tree | None:
    root = _parse(grammar, source, should_stop)
    if root is None:
        return None
    if _is_rubble(root):
        return _Tree(root, _NOTHING, _Errors(1, len(lines.source), (_place(1, lines.count),)))
    matches = _cursor(grammar.query).matches(root)
    if should_stop():
        return None
    errors = _errors(root, lines) if root.has_error else _NO_ERRORS
    return _Tree(root, find_definitions(root, matches, grammar, lines), errors)


def _cursor(query: Query) -> QueryCursor:
    """A bounded query. No progress callback: the binding points to its options beyond their life, and crashes."""
    cursor = QueryCursor(query, match_limit=_MATCH_LIMIT)
    cursor.set_max_start_depth(MAX_DEPTH)
    return cursor


def _is_rubble(root: Node) -> bool:
    """Whether little but a heap of tokens was recognised: a query takes time by the square of such a heap."""
    if not root.has_error:
        return False
    if root.child_count > _MAX_HEAP:
        return True
    return any(child.has_error and child.child_count > _MAX_HEAP for child in root.children)


def _errors(root: Node, lines: Lines) -> _Errors:
    count = covered = upto = 0
    places: dict[str, None] = {}
    todo = [(root, 0)]
    while todo:
        node, depth = todo.pop()
        start, end = node.byte_range
        if node.is_error:
            covered += max(0, end - max(start, upto))
            upto = max(upto, end)
        # only where there are errors below, which a query would not know
        below = [child for child in node.children if child.has_error or child.is_error] if depth < MAX_DEPTH else []
        todo.extend((child, depth + 1) for child in reversed(below))
        if node.is_error or node.is_missing:
            count += 1
            if not below and len(places) < _MAX_ERROR_PLACES:  # one around others may be the whole file
                places[_place(lines.line_of(start), lines.line_of(max(start, end - 1)))] = None
    return _Errors(count, covered, tuple(places))


def _place(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _parsed(  # noqa: PLR0913  one argument each for what the outcome says
    source: SourceRow,
    language: str | None,
    lines: Lines,
    pieces: list[Piece],
    *,
    outcome: tuple[str, str | None],
    found: Found = _NOTHING,
    errors: _Errors = _NO_ERRORS,
) -> Parsed:
    found, pieces, lines = without_secrets(source.path, found, pieces, lines)
    origin = Origin(source.path, language, source.file_class)
    chunks = chunk_file(origin, lines, pieces, found)
    row = _outcome(source.path, *outcome, symbols=len(found.definitions), chunks=len(chunks), errors=errors)
    symbols: list[Row] = [
        dict(zip(_SYMBOL, (source.path, language, *symbol), strict=True)) for symbol in found.definitions
    ]
    return Parsed(row, symbols, _edges(source.path, found.edges), chunks)


def _edges(path: str, edges: Iterable[Edge]) -> list[Row]:
    """The rows, each field by its name: several times quicker than from a list of names."""
    return [
        {
            "path": path,
            "kind": kind,
            "source": source,
            "target": target,
            "line": line,
            "receiver": receiver,
            "receiver_type": receiver_type,
            "module": module,
            "name": name,
            "alias": alias,
            "level": level,
        }
        for kind, source, target, line, receiver, receiver_type, module, name, alias, level in edges
    ]
