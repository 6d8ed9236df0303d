import re

from runtime.client.shapes import CellView, LinesView
from web_ui.code_view import code

LINES = LinesView(
    path="zoo.ipynb",
    commit="c",
    language="jupyter",
    first_line=5,
    last_line=21,
    line_count=30,
    text='"# Zoo"',
    cells=[
        CellView(number=1, kind="markdown", language="", first_line=5, lines=["# Zoo <b>"]),
        CellView(number=4, kind="code", language="python", first_line=20, lines=["def f():", "    return 1"]),
    ],
)


def test_a_notebook_is_shown_cell_by_cell_at_the_lines_of_its_file() -> None:
    drawn = code(LINES, range(21, 22))

    assert re.findall(r"Cell \d, \w+", drawn) == ["Cell 1, text", "Cell 4, code"]
    assert re.findall(r'rs-no">(\d+)', drawn) == ["5", "20", "21"]
    assert re.findall(r'rs-cited"><span class="rs-no">(\d+)', drawn) == ["21"]
    assert '<span class="rs-tok-keyword">def</span>' in drawn
    assert "&lt;b&gt;" in drawn


def test_lines_without_cells_are_shown_as_they_are() -> None:
    drawn = code(LINES.model_copy(update={"cells": []}), range(0))

    assert "Cell" not in drawn
    assert re.findall(r'rs-no">(\d+)', drawn) == ["5"]
