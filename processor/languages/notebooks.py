"""A Jupyter notebook as what its cells say, each line where the file has it, so that a line of it can be cited. Pure.

What cells put out, and what is around them, is left blank: it is no source.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from processor.languages.cuts import MAX_WEIGHT, Piece, cut_headings
from processor.languages.headings import Section
from processor.languages.lines import Lines
from processor.languages.placing import Definition

_MAX_GAP = 12  # lines between two cells without output, in the usual indentation, are nine
_MAGIC = re.compile(rb"^\s*[%!?]")
_KERNELS = {"c++": "cpp", "c++17": "cpp", "c#": "csharp", "bash": "shell", "ipython": "python", "node": "javascript"}


class Cell(NamedTuple):
    """Lines `first` to `last` of the file; `begins` and `ends` are the bytes of each of them that say something."""

    is_code: bool
    first: int
    rows: tuple[bytes, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def last(self) -> int:
        """The last line."""
        return self.first + len(self.rows) - 1


class Notebook(NamedTuple):
    """The cells that say something, in order, and the language of the code in them."""

    language: str
    cells: tuple[Cell, ...]


def read_notebook(root: Node, lines: Lines) -> Notebook | None:
    """The notebook that a tree of JSON is; None where it is none, or does not have one line of a cell on each line."""
    if root.has_error or not root.named_children:
        return None
    notebook = root.named_children[0]
    cells = _value(notebook, "cells", lines)
    if cells is None or cells.type != "array":
        return None
    read: list[Cell] = []
    for node in cells.named_children:
        kind, source = _string(_value(node, "cell_type", lines), lines), _value(node, "source", lines)
        if kind not in {"code", "markdown"} or source is None:
            continue
        cell = _cell(source, lines, is_code=kind == "code")
        if cell is None or (read and cell.rows and cell.first <= read[-1].last):
            return None
        if cell.rows:
            read.append(cell)
    return Notebook(_language(notebook, lines), tuple(read))


def shown(cells: Iterable[Cell], count: int) -> Lines:
    """As many lines as the file has: those of the cells, and blank ones."""
    rows = [b""] * count
    for cell in cells:
        rows[cell.first - 1 : cell.last] = cell.rows
    return Lines(b"\n".join(rows) + b"\n")


def without_magics(cell: Cell) -> Cell:
    """The same bytes, with commands to the notebook (`%time`, `!ls`) made comments of Python, R or Julia."""
    whole = bool(cell.rows) and cell.rows[0].lstrip().startswith(b"%%")
    return cell._replace(rows=tuple(_comment(row) if whole or _MAGIC.match(row) else row for row in cell.rows))


def cut_cells(cells: Sequence[Cell], sections: Sequence[Section], code: Sequence[Piece], lines: Lines) -> list[Piece]:
    """Pieces of a notebook: cells together while they fit and stand close, a large one cut as what it holds is cut.

    `sections` and `code` are of the documents that the text cells and the code cells make; `lines` are all cells.
    """
    text = cut_headings(sections, lines)
    pieces: list[Piece] = []
    for cell in cells:
        pieces.extend(_clipped(cell, code if cell.is_code else text, lines))
    begins = {section.first for section in sections if section.level}
    firsts = [section.first for section in sections]
    return list(_together([_titled(piece, sections, firsts) for piece in pieces], begins, lines))


def placed(definitions: Iterable[Definition], cells: Sequence[Cell]) -> tuple[Definition, ...]:
    """The definitions in order, with the bytes that their lines have in the file instead of those of what is shown."""
    begins = {cell.first + row: byte for cell in cells for row, byte in enumerate(cell.begins)}
    ends = {cell.first + row: byte for cell in cells for row, byte in enumerate(cell.ends)}
    moved = (one._replace(first_byte=begins[one.first_line], last_byte=ends[one.last_line]) for one in definitions)
    return tuple(sorted(moved, key=lambda one: (one.first_byte, -one.last_byte)))


def _cell(source: Node, lines: Lines, *, is_code: bool) -> Cell | None:
    nodes = source.named_children if source.type == "array" else [source]
    rows: list[bytes] = []
    for place, node in enumerate(nodes):
        text = _string(node, lines)
        row = None if text is None else text.removesuffix("\n").removesuffix("\r")
        if row is None or "\n" in row or lines.line_of(node.start_byte) != lines.line_of(nodes[0].start_byte) + place:
            return None
        rows.append(row.encode("utf-8", "replace"))
    if not nodes:
        return Cell(is_code, 0, (), (), ())
    begins, ends = tuple(node.start_byte for node in nodes), tuple(node.end_byte for node in nodes)
    return Cell(is_code, lines.line_of(begins[0]), tuple(rows), begins, ends)


def _value(node: Node | None, key: str, lines: Lines) -> Node | None:
    if node is None or node.type != "object":
        return None
    for pair in node.named_children:
        if pair.type == "pair" and _string(pair.child_by_field_name("key"), lines) == key:
            return pair.child_by_field_name("value")
    return None


def _string(node: Node | None, lines: Lines) -> str | None:
    if node is None or node.type != "string":
        return None
    try:
        return str(json.loads(lines.source[node.start_byte : node.end_byte], strict=False))
    except ValueError:
        return None


def _language(notebook: Node, lines: Lines) -> str:
    metadata = _value(notebook, "metadata", lines)
    for block, key in (("kernelspec", "language"), ("language_info", "name")):
        if found := _string(_value(_value(metadata, block, lines), key, lines), lines):
            return _KERNELS.get(found.lower(), found.lower())
    return "python"


def _comment(row: bytes) -> bytes:
    blank = len(row) - len(row.lstrip())
    return row[:blank] + b"#" + row[blank + 1 :] if row.strip() else row


def _clipped(cell: Cell, pieces: Sequence[Piece], lines: Lines) -> Iterator[Piece]:
    if lines.weight(cell.first, cell.last) <= MAX_WEIGHT:
        yield Piece(cell.first, cell.last)
        return
    for piece in pieces:
        if piece.last >= cell.first and piece.first <= cell.last:
            yield Piece(max(piece.first, cell.first), min(piece.last, cell.last))


def _titled(piece: Piece, sections: Sequence[Section], firsts: Sequence[int]) -> Piece:
    """The piece with the titles it stands under: those above its first line, or the first that it holds."""
    place = bisect_right(firsts, piece.first) - 1
    if place + 1 < len(sections) and (place < 0 or not sections[place].level) and firsts[place + 1] <= piece.last:
        place += 1
    return piece._replace(titles=sections[place].titles) if place >= 0 else piece


def _together(pieces: Sequence[Piece], begins: set[int], lines: Lines) -> Iterator[Piece]:
    held: Piece | None = None
    for piece in pieces:
        if held is None:
            held = piece
            continue
        apart = piece.first - held.last > _MAX_GAP or piece.first in begins
        if not apart and lines.weight(held.first, piece.last) <= MAX_WEIGHT:
            held = held._replace(last=piece.last)
        else:
            yield held
            held = piece
    if held is not None:
        yield held
