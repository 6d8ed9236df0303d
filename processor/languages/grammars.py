"""The languages that have a grammar: how it is loaded, and the query that finds what a file defines and uses.

A language is a row of `_SOURCES`, a file of queries (`queries/<language>.scm`) and a sample in the tests. Captures:
`def.<kind>` a definition, with `name` and, where the grammar has no `body` field, `body` (which may stand behind it);
`owner` the type a method belongs to where it stands elsewhere; `doc` what is written about it inside of it;
`section.<kind>` a definition that goes on until the next section; `scope` (with `name`) encloses definitions without
being one; `import`, `call`, `inherit` what it uses; `import.from` (its first and last word) + `import.name` two parts
of one import; `imports` a statement that `imports.py` takes apart; `import.to` what a module is assigned to;
`package` what the file says it is part of; `receiver` what a call is asked of where that stands apart; `component` an
element of JSX; `quiet` in which calls are none;
`comment`, with `doc` where only that part of it is said; `glue` what may stand between a comment and its definition;
`branch` where the flow divides; `bind.name` with `bind.type` or `bind.call` a name that is given a type; `access` a
label that says who may use what is below it; `exported` names that a module gives.

`(#any-of? @capture "word" …)`, `(#eq? @capture "word")`, `(#match? @capture "expression")` and their `#not-` forms are
evaluated here, and the binding never sees them: it crashes on predicates where a tree was parsed through a callback.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import NamedTuple

from tree_sitter import Language, Parser, Query


class Condition(NamedTuple):
    """What is to be found in the text of a capture, or (not `wanted`) must not be, for a pattern to count."""

    capture: str
    text: re.Pattern[bytes]
    wanted: bool


@dataclass(frozen=True)
class Grammar:
    """A loaded grammar. `separator` joins the parts of a qualified name as its language writes them.

    `roles` says of each pattern of the query what its matches are: `def.<kind>`, `section.<kind>`, `scope`, `call`,
    `comment`, `glue`, `quiet`, `branch`, `bind`, `access`, `exported`, or `use` for the rest; `conditions` under which
    they count. `glue` are the kinds of nodes that begin what follows them. No file has more than `most_symbols`.
    """

    name: str
    language: Language
    parser: Parser
    query: Query
    roles: tuple[str, ...]
    conditions: tuple[tuple[Condition, ...], ...]
    glue: frozenset[int]
    separator: str
    most_symbols: int


class _Source(NamedTuple):
    """Where a grammar is: its module, and the function of it that gives the grammar."""

    module: str
    separator: str = "."
    function: str = "language"
    most_symbols: int = 10_000


_FEW = 200  # a file of data has a symbol for each key: what it is about shows in the first ones
_SOURCES = {
    "python": _Source("tree_sitter_python"),
    "javascript": _Source("tree_sitter_javascript"),
    "typescript": _Source("tree_sitter_typescript", function="language_typescript"),
    "tsx": _Source("tree_sitter_typescript", function="language_tsx"),
    "go": _Source("tree_sitter_go"),
    "rust": _Source("tree_sitter_rust", "::"),
    "java": _Source("tree_sitter_java"),
    "c": _Source("tree_sitter_c", "::"),
    "cpp": _Source("tree_sitter_cpp", "::"),
    "csharp": _Source("tree_sitter_c_sharp"),
    "ruby": _Source("tree_sitter_ruby", "::"),
    "php": _Source("tree_sitter_php", "::", "language_php"),
    "kotlin": _Source("tree_sitter_kotlin"),
    "scala": _Source("tree_sitter_scala"),
    "swift": _Source("tree_sitter_swift"),
    "shell": _Source("tree_sitter_bash"),
    "lua": _Source("tree_sitter_lua"),
    "elixir": _Source("tree_sitter_elixir"),
    "dart": _Source("tree_sitter_dart"),
    "sql": _Source("tree_sitter_sql"),
    "html": _Source("tree_sitter_html"),
    "css": _Source("tree_sitter_css"),
    "yaml": _Source("tree_sitter_yaml", most_symbols=_FEW),
    "json": _Source("tree_sitter_json", most_symbols=_FEW),
    "toml": _Source("tree_sitter_toml", most_symbols=_FEW),
    "dockerfile": _Source("tree_sitter_containerfile"),
}
LANGUAGES = tuple(_SOURCES)
_GLUE = ("comment", "attribute", "annotation", "decorator")
_QUERIES = {"tsx": ("typescript", "tsx")}  # where a language is another one with something added
_ROLES = r"(?:def|section)\.\w+|scope|call|comment|glue|quiet|branch|access|exported|bind"
_ROLE = re.compile(rf"@({_ROLES})\b")
_PREDICATE = re.compile(r'\(#(not-)?(any-of|eq|match)\?\s+@([\w.]+)((?:\s+"[^"]*")+)\s*\)')
_WORD = re.compile(r'"([^"]*)"')


@cache
def grammar_of(language: str) -> Grammar | None:
    """The grammar of a language, loaded on first use; None where there is none. One parser each: not for threads."""
    source = _SOURCES.get(language)
    if source is None:
        return None
    load: Callable[[], object] = getattr(import_module(source.module), source.function)
    loaded = Language(load())
    text = "".join(_query_text(name) for name in _QUERIES.get(language, (language,)))
    query = Query(loaded, _PREDICATE.sub(lambda found: " " * len(found.group()), text))
    patterns = _patterns(query, text)
    return Grammar(
        name=language,
        language=loaded,
        parser=Parser(loaded),
        query=query,
        roles=tuple(_role(pattern) for pattern in patterns),
        conditions=tuple(_conditions(pattern) for pattern in patterns),
        glue=_glue(loaded),
        separator=source.separator,
        most_symbols=source.most_symbols,
    )


def _glue(language: Language) -> frozenset[int]:
    kinds = ((kind, language.node_kind_for_id(kind) or "") for kind in range(language.node_kind_count))
    return frozenset(kind for kind, name in kinds if name.startswith(_GLUE) or name.endswith(_GLUE))


def _query_text(name: str) -> str:
    return files("processor.languages").joinpath("queries", f"{name}.scm").read_text(encoding="ascii")


def _patterns(query: Query, text: str) -> list[str]:
    """The text of each pattern, its predicates included."""
    return [
        text[query.start_byte_for_pattern(index) : query.end_byte_for_pattern(index)]
        for index in range(query.pattern_count)
    ]


def _role(pattern: str) -> str:
    role = _ROLE.search(pattern)
    return role.group(1) if role else "use"


def _conditions(pattern: str) -> tuple[Condition, ...]:
    return tuple(
        Condition(capture, _expression(test, _WORD.findall(words)), wanted=not negated)
        for negated, test, capture, words in _PREDICATE.findall(pattern)
    )


def _expression(test: str, words: list[str]) -> re.Pattern[bytes]:
    if test == "match":
        [expression] = words
    else:
        expression = rf"\A(?:{'|'.join(map(re.escape, words))})\Z"
    return re.compile(expression.encode())
