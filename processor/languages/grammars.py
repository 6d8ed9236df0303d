"""The languages that have a grammar: how it is loaded, and the query that finds what a file defines and uses.

Captures of the queries (`queries/<language>.scm`):
`def.<kind>` a definition, with `name` and, where the grammar has no `body` field, `body`; `owner` the type a method
belongs to where it stands elsewhere; `scope` (with `name`) encloses definitions without being one; `import`, `call`,
`inherit` what it uses; `import.from` + `import.name` two parts of one import; `callee` a call whose name decides
whether it imports or mixes in; `component` an element of JSX; `comment`; `glue` what may stand between a comment and
its definition. No predicates on text (`#eq?`): the binding crashes on them where a tree was parsed through a callback.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files

from tree_sitter import Language, Parser, Query


@dataclass(frozen=True)
class Grammar:
    """A loaded grammar. `separator` joins the parts of a qualified name as its language writes them.

    `roles` says of each pattern of the query what its matches are: `def.<kind>`, `scope`, `call`, `comment`, `glue`, or
    `use` for the rest.
    """

    name: str
    language: Language
    parser: Parser
    query: Query
    roles: tuple[str, ...]
    errors: Query
    separator: str


# language → module, function that gives the grammar, separator of qualified names
_SOURCES = {
    "python": ("tree_sitter_python", "language", "."),
    "javascript": ("tree_sitter_javascript", "language", "."),
    "typescript": ("tree_sitter_typescript", "language_typescript", "."),
    "tsx": ("tree_sitter_typescript", "language_tsx", "."),
    "go": ("tree_sitter_go", "language", "."),
    "rust": ("tree_sitter_rust", "language", "::"),
    "java": ("tree_sitter_java", "language", "."),
    "c": ("tree_sitter_c", "language", "::"),
    "cpp": ("tree_sitter_cpp", "language", "::"),
    "csharp": ("tree_sitter_c_sharp", "language", "."),
    "ruby": ("tree_sitter_ruby", "language", "::"),
    "php": ("tree_sitter_php", "language_php", "::"),
}
LANGUAGES = tuple(_SOURCES)
_QUERIES = {"tsx": ("typescript", "tsx")}  # where a language is another one with something added
_ROLE = re.compile(r"@(def\.\w+|scope|call|comment|glue)\b")


@cache
def grammar_of(language: str) -> Grammar | None:
    """The grammar of a language, loaded on first use; None where there is none. One parser each: not for threads."""
    source = _SOURCES.get(language)
    if source is None:
        return None
    module, function, separator = source
    load: Callable[[], object] = getattr(import_module(module), function)
    loaded = Language(load())
    text = "".join(_query_text(name) for name in _QUERIES.get(language, (language,)))
    errors = Query(loaded, "(ERROR) @error (MISSING) @missing")
    query = Query(loaded, text)
    return Grammar(language, loaded, Parser(loaded), query, _roles(query, text), errors, separator)


def _query_text(name: str) -> str:
    return files("processor.languages").joinpath("queries", f"{name}.scm").read_text(encoding="utf-8")


def _roles(query: Query, text: str) -> tuple[str, ...]:
    source = text.encode()
    spans = [
        slice(query.start_byte_for_pattern(index), query.end_byte_for_pattern(index))
        for index in range(query.pattern_count)
    ]
    roles = (_ROLE.search(source[span].decode()) for span in spans)
    return tuple(role.group(1) if role else "use" for role in roles)
