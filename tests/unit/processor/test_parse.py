"""The parse stage on one file: chunks that lose no line, and outcomes that hide nothing."""

from hashlib import sha256

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_sitter import Query, QueryCursor

from events.artifacts import ChunkRow, EdgeRow, OutcomeRow, SymbolRow
from processor.languages.cuts import MAX_WEIGHT
from processor.languages.grammars import LANGUAGES, grammar_of
from processor.languages.lines import Lines
from processor.stages.chunk import MAX_TEXT
from processor.stages.parse import Parsed, parse_source
from runtime.parquet import read_rows, schema_of, write_rows, write_table
from tests.support.language_samples import GOLDEN
from tests.support.sources import a_source

CODE = ("py", "js", "ts", "tsx", "go", "rs", "java", "c", "cpp", "cs", "rb", "php")
MORE_CODE = ("kt", "scala", "swift", "dart", "ex", "lua", "sh")
EXTENSIONS = (*CODE, *MORE_CODE, "md", "rst", "txt", "yaml", "json", "toml", "sql", "css", "html", "dockerfile")
TOKENS = tuple("{}()[]:;#=`'\"\\\t\r\x0b\u2028é漢xy")
WORDS = (*TOKENS, "class", "def", "func", "fn", "if", "import", "//", "/*", "*/", '"""', "==")
LINE = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
TEXT = st.lists(st.one_of(LINE, st.sampled_from([text for text, *_ in GOLDEN.values()])), max_size=30).map("\n".join)


def weight(text: str) -> int:
    return len(text.encode().translate(None, b" \t\r\f\v\n"))


def assert_exact_and_complete(text: str, parsed: Parsed) -> None:
    lines = text.split("\n")
    covered: set[int] = set()
    halves: dict[int, str] = {}
    for chunk in parsed.chunks:
        first, last = chunk["first_line"], chunk["last_line"]
        assert 1 <= first <= last <= len(lines)
        covered.update(range(first, last + 1))
        whole = "\n".join(lines[first - 1 : last])
        if first == last and len(whole) > MAX_TEXT:
            halves[first] = halves.get(first, "") + chunk["text"]
        else:
            assert chunk["text"] == whole
    assert all(lines[line - 1] == whole for line, whole in halves.items())
    assert [number for number, line in enumerate(lines, 1) if line.strip(" \t\r\f\v") and number not in covered] == []


@settings(max_examples=300, deadline=None)
@given(extension=st.sampled_from(EXTENSIONS), text=TEXT)
def test_every_line_is_in_a_chunk_and_every_chunk_is_exact(extension: str, text: str) -> None:
    parsed = parse_source(a_source(f"a.{extension}", text))

    assert_exact_and_complete(text, parsed)
    assert parsed.outcome["chunks"] == len(parsed.chunks)
    assert len({chunk["chunk_id"] for chunk in parsed.chunks}) == len(parsed.chunks)


@settings(max_examples=100, deadline=None)
@given(extension=st.sampled_from(EXTENSIONS), text=TEXT)
def test_no_chunk_but_a_single_line_is_heavier_than_a_passage(extension: str, text: str) -> None:
    for chunk in parse_source(a_source(f"a.{extension}", text)).chunks:
        assert weight(chunk["text"]) <= MAX_WEIGHT or chunk["first_line"] == chunk["last_line"]


@settings(max_examples=50, deadline=None)
@given(extension=st.sampled_from(EXTENSIONS), text=TEXT)
def test_the_same_bytes_say_the_same(extension: str, text: str) -> None:
    source = a_source(f"a.{extension}", text)

    assert parse_source(source) == parse_source(source)


@settings(max_examples=100, deadline=None)
@given(extension=st.sampled_from(EXTENSIONS), text=st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_text_at_all_has_an_outcome(extension: str, text: str) -> None:
    parsed = parse_source(a_source(f"a.{extension}", text))

    assert parsed.outcome["outcome"] in {"parsed", "lines"}
    assert_exact_and_complete(text, parsed)


@pytest.mark.parametrize("path", GOLDEN)
def test_rows_are_those_of_their_artifacts(path: str) -> None:
    parsed = parse_source(a_source(path, GOLDEN[path][0]))

    for row_class, rows in (
        (SymbolRow, parsed.symbols),
        (EdgeRow, parsed.edges),
        (ChunkRow, parsed.chunks),
        (OutcomeRow, [parsed.outcome]),
    ):
        for row in rows:
            assert list(row) == schema_of(row_class).names
        assert write_rows(row_class, [row_class.model_validate(row, strict=True) for row in rows])


def test_a_chunk_says_where_it_stands_and_what_it_defines() -> None:
    methods = "".join(
        f"    def method_{n}(self) -> int:\n" + "".join(f"        value_{i} = compute({i})\n" for i in range(30)) + "\n"
        for n in range(3)
    )
    parsed = parse_source(a_source("pkg/zoo.py", f"import os\n\n\nclass Zoo:\n{methods}"))

    assert [(c["header"], c["symbols"], c["first_line"], c["last_line"]) for c in parsed.chunks] == [
        ("pkg/zoo.py", ["Zoo", "method_0"], 1, 35),
        ("pkg/zoo.py > Zoo", ["method_1"], 37, 67),
        ("pkg/zoo.py > Zoo", ["method_2"], 69, 99),
    ]


def test_a_large_function_is_cut_inside_and_says_its_name_above() -> None:
    body = "".join(f"    if condition_{n}:\n        result_{n} = compute_something({n})\n" for n in range(60))
    parsed = parse_source(a_source("big.py", f"def big():\n{body}    return None\n"))

    headers = [chunk["header"] for chunk in parsed.chunks]
    assert len(headers) > 2
    assert headers[0] == "big.py"
    assert set(headers[1:]) == {"big.py > big"}
    # Cut between statements, never between a condition and what it guards.
    assert all(chunk["text"].lstrip().startswith(("def big", "if condition", "return")) for chunk in parsed.chunks)


def test_a_comment_goes_with_what_it_stands_above() -> None:
    filler = "".join(f"    total = total + {n} * factor_of({n})\n" for n in range(18))
    source = "".join(f"# About number {n}.\ndef f{n}(total):\n{filler}\n\n" for n in range(4))
    chunks = parse_source(a_source("f.py", source)).chunks

    assert [str(chunk["text"]).split("\n")[0] for chunk in chunks] == [f"# About number {n}." for n in range(4)]


def test_a_chunk_is_named_by_path_text_and_ordinal_only() -> None:
    block = "x: 1\n" + "a: " + "b" * MAX_WEIGHT + "\n"
    one = parse_source(a_source("a.yaml", block * 2)).chunks
    moved = parse_source(a_source("a.yaml", "\n\n" + block * 2)).chunks
    elsewhere = parse_source(a_source("b.yaml", block * 2)).chunks

    assert [c["chunk_id"] for c in one] == [c["chunk_id"] for c in moved]
    assert not {c["chunk_id"] for c in one} & {c["chunk_id"] for c in elsewhere}
    first = one[0]
    assert first["chunk_id"] == sha256(f"a.yaml\0{first['text']}\0000".encode()).hexdigest()[:32]
    assert first["text_sha256"] == sha256(f"{first['header']}\n{first['text']}".encode()).hexdigest()


def test_sections_of_a_document_name_their_headings() -> None:
    text = (
        "Intro\n\n# Zoo\n"
        + "About animals. " * 20
        + "\n\n## Install\n"
        + "Run this. " * 30
        + "\n```sh\n# no heading\n```\n"
        "\n## Use\n" + "Use it so. " * 30 + "\n"
    )
    chunks = parse_source(a_source("README.md", text)).chunks

    assert [chunk["header"] for chunk in chunks] == [
        "README.md > Zoo",
        "README.md > Zoo > Install",
        "README.md > Zoo > Use",
    ]


def test_sections_of_restructured_text_follow_its_adornments() -> None:
    body = "Words about it. " * 20
    headings = ("===\nZoo\n===", "Install\n-------", "From source\n~~~~~~~~~~~", "Use\n---")
    text = "".join(f"{heading}\n\n{body}\n\n" for heading in headings)
    chunks = parse_source(a_source("docs/index.rst", text)).chunks

    assert [chunk["header"] for chunk in chunks] == [
        "docs/index.rst > Zoo",
        "docs/index.rst > Zoo > Install",
        "docs/index.rst > Zoo > Install > From source",
        "docs/index.rst > Zoo > Use",
    ]


@pytest.mark.parametrize("path", ["a.py", "a.txt", "a.md", "a.unknown"])
@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n"])
def test_an_empty_file_gives_no_chunk(path: str, text: str) -> None:
    parsed = parse_source(a_source(path, text))

    assert parsed.chunks == []
    assert parsed.outcome["outcome"] in {"parsed", "lines"}


def test_a_file_with_an_error_keeps_what_parses() -> None:
    parsed = parse_source(
        a_source("a.py", "def good():\n    return 1\n\n\ndef bad(:\n    return\n\n\ndef fine():\n    pass\n")
    )

    assert parsed.outcome["outcome"] == "parsed"
    assert parsed.outcome["errors"] > 0
    assert parsed.outcome["error_lines"] == ["5"]
    assert {"good", "fine"} <= {symbol["name"] for symbol in parsed.symbols}


def test_the_first_places_of_errors_are_told_by_their_lines() -> None:
    text = "class A {\n" + "  void a() {\n    int x = ;\n    ok();\n  }\n" * 30 + "  void b() { f(\n}\n"
    notebook = '{"cells": [\n {"cell_type": "code", "source": [\n  "x = 1\\n",\n  "y = = 2"\n ]}\n], "nbformat": 4}'
    whole = "%% ?? (((\n" * 50

    told = parse_source(a_source("A.java", text)).outcome

    assert told["error_lines"] == [str(3 + 4 * n) for n in range(20)]
    assert parse_source(a_source("a.ipynb", notebook)).outcome["error_lines"] == ["4"]
    assert parse_source(a_source("a.py", "print(1)\n")).outcome["error_lines"] == []
    assert parse_source(a_source("b.java", whole)).outcome["error_lines"]


def test_outcomes_from_before_errors_had_places_are_read() -> None:
    row = parse_source(a_source("a.py", "def bad(:\n")).outcome
    whole = pa.Table.from_pylist([row], schema=schema_of(OutcomeRow))

    [now], [before] = (
        read_rows(OutcomeRow, write_table(table)) for table in (whole, whole.drop_columns(["error_lines"]))
    )

    assert (now.errors, now.error_lines) == (row["errors"], ["1"])
    assert (before.errors, before.error_lines) == (row["errors"], [])


def test_a_file_that_is_mostly_error_is_cut_by_lines() -> None:
    parsed = parse_source(a_source("a.java", "%% ?? ((( not java at all\n" * 50))

    assert (parsed.outcome["outcome"], parsed.outcome["reason"]) == ("lines", "syntax_errors")
    assert_exact_and_complete("%% ?? ((( not java at all\n" * 50, parsed)


@given(st.sampled_from(("a.py", "a.js", "a.java", "a.go", "a.css", "a.html")), TEXT)
@settings(max_examples=150, deadline=None)
def test_every_error_and_missing_node_is_counted(path: str, text: str) -> None:
    source = a_source(path, text)
    grammar = grammar_of(source.language or "")
    assert grammar is not None
    root = grammar.parser.parse(text.encode()).root_node
    found = QueryCursor(Query(grammar.language, "(ERROR) @error (MISSING) @missing")).captures(root)

    parsed = parse_source(source)

    if parsed.outcome["reason"] != "empty":
        assert parsed.outcome["errors"] == sum(map(len, found.values()))


@given(st.text("ab \t\r\n\x0b\x85\u2028é", max_size=60))
def test_only_a_newline_ends_a_line(text: str) -> None:
    source = text.encode()
    rows = source.split(b"\n")
    count = len(rows) - (rows[-1] == b"")

    lines = Lines(source)

    assert lines.count == count
    assert [lines.text(line, line).encode() for line in range(1, count + 1)] == rows[:count]
    assert [lines.weight(line, line) for line in range(1, count + 1)] == [weight(row.decode()) for row in rows[:count]]


def test_a_header_is_read_as_what_it_is() -> None:
    cpp = parse_source(a_source("a.h", "#pragma once\nnamespace zoo {\nclass Dog {};\n}\n"))
    c = parse_source(a_source("a.h", "struct dog { int size; };\n"))

    assert [(s["language"], s["qualified_name"]) for s in cpp.symbols] == [("cpp", "zoo"), ("cpp", "zoo::Dog")]
    assert [(s["language"], s["qualified_name"]) for s in c.symbols] == [("c", "dog")]


def test_a_parse_that_is_stopped_fails_and_the_next_one_is_sound() -> None:
    text = "def f():\n    return [" + "(1, 2), " * 50_000 + "]\n"
    stopped = parse_source(a_source("a.py", text), lambda: True)
    after = parse_source(a_source("b.py", "def g(): ...\n"))

    assert stopped.outcome == {
        "path": "a.py",
        "outcome": "failed",
        "reason": "parser_timeout",
        "symbols": 0,
        "chunks": 0,
        "errors": 0,
        "error_lines": [],
    }
    assert stopped.chunks == []
    assert [symbol["name"] for symbol in after.symbols] == ["g"]


def test_nesting_without_end_is_bounded() -> None:
    depth = 3_000
    parsed = parse_source(a_source("a.java", "class A {" * depth + "}" * depth))

    assert len(parsed.symbols) < 1_000
    assert all(len(str(symbol["qualified_name"])) <= 1_000 for symbol in parsed.symbols)


def test_the_uses_of_a_file_are_bounded() -> None:
    parsed = parse_source(a_source("a.py", "".join(f"f{n}()\n" for n in range(5_000))))

    assert len(parsed.edges) == 2_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_query_has_predicates_on_text(language: str) -> None:
    grammar = grammar_of(language)
    assert grammar is not None
    assert grammar.query.string_count == 0  # the binding crashes on them, see grammars.py


SECRET = "gh" + "p_A1b2C3d4E5f6G7h8J9k0"
KEY = [
    "-----BEGIN " + "PRIVATE KEY-----",
    *(f"MIIEvQIBADANBgkq{line:02}" * 3 for line in range(80)),
    "-----END " + "PRIVATE KEY-----",
]


def test_nothing_that_is_said_of_a_file_has_a_secret_and_everything_stands_where_it_stood() -> None:
    code = f'def sign_in(token="{SECRET}"):\n    """Uses {SECRET} else."""\n    return connect(token)\n'
    plain = parse_source(a_source("a.py", code.replace(SECRET, "nothing")))

    said = parse_source(a_source("a.py", code))

    assert SECRET not in repr(said)
    assert [(row["name"], row["first_line"], row["last_line"]) for row in said.symbols] == [("sign_in", 1, 3)]
    assert said.symbols[0]["signature"] == 'def sign_in(token="[redacted]")'
    assert [chunk["text"] for chunk in said.chunks] == [code.replace(SECRET, "[redacted]").rstrip("\n")]
    assert said.edges == plain.edges


@pytest.mark.parametrize("path", ["key.txt", "key.md", "key.yaml", "key.py"])
def test_the_middle_of_a_key_of_many_lines_is_in_no_passage(path: str) -> None:
    text = "\n".join(["before = 1", *KEY, "after = 1"])

    said = parse_source(a_source(path, text))

    assert len(said.chunks) > 1 or "txt" not in path
    assert "MIIE" not in repr(said)
    redacted = "\n".join(["before = 1", *["[redacted]"] * len(KEY), "after = 1"])
    assert_exact_and_complete(redacted, said)


def test_what_a_file_of_variables_sets_a_password_to_is_neither_in_passages_nor_in_signatures() -> None:
    text = "export NAME=shop\nDB_PASSWORD=hunter22\nserve\n"

    said, plain = (parse_source(a_source(path, text)) for path in ("deploy/.env", "deploy/run.sh"))

    assert "hunter22" not in repr(said)
    assert "hunter22" in repr(plain.symbols)
    assert [row["name"] for row in said.symbols] == [row["name"] for row in plain.symbols]
    assert [chunk["text"].split("\n")[1] for chunk in said.chunks] == ["DB_PASSWORD=[redacted]"]


def test_a_passage_says_no_secret_of_its_files_name() -> None:
    [chunk] = parse_source(a_source(f"keys/{SECRET}.txt", "x\n")).chunks

    assert SECRET not in str(chunk["header"])
