"""Lines of a file as markup: coloured and numbered; of a notebook cell by cell, at the lines of its file."""

from runtime.client.shapes import CellView, LinesView
from web_ui import markup
from web_ui.source import highlight


def code(lines: LinesView, cited: range) -> str:
    """The markup of some lines; those in `cited` are marked. Pure."""
    if lines.cells:
        return "".join(_cell(cell, cited) for cell in lines.cells)
    return markup.source(highlight(lines.text, language=lines.language, path=lines.path), lines.first_line, cited)


def _cell(cell: CellView, cited: range) -> str:
    language = "markdown" if cell.kind == "markdown" else cell.language or "text"
    coloured = highlight("\n".join(cell.lines), language=language)
    head = markup.line([markup.span("muted", f"Cell {cell.number}, {_KINDS.get(cell.kind, cell.kind)}")])
    return head + markup.source(coloured, cell.first_line, cited)


_KINDS = {"markdown": "text"}
