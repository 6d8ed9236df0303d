"""Training texts for the static token table: code chunks with headers, documentation, first sentences of doc comments.

In:  a folder of unpacked packages, `<ecosystem>/<package>/…`.
Out: texts with their language and package; a text that documents a definition names it (for the quality check).
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_c
import tree_sitter_cpp
import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_php
import tree_sitter_python
import tree_sitter_ruby
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

MAX_BYTES = 400_000
MAX_CHARS = 1600  # a chunk; about the model's 256 tokens of code
MIN_CHARS = 60
MAX_DEPTH = 6  # definitions nested deeper are read as part of what holds them

GRAMMARS = {
    "c": (tree_sitter_c.language, (".c", ".h")),
    "cpp": (tree_sitter_cpp.language, (".cc", ".cpp", ".hpp")),
    "go": (tree_sitter_go.language, (".go",)),
    "java": (tree_sitter_java.language, (".java",)),
    "javascript": (tree_sitter_javascript.language, (".js", ".mjs", ".cjs")),
    "php": (tree_sitter_php.language_php, (".php",)),
    "python": (tree_sitter_python.language, (".py",)),
    "ruby": (tree_sitter_ruby.language, (".rb",)),
    "rust": (tree_sitter_rust.language, (".rs",)),
    "typescript": (tree_sitter_typescript.language_typescript, (".ts",)),
}
LANGUAGE_OF = {ending: language for language, (_, endings) in GRAMMARS.items() for ending in endings}
CONTAINERS = {
    "class_definition", "class_declaration", "class_specifier", "class", "module", "impl_item", "trait_item",
    "interface_declaration",
}  # fmt: skip
DEFINITIONS = CONTAINERS | {
    "function_definition", "function_declaration", "method_definition", "method_declaration", "constructor_declaration",
    "type_declaration", "function_item", "struct_item", "enum_item", "struct_specifier", "method", "singleton_method",
    "type_alias_declaration", "enum_declaration",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """One text. `kind` is chunk (code), prose (documentation) or query (what a doc comment says first)."""

    kind: str
    language: str
    package: str
    text: str
    symbol: str = ""  # the definition's own name
    bare: str = ""  # of a query: the chunk it describes, without its documentation


def texts_under(folder: Path) -> Iterator[Text]:
    """Yield each different text of all packages, in order of path."""
    seen: set[bytes] = set()
    parsers = {language: Parser(Language(grammar())) for language, (grammar, _) in GRAMMARS.items()}
    for path in sorted(folder.glob("*/*/**/*")):
        for text in _texts_of(path, folder, parsers):
            digest = hashlib.sha256(f"{text.kind} {text.text.split(chr(10), 1)[-1]}".encode()).digest()
            if digest not in seen:
                seen.add(digest)
                yield text


def _texts_of(path: Path, folder: Path, parsers: dict[str, Parser]) -> Iterator[Text]:
    language = LANGUAGE_OF.get(path.suffix, "prose" if path.suffix in {".md", ".rst"} else "")
    if not language or ".min." in path.name or path.is_symlink() or not path.is_file():
        return
    content = path.read_bytes()
    if len(content) > MAX_BYTES or len(content) > 250 * (content.count(b"\n") + 1):
        return  # generated or minified
    ecosystem, package, *inside = path.relative_to(folder).parts
    del ecosystem
    name = "/".join(part for part in inside[-5:] if part not in {"package", "usr", "share"})
    if language == "prose":
        yield from _prose(content.decode(errors="replace"), package, name)
    else:
        yield from _definitions(parsers[language].parse(content).root_node, language, package, name, [])


def _prose(content: str, package: str, name: str) -> Iterator[Text]:
    for section in re.split(r"\n(?=#{1,3} )", content):
        if len(section) >= MIN_CHARS:
            yield Text("prose", "prose", package, f"{name}\n{section[:MAX_CHARS].strip()}")


def _definitions(
    node: Node, language: str, package: str, path: str, outer: list[str], depth: int = 0
) -> Iterator[Text]:
    for child in node.named_children:
        inside = outer
        if child.type in DEFINITIONS and (symbol := _symbol(child)):
            inside = [*outer, symbol]
            yield from _definition(child, language, package, f"{path} > {'.'.join(inside)}", symbol)
            if child.type not in CONTAINERS:
                continue
        if depth < MAX_DEPTH * 2:
            yield from _definitions(child, language, package, path, inside, depth + 1)


def _definition(node: Node, language: str, package: str, header: str, symbol: str) -> Iterator[Text]:
    code = _said(node)
    if len(code) < MIN_CHARS:
        return
    above, within = _comment_above(node), _docstring(node)
    yield Text("chunk", language, package, f"{header}\n{(above + code)[:MAX_CHARS]}", symbol)
    query = first_sentence(within or above)
    if 3 <= len(query.split()) <= 40 and node.type not in CONTAINERS:
        bare = code.replace(within, "", 1) if within else code
        yield Text("query", language, package, query, symbol, f"{header}\n{bare[:MAX_CHARS]}")


def _said(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _symbol(node: Node) -> str:
    named: Node | None = node.child_by_field_name("name") or node.child_by_field_name("declarator")
    if node.type == "impl_item":
        named = node.child_by_field_name("type")
    while named is not None and (inner := named.child_by_field_name("declarator")) is not None:
        named = inner
    return _said(named)[:80].split("(")[0] if named is not None else ""


def _comment_above(node: Node) -> str:
    outer = node.parent if node.parent is not None and node.parent.type == "export_statement" else node
    said: list[str] = []
    before = outer.prev_sibling
    while before is not None and "comment" in before.type:
        said.insert(0, _said(before).rstrip() + "\n")
        before = before.prev_sibling
    return "".join(said)


def _docstring(node: Node) -> str:
    body = node.child_by_field_name("body")
    first = body.named_children[0] if body is not None and body.named_children else None
    if first is not None and first.type == "expression_statement" and first.named_children:
        first = first.named_children[0]
    return _said(first) if first is not None and first.type == "string" else ""


def first_sentence(comment: str) -> str:
    """Return the first paragraph of a comment without its marks, at most 300 characters."""
    lines = [
        re.sub(r"^\s*(?:/\*+!?|\*+/|\*|//[/!]?|#+|[rubf]?\"{1,3})\s?|\s*(?:\*+/|\"{1,3})\s*$", "", line).strip()
        for line in comment.splitlines()
    ]
    paragraph = re.split(r"\n\s*\n|\n\s*[@:]", "\n".join(lines).strip(), maxsplit=1)[0]
    return " ".join(paragraph.split())[:300]
