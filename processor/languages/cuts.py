"""Where a text may be cut into passages: along its syntax tree, along its headings, or by lines alone. Pure.

Each cutter returns pieces in order that share no line and together hold every line (windows overlap a little).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from processor.languages.headings import Section
from processor.languages.lines import Lines

# Bytes other than white space in a passage. With its header, code of 650 has a median of 216 to 250 word pieces, of 750
# one of 250 to 287; a sentence model reads 256. See bench/results/parse.md.
MAX_WEIGHT = 700
_MIN_SECTION = 200
_WINDOW_LINES = 40
_OVERLAP_LINES = 4
_MAX_DEPTH = 1_000


class Piece(NamedTuple):
    """Lines `first` to `last`; `depth` of their node in the tree; `titles` of the sections they are in."""

    first: int
    last: int
    depth: int = 0
    titles: tuple[str, ...] = ()


_Part: TypeAlias = tuple[int, int, Node | None]  # first line, last line, the largest node that begins in them


def cut_tree(root: Node, lines: Lines, glue: frozenset[int]) -> list[Piece]:
    """Cut along the syntax tree: large nodes into their children, small neighbours together (cAST, 2506.15655).

    `glue` are the kinds of nodes that begin what follows them.
    """
    return list(_merged(_split(root, lines, glue), lines))


def cut_headings(sections: Sequence[Section], lines: Lines) -> list[Piece]:
    """Cut along headings: each section a piece, a large one at its blank lines, a heading alone with what follows."""
    pieces: list[Piece] = []
    for section in sections:
        last = pieces[-1] if pieces else None
        small = last is not None and lines.weight(last.first, last.last) < _MIN_SECTION
        if last and small and lines.weight(last.first, section.last) <= MAX_WEIGHT:
            pieces[-1] = Piece(last.first, section.last, 0, last.titles or section.titles)
            continue
        paragraphs = _paragraphs(section.first, section.last, lines)
        pieces.extend(piece._replace(titles=section.titles) for piece in _merged(paragraphs, lines))
    return pieces


def cut_lines(lines: Lines) -> list[Piece]:
    """Windows of at most 40 lines and the weight of a passage, each beginning with the last lines of the one before."""
    pieces: list[Piece] = []
    first = 1
    while first <= lines.count:
        last = first
        while last < lines.count and last - first + 1 < _WINDOW_LINES and lines.weight(first, last + 1) <= MAX_WEIGHT:
            last += 1
        pieces.append(Piece(first, last))
        if last >= lines.count:
            break
        first = max(first + 1, last + 1 - min(_OVERLAP_LINES, (last - first) // 4))
    return pieces


def _split(root: Node, lines: Lines, glue: frozenset[int]) -> Iterator[Piece]:
    """Pieces of at most `MAX_WEIGHT`, in order, without recursion; a heavier line stays whole."""
    weights = lines.weights
    todo: list[tuple[int, int, Node | None, int]] = [(1, lines.count, root, 0)]
    while todo:
        first, last, node, depth = todo.pop()
        if first == last or weights[last] - weights[first - 1] <= MAX_WEIGHT:
            yield Piece(first, last, depth)
        elif node is None or depth >= _MAX_DEPTH or not node.named_child_count:
            yield from (Piece(line, line, depth) for line in range(first, last + 1))
        else:
            todo.extend([(*part, depth + 1) for part in reversed(_parts(node, first, last, lines, glue))])


def _parts(node: Node, first: int, last: int, lines: Lines, glue: frozenset[int]) -> list[_Part]:
    """Share the lines out among the children: each line goes to the last child that begins on or before it.

    A comment, attribute or decorator goes with what follows; a closing bracket with what it closes.
    """
    begins: list[int] = [first]
    nodes: list[Node | None] = [None]
    size = 0
    glued = False
    previous_end = first
    starts, count = lines.starts, lines.count
    for child in node.named_children:
        start, end = child.byte_range
        line = previous_end if start < starts[previous_end] else bisect_right(starts, start, previous_end, count)
        is_glue = child.kind_id in glue
        beside = is_glue and line == previous_end
        if not glued and not beside and begins[-1] < line <= last:
            begins.append(line)
            nodes.append(None)
            size = 0
        if end - start > size:
            nodes[-1], size = child, end - start
        previous_end = line if end <= starts[line] else bisect_right(starts, end - 1, line, count)
        glued = is_glue and not beside
    ends = [*(begin - 1 for begin in begins[1:]), last]
    return list(zip(begins, ends, nodes, strict=True))


def _paragraphs(first: int, last: int, lines: Lines) -> Iterator[Piece]:
    begin = first
    for line in range(first, last + 1):
        ends = line == last or (lines.weight(line, line) == 0 and lines.weight(line + 1, line + 1) > 0)
        if ends and lines.weight(begin, line) > MAX_WEIGHT:
            yield from (Piece(single, single) for single in range(begin, line + 1))
        elif ends:
            yield Piece(begin, line)
        if ends:
            begin = line + 1


def _merged(pieces: Iterable[Piece], lines: Lines) -> Iterator[Piece]:
    """Neighbours together while they fit; what ends something large does not take in what follows outside of it."""
    weights = lines.weights
    coming = iter(pieces)
    if (held := next(coming, None)) is None:
        return
    first, last, depth, titles = held
    for piece in coming:
        before = weights[first - 1]
        outward = piece.depth < depth and weights[last] - before > MAX_WEIGHT // 2
        if weights[piece.last] - before <= MAX_WEIGHT and not outward:
            last, depth = piece.last, min(depth, piece.depth)
        else:
            yield Piece(first, last, depth, titles)
            first, last, depth, titles = piece
    yield Piece(first, last, depth, titles)
