"""The cells of a Jupyter notebook, with the lines that each has in the file. Pure.

In:  the text of the file.
Out: the cells that say something. None of a text that is no notebook, or does not have each line of a cell on a line of
     its own, as Jupyter writes it: that is shown as the JSON it is.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

SUFFIX = ".ipynb"
_KEY = re.compile(r"^[ \t]*(?=\"cell_type\")", re.MULTILINE)
_SOURCE = re.compile(r"(\s*)\"source\"\s*:\s*\[?(.*)")
_TEXT = re.compile(r"\s*(\"(?:[^\"\\]|\\.)*+\")[\s,\]}]*")


@dataclass(frozen=True)
class Cell:
    """Lines of the file from `first_line` on, as the cell has them. `number` is its place among all cells, from 1.

    `kind` is code, markdown or raw; `language` that of the notebook's code, else empty.
    """

    number: int
    kind: str
    language: str
    first_line: int
    lines: tuple[str, ...]

    @property
    def last_line(self) -> int:
        """The last of its lines."""
        return self.first_line + len(self.lines) - 1


def cells_of(content: str) -> tuple[Cell, ...]:
    """The cells of a whole file, in order."""
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    listed = notebook.get("cells") if isinstance(notebook, dict) else None
    language = _language(notebook) if isinstance(notebook, dict) else ""
    key = _KEY.search(content)
    indent = key.group() if key is not None else None
    written, place, found = content.split("\n"), 0, []
    for number, cell in enumerate(listed if isinstance(listed, list) else (), 1):
        rows = _rows(cell)
        begin = _find(written, place, indent, rows) if rows else place
        if rows is None or begin is None:
            return ()
        if rows:
            kind = str(cell["cell_type"])
            found.append(Cell(number, kind, language if kind == "code" else "", begin + 1, tuple(rows)))
            place = begin + len(rows)
    return tuple(found)


def within(cells: Iterable[Cell], first: int, last: int) -> list[Cell]:
    """What the lines `first` to `last` of the file have of the cells."""
    return [
        replace(
            cell,
            first_line=max(first, cell.first_line),
            lines=cell.lines[max(0, first - cell.first_line) : last - cell.first_line + 1],
        )
        for cell in cells
        if cell.first_line <= last and cell.last_line >= first
    ]


def shown(cells: Iterable[Cell], count: int) -> list[str]:
    """As many lines as the file has: those of the cells, and blank ones."""
    lines = [""] * count
    for cell in cells:
        lines[cell.first_line - 1 : cell.last_line] = cell.lines
    return lines


def _rows(cell: object) -> list[str] | None:
    """The lines of a cell; None where it is none, or one of its texts is more than a line."""
    source = cell.get("source") if isinstance(cell, dict) else None
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return None
    texts = [source] if isinstance(source, str) and source else source or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return None
    rows = [text.removesuffix("\n").removesuffix("\r") for text in texts]
    return None if any("\n" in row for row in rows) else rows


def _find(written: Sequence[str], place: int, indent: str | None, rows: Sequence[str]) -> int | None:
    """From which line on (from 0) the file has these, after `place`: below a key that stands where a cell's keys do."""
    for number in range(place, len(written)):
        match = _SOURCE.match(written[number])
        if match is None or indent not in {match[1], None}:
            continue
        beside = [match[2]] if match[2].strip() else []
        told = [*beside, *written[number + 1 : number + 1 + len(rows) - len(beside)]]
        if [*map(_said, told)] == [*rows]:
            return number + 1 - len(beside)
    return None


def _said(line: str) -> str | None:
    """The text that is on a line, as a list of JSON has it; None where there is none."""
    match = _TEXT.fullmatch(line)
    try:
        return str(json.loads(match[1])).removesuffix("\n").removesuffix("\r") if match is not None else None
    except ValueError:
        return None


def _language(notebook: Mapping[str, object]) -> str:
    metadata = notebook.get("metadata")
    for block, key in (("kernelspec", "language"), ("language_info", "name")):
        said = metadata.get(block) if isinstance(metadata, dict) else None
        name = said.get(key) if isinstance(said, dict) else None
        if isinstance(name, str) and name:
            return name.lower()
    return ""
