"""Lines of a file as markup: coloured and numbered; of a notebook cell by cell, at the lines of its file."""

from collections.abc import Callable

from runtime.client.shapes import CellView, LinesView
from web_ui import markup
from web_ui.source import highlight

Address = Callable[[int], str]


def code(lines: LinesView, cited: range, address: Address | None = None) -> str:
    """The markup of some lines; those in `cited` are marked, each number leads to the `address` of its line. Pure."""
    if lines.cells:
        return "".join(_cell(cell, cited, address) for cell in lines.cells)
    coloured = highlight(lines.text, language=lines.language, path=lines.path)
    return markup.source(coloured, lines.first_line, cited, address)


def _cell(cell: CellView, cited: range, address: Address | None) -> str:
    language = "markdown" if cell.kind == "markdown" else cell.language or "text"
    coloured = highlight("\n".join(cell.lines), language=language)
    head = markup.line([markup.span("muted", f"Cell {cell.number}, {_KINDS.get(cell.kind, cell.kind)}")])
    return head + markup.source(coloured, cell.first_line, cited, address)


_KINDS = {"markdown": "text"}
