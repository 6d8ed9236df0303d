"""What one small file of each language says: exactly these symbols, spans, uses and comments."""

import pytest

from processor.languages.grammars import LANGUAGES
from processor.languages.headings import HEADED
from processor.stages.parse import NOTEBOOK, parse_source
from tests.support.language_samples import GOLDEN
from tests.support.sources import a_source


@pytest.mark.parametrize("path", GOLDEN)
def test_a_file_says_what_it_defines_and_uses(path: str) -> None:
    text, symbols, edges = GOLDEN[path]
    parsed = parse_source(a_source(path, text))

    found = [(s["kind"], s["qualified_name"], s["first_line"], s["last_line"], s["docstring"]) for s in parsed.symbols]
    assert found == symbols
    uses = [(e["kind"], e["source"], e["target"], e["line"]) for e in parsed.edges if e["kind"] != "typed"]
    assert list(dict.fromkeys(uses)) == edges  # a statement that brings in several names is several rows
    assert parsed.outcome == {
        "path": path,
        "outcome": "parsed",
        "reason": None,
        "symbols": len(symbols),
        "chunks": len(parsed.chunks),
        "errors": 0,
        "error_lines": [],
    }


@pytest.mark.parametrize("path", GOLDEN)
def test_bytes_and_names_of_a_symbol_are_those_of_the_text(path: str) -> None:
    text, _, _ = GOLDEN[path]
    content = text.encode()
    for symbol in parse_source(a_source(path, text)).symbols:
        span = content[symbol["first_byte"] : symbol["last_byte"]].decode()
        assert str(symbol["name"]).split(" ")[-1] in span
        assert content[: symbol["first_byte"]].count(b"\n") + 1 == symbol["first_line"]
        assert symbol["first_line"] + span.count("\n") == symbol["last_line"]


def test_every_grammar_has_its_sample() -> None:
    suffixes = {a_source(path, text).language for path, (text, _, _) in GOLDEN.items()}
    assert suffixes == {*LANGUAGES, *HEADED, NOTEBOOK}
