"""Each reason that the processor gives for a file has its sentence on the page, and each sentence its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

from web_ui.words import REASONS

ROOT = Path(__file__).parents[2]
SKIPS = ("processor/stages/classify.py", "processor/stages/take_sources.py")
PARSING = ("stages/parse.py", "adapters/parser_child.py", "adapters/parser_process.py", "adapters/parser_pool.py")
NO_REASONS = {"ok", "parsed", "lines", "failed"}


def functions(path: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def words_in(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.replace("_", "").isalpha()
    }


def skip_reasons() -> set[str]:
    """What is returned by the functions that decide on an entry, and the table that one of them looks into."""
    found: set[str] = set()
    for path in SKIPS:
        for function in functions(path):
            kinds = ast.unparse(function.returns) if function.returns else ""
            if kinds in {"str | None", "SourceRow | str"}:
                returned = (node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value)
                found |= {word for value in returned for word in answers_of(value)}
            elif kinds == "_Candidate":
                found |= {word for node in ast.walk(function) if isinstance(node, ast.IfExp) for word in words_in(node)}
    classify = ast.parse((ROOT / SKIPS[0]).read_text("utf-8"))
    table = next(node for node in classify.body if isinstance(node, ast.Assign) and "_OTHER_MODES" in words_of(node))
    return found | {word for word in words_in(table.value) if not word.isdecimal()}


def words_of(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


def answers_of(value: ast.expr) -> set[str]:
    """The strings that an expression may come out as: not those that it compares with or makes rows of."""
    if isinstance(value, ast.Constant):
        return words_in(value)
    if isinstance(value, ast.IfExp):
        return answers_of(value.body) | answers_of(value.orelse)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get":
        return answers_of(value.args[1])
    return set()


def parse_reasons() -> set[str]:
    """What a parsed file's outcome or a parser's death is called."""
    found: set[str] = set()
    for path in PARSING:
        text = (ROOT / "processor" / path).read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in {"failed", "ParserDied"}:
                found |= {word for argument in node.args for word in words_in(argument)}
            elif isinstance(node, ast.Tuple) and words_in(node) & {"lines"} and len(node.elts) == 2:
                found |= words_in(node)
            elif isinstance(node, ast.Assign) and words_of(node) == {"reason"}:
                found |= words_in(node.value)
    return found - NO_REASONS


def test_every_reason_has_a_sentence_and_every_sentence_a_reason() -> None:
    found = skip_reasons() | parse_reasons()

    assert found - REASONS.keys() == set()
    assert REASONS.keys() - found - {"parked"} == set()
