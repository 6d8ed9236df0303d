"""Questions that documented code gives: what a docstring says first, and the function that it is about.

Every docstring is blanked before the repository is indexed. Left out: what is shorter than four words, what has the
function's name in it, and texts that several functions have.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from bench.retrieval.question_sets import Asked
from events.artifacts import SourceRow
from processor.stages.parse import parse_source
from rag_manager.stages.noise import noise_of

_KINDS = frozenset({"function", "method"})
_COMMENT = re.compile(r"^\s*(//|/\*|\*|#(?!\s*(include|define|if|endif|pragma)))")
_ATTRIBUTE = re.compile(r"^\s*(#\[|@|\[)")  # what may stand between a comment and what it is about
_WORDS = (4, 60)
_MARKUP = re.compile(r"\{@\w+\s+([^}]*)\}|<[^>]+>|[`*]")


def docstring_questions(sources: Iterable[SourceRow]) -> tuple[list[SourceRow], list[Asked]]:
    """The sources without docstrings, line for line, and the questions on them."""
    blanked: list[SourceRow] = []
    asked: list[Asked] = []
    for source in sources:
        symbols = parse_source(source).symbols
        documented = [symbol for symbol in symbols if symbol["docstring"]]
        blanked.append(source.model_copy(update={"content": without_docstrings(source, _lines_of(documented))}))
        if source.file_class == "code" and noise_of(source.path, source.file_class) is None:
            asked += _questions(source.path, documented)
    often = Counter(question.text for question in asked)
    return blanked, [question for question in asked if often[question.text] == 1]


def question_of(docstring: str, name: str) -> str | None:
    """The first paragraph of a docstring as one line; None where it is too short or long, or tells the name."""
    paragraph = re.split(r"\n\s*\n|\n\s*(?:@\w|:\w|Args:|Returns:|Parameters|Example)", docstring.strip())[0]
    text = " ".join(_MARKUP.sub(r"\1", paragraph).split())
    bare = name.strip("_").lower()
    has_name = re.search(rf"(?<!\w)_*{re.escape(bare)}_*(?!\w)", text.lower()) is not None
    return text if _WORDS[0] <= len(text.split()) <= _WORDS[1] and not has_name else None


def without_docstrings(source: SourceRow, documented: Iterable[int]) -> str:
    """The text with empty lines for docstrings; `documented` are the first lines of what has one."""
    lines = source.content.split("\n")
    spans = _python_spans(source.content) if source.language == "python" else _comments(lines, documented)
    for first, last, instead in spans:
        lines[first - 1 : last] = [instead] + [""] * (last - first)
    return "\n".join(lines)


def _questions(path: str, documented: Iterable[dict[str, object]]) -> Iterator[Asked]:
    for symbol in documented:
        name, first, last = str(symbol["name"]), int(str(symbol["first_line"])), int(str(symbol["last_line"]))
        if symbol["kind"] in _KINDS and (text := question_of(str(symbol["docstring"]), name)):
            yield Asked(text, frozenset({path}), ((path, first, last),))


def _lines_of(documented: Iterable[dict[str, object]]) -> list[int]:
    return [int(str(symbol["first_line"])) for symbol in documented]


def _python_spans(content: str) -> list[tuple[int, int, str]]:
    """First and last line of the docstrings, and what stands there instead: `pass` where it is all of a body."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return []
    spans = []
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            said = body[0]
            if not isinstance(said, ast.Expr) or not isinstance(said.value, ast.Constant):
                continue
            if isinstance(said.value.value, str) and said.lineno > getattr(node, "lineno", 0):
                instead = " " * said.col_offset + "pass" if len(body) == 1 else ""
                spans.append((said.lineno, said.end_lineno or said.lineno, instead))
    return spans


def _comments(lines: list[str], documented: Iterable[int]) -> Iterator[tuple[int, int, str]]:
    for line in documented:
        last = line - 1
        while last >= 1 and _ATTRIBUTE.match(lines[last - 1]):
            last -= 1
        first = last
        while first >= 1 and _COMMENT.match(lines[first - 1]) and not _ATTRIBUTE.match(lines[first - 1]):
            first -= 1
        if first < last:
            yield first + 1, last, ""
