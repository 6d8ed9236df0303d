"""Where a text may be cut into passages: along its syntax tree, along its headings, or by lines alone. Pure.

Each cutter returns pieces in order that share no line and together hold every line (windows overlap a little).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

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
_GLUE = ("comment", "attribute", "annotation", "decorator")  # begins what follows it


class Piece(NamedTuple):
    """Lines `first` to `last`; `depth` of their node in the tree; `titles` of the sections they are in."""

    first: int
    last: int
    depth: int = 0
    titles: tuple[str, ...] = ()


class _Part(NamedTuple):
    first: int
    last: int
    node: Node | None


def cut_tree(root: Node, lines: Lines) -> list[Piece]:
    """Cut along the syntax tree: large nodes into their children, small neighbours together (cAST, 2506.15655)."""
    return list(_merged(_split(root, lines), lines))


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


def _split(root: Node, lines: Lines) -> Iterator[Piece]:
    """Pieces of at most `MAX_WEIGHT`, in order, without recursion; a heavier line stays whole."""
    todo: list[tuple[_Part, int]] = [(_Part(1, lines.count, root), 0)]
    while todo:
        part, depth = todo.pop()
        if lines.weight(part.first, part.last) <= MAX_WEIGHT or part.first == part.last:
            yield Piece(part.first, part.last, depth)
        elif part.node is None or depth >= _MAX_DEPTH or not part.node.named_child_count:
            yield from (Piece(line, line, depth) for line in range(part.first, part.last + 1))
        else:
            todo.extend((child, depth + 1) for child in reversed(_parts(part.node, part.first, part.last, lines)))


def _parts(node: Node, first: int, last: int, lines: Lines) -> list[_Part]:
    """Share the lines out among the children: each line goes to the last child that begins on or before it.

    A comment, attribute or decorator goes with what follows; a closing bracket with what it closes.
    """
    begins: list[int] = [first]
    nodes: list[Node | None] = [None]
    size = 0
    glued = False
    previous_end = first
    for child in node.named_children:
        start, end = child.byte_range
        line = lines.line_of(start)
        kind = child.type
        is_glue = kind.endswith(_GLUE) or kind.startswith(_GLUE)
        beside = is_glue and line == previous_end
        if not glued and not beside and begins[-1] < line <= last:
            begins.append(line)
            nodes.append(None)
            size = 0
        if end - start > size:
            nodes[-1], size = child, end - start
        previous_end = lines.line_of(max(start, end - 1))
        glued = is_glue and not beside
    ends = [*(begin - 1 for begin in begins[1:]), last]
    return [_Part(*part) for part in zip(begins, ends, nodes, strict=True)]


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
    held: Piece | None = None
    for piece in pieces:
        if held is None:
            held = piece
            continue
        outward = piece.depth < held.depth and lines.weight(held.first, held.last) > MAX_WEIGHT // 2
        if lines.weight(held.first, piece.last) <= MAX_WEIGHT and not outward:
            held = Piece(held.first, piece.last, min(held.depth, piece.depth), held.titles)
        else:
            yield held
            held = piece
    if held is not None:
        yield held
