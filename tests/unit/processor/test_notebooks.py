"""Notebooks: each line of a cell where the file has it, and nothing of what cells put out."""

import json
from typing import Any, TypeAlias

import pytest

from processor.languages.cuts import MAX_WEIGHT
from processor.stages.parse import Parsed, parse_source
from tests.support.sources import a_source

Cells: TypeAlias = list[dict[str, Any]]


def a_cell(kind: str, text: str, **more: object) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True), **more}


def a_notebook(cells: Cells, language: str = "python", indent: int | None = 1) -> str:
    metadata = {"kernelspec": {"language": language, "name": "kernel"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}, indent=indent) + "\n"


def assert_lines_are_those_of_the_file(parsed: Parsed, content: str) -> None:
    lines = content.split("\n")
    for chunk in parsed.chunks:
        rows = str(chunk["text"]).split("\n")
        assert len(rows) == int(str(chunk["last_line"])) - int(str(chunk["first_line"])) + 1
        for number, row in enumerate(rows, int(str(chunk["first_line"]))):
            if row.strip():
                assert json.loads(lines[number - 1].strip().rstrip(",")).rstrip("\n") == row


def test_text_and_code_are_searched_at_the_lines_of_the_file() -> None:
    filler = "".join(f"value_{n} = compute('\"{n}\"')\n" for n in range(60))
    cells = [
        a_cell("markdown", '# Zoo\n\nAll about "dogs" \u2014 and \U0001f415.'),
        a_cell("code", "import os\n", outputs=[{"text": ["noise\n"] * 30}]),
        a_cell("code", f"def bark():\n    return os.getcwd()\n\n{filler}"),
        a_cell("markdown", "## More\n\n" + "Words about it.\n\n" * 100),
    ]
    content = a_notebook(cells)
    parsed = parse_source(a_source("zoo.ipynb", content))

    assert_lines_are_those_of_the_file(parsed, content)
    text = "\n".join(str(chunk["text"]) for chunk in parsed.chunks)
    assert {row for cell in cells for row in "".join(cell["source"]).split("\n")} <= set(text.split("\n"))
    assert "noise" not in text
    assert "cell_type" not in text
    assert {chunk["header"] for chunk in parsed.chunks} == {"zoo.ipynb > Zoo", "zoo.ipynb > Zoo > More"}
    assert all(len("".join(str(chunk["text"]).split()).encode()) <= MAX_WEIGHT for chunk in parsed.chunks)


@pytest.mark.parametrize(
    "cell", ["%matplotlib inline\nx = 1", "!ls *.py\nx = 1", "x = 1\n?x", "%%bash\nfor f in *; do"]
)
def test_commands_to_the_notebook_are_shown_and_are_no_errors(cell: str) -> None:
    parsed = parse_source(a_source("zoo.ipynb", a_notebook([a_cell("code", cell)])))

    assert parsed.outcome["errors"] == 0
    assert [chunk["text"] for chunk in parsed.chunks] == [cell]


def test_code_is_read_as_the_kernels_language() -> None:
    cells = [a_cell("code", "fun bark(times: Int): String {\n    return make(times)\n}")]
    parsed = parse_source(a_source("zoo.ipynb", a_notebook(cells, "kotlin")))

    assert [(s["language"], s["kind"], s["name"]) for s in parsed.symbols] == [("kotlin", "function", "bark")]
    assert [edge["target"] for edge in parsed.edges] == ["make", "Int", "String"]


def test_code_of_a_language_nobody_knows_is_still_found() -> None:
    content = a_notebook([a_cell("code", "SET x TO 1;\n" * 200)], "unheard-of")
    parsed = parse_source(a_source("zoo.ipynb", content))

    assert_lines_are_those_of_the_file(parsed, content)
    assert len(parsed.chunks) > 1


@pytest.mark.parametrize(
    "content",
    [
        a_notebook([a_cell("code", "x = 1\ny = 2\n")], indent=None),
        a_notebook([{"cell_type": "code", "source": "x = 1\ny = 2\n"}]),
        json.dumps({"cells": [{"cell_type": "code", "source": ["a\nb"]}]}, indent=1),
        json.dumps({"cells": {"a": [1, 2]}}, indent=1),
        '{"cells": [' * 5_000,
        "[]",
    ],
    ids=["on one line", "one string", "two lines in one", "no list", "nested without end", "no notebook"],
)
def test_what_does_not_have_one_line_of_a_cell_on_each_line_is_read_as_json(content: str) -> None:
    parsed = parse_source(a_source("zoo.ipynb", content))

    assert parsed.outcome["outcome"] in {"parsed", "lines"}
    assert {chunk["language"] for chunk in parsed.chunks} == {"json"}
    assert str(parsed.chunks[0]["text"]).startswith(content[:10])


def test_an_empty_notebook_gives_no_chunk() -> None:
    parsed = parse_source(a_source("zoo.ipynb", a_notebook([a_cell("code", ""), a_cell("raw", "not read")])))

    assert parsed.chunks == []
    assert parsed.outcome["outcome"] == "parsed"
