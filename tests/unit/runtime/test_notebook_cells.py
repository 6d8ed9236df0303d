"""Cells of notebooks at the lines of their files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.notebook_cells import Cell, cells_of, shown, within

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=20)
SOURCES = st.lists(TEXTS, max_size=4).map("\n".join).map(lambda text: text.splitlines(keepends=True))
CELLS = st.lists(st.tuples(st.sampled_from(("code", "markdown", "raw")), SOURCES, SOURCES), max_size=6)


def a_notebook(
    cells: list[tuple[str, list[str], list[str]]], indent: int | None = 1, *, ascii_only: bool = True
) -> str:
    listed = [
        {"cell_type": kind, "metadata": {}, "outputs": [{"data": {"source": out}, "text": out}], "source": source}
        for kind, source, out in cells
    ]
    metadata = {"kernelspec": {"language": "R"}}
    return json.dumps({"cells": listed, "metadata": metadata}, indent=indent, ensure_ascii=ascii_only) + "\n"


@given(CELLS, st.booleans())
def test_each_line_of_a_cell_is_at_its_line_of_the_file(
    cells: list[tuple[str, list[str], list[str]]], ascii_only: bool
) -> None:
    cells = [
        (kind, [row for row in source if "\r" not in row and row.splitlines()], out) for kind, source, out in cells
    ]
    content = a_notebook(cells, ascii_only=ascii_only)
    written = content.split("\n")

    found = cells_of(content)

    expected = [
        (n, kind, tuple(row.rstrip("\n") for row in rows)) for n, (kind, rows, _) in enumerate(cells, 1) if rows
    ]
    assert [(cell.number, cell.kind, cell.lines) for cell in found] == expected
    for cell in found:
        for number, row in enumerate(cell.lines, cell.first_line):
            assert json.loads(written[number - 1].strip().rstrip(",")).rstrip("\n") == row


def test_a_part_of_a_file_has_a_part_of_its_cells() -> None:
    cells = [Cell(1, "markdown", "", 5, ("# A", "", "text")), Cell(4, "code", "r", 20, ("x", "y"))]

    assert within(cells, 6, 20) == [Cell(1, "markdown", "", 6, ("", "text")), Cell(4, "code", "r", 20, ("x",))]
    assert within(cells, 8, 19) == []
    assert shown(cells[:1], 8) == ["", "", "", "", "# A", "", "text", ""]


@pytest.mark.parametrize(
    ("source", "line"), [('"x = \\"],\\""', 'x = "],"'), ('["x = 1"]', "x = 1"), ('["x = 1\\r\\n"]', "x = 1")]
)
def test_a_cell_of_one_line_may_stand_beside_its_name(source: str, line: str) -> None:
    content = '{"cells": [{\n "source": ' + source + ',\n "cell_type": "code"}]}'

    assert cells_of(content) == (Cell(1, "code", "", 2, (line,)),)


def test_what_a_cell_puts_out_is_not_taken_for_the_cell() -> None:
    content = a_notebook([("code", ["x\n", "y"], ["x\n", "y"])])

    [cell] = cells_of(content)

    assert content.split("\n")[cell.first_line - 2] == '   "source": ['


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"cells": 1}',
        '{"cells": [1]}',
        '{"cells": [{"cell_type": "code", "source": [1]}]}',
        '{"cells": [{"cell_type": "code", "source": ["a\\nb"]}]}',
        a_notebook([("code", ["x\n", "y"], [])], None),
        "[" * 100_000,
    ],
)
def test_what_is_no_notebook_of_lines_has_no_cells(content: str) -> None:
    assert cells_of(content) == ()
