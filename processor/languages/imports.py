"""What an import says, as data: module, name, alias, and how far it is relative. Pure; one function a language.

Each function takes the statement's node and the text of the file, and gives `Import`s in source order. Other languages
say only which module they import; `uses.uses_of` reads those.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from tree_sitter import Node

from processor.languages.imports_rust import rust_imports
from processor.languages.text import MAX_NAME, text_of

_JAVA = re.compile(r"import\s+(static\s+)?([\w.$]+?)(\s*\.\s*\*)?\s*;")
_KOTLIN = re.compile(r"import\s+([\w.`]+?)(\.\*)?(?:\s+as\s+([\w`]+))?\s*;?\s*$")
_CSHARP = re.compile(r"using\s+(static\s+)?(?:unsafe\s+)?(?:(\w+)\s*=\s*)?([\w.:@]+)\s*(?:<.*>)?\s*;", re.DOTALL)
_PHP = re.compile(r"use\s+(?:(?:function|const)\s+)?(.*?);?\s*$", re.DOTALL)
_PHP_CLAUSE = re.compile(r"^(?:(?:function|const)\s+)?\\?([\w\\]+?)\\?(?:\s+as\s+(\w+))?$")
_MOST_NAMES = 500  # of one statement


class Import(NamedTuple):
    """One name that comes in. `name` is empty where the module itself does, `*` where everything in it does.

    `module` is as written without the dots that make it relative, which `level` counts; for paths (C, Ruby, PHP, Rust,
    JavaScript) a level of 1 says that they are looked for beside the file. `target` is what an edge shows.
    """

    at: int
    target: str
    module: str
    name: str = ""
    alias: str = ""
    level: int = 0


def _python(node: Node, source: bytes) -> Iterator[Import]:
    if node.type == "import_statement":
        for child in node.named_children[:_MOST_NAMES]:
            name, alias = _named(child, source)
            yield Import(child.start_byte, name, name, alias=alias)
        return
    module_node = node.child_by_field_name("module_name")
    if module_node is None:
        return
    written = "".join(text_of(module_node, source).split())
    module = written.lstrip(".")
    level = len(written) - len(module)
    names = [(*_named(child, source), child.start_byte) for child in node.children_by_field_name("name")[:_MOST_NAMES]]
    if not names and any(child.type == "wildcard_import" for child in node.named_children):
        names = [("*", "", module_node.start_byte)]
    for name, alias, at in names:
        if module:
            yield Import(module_node.start_byte, written, module, name, alias, level)
        else:
            yield Import(at, written + name, "", name, alias, level)


def _named(node: Node, source: bytes) -> tuple[str, str]:
    """The name and alias of a part of an import, which may be aliased."""
    if node.type not in {"aliased_import", "import_specifier", "export_specifier"}:
        return "".join(text_of(node, source).split()), ""
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    return _text(name, source), _text(alias, source)


def _text(node: Node | None, source: bytes) -> str:
    return "".join(text_of(node, source).split()).strip("\"'`") if node is not None else ""


def _script(node: Node, source: bytes) -> Iterator[Import]:
    """JavaScript's and TypeScript's `import` and `export … from`; what is exported again has a name here as well."""
    from_ = node.child_by_field_name("source")
    if from_ is None:
        return
    module = _text(from_, source)
    at, level = from_.start_byte + 1, int(module.startswith("."))
    found = False
    for name, alias in _script_names(node, source):
        found = True
        yield Import(at, module, module, name, alias, level)
    if not found:
        name = "*" if node.type == "export_statement" else ""
        yield Import(at, module, module, name, level=level)


def _script_names(node: Node, source: bytes) -> Iterator[tuple[str, str]]:
    todo = [child for child in node.named_children if child.type in _CLAUSES][::-1]
    count = 0
    while todo and count < _MOST_NAMES:
        part = todo.pop()
        if part.type in {"import_specifier", "export_specifier"}:
            yield _named(part, source)
        elif part.type in {"namespace_import", "namespace_export"}:
            yield "", _text(part.named_child(0), source)
        elif part.type == "identifier":
            yield "default", _text(part, source)
        else:
            todo.extend(part.named_children[::-1])
            continue
        count += 1


_CLAUSES = {"import_clause", "export_clause", "namespace_export", "named_imports"}


def _go(node: Node, source: bytes) -> Iterator[Import]:
    path = _text(node.child_by_field_name("path"), source)
    alias = _text(node.child_by_field_name("name"), source)
    at = node.end_byte
    yield Import(at, path, path, "*" if alias == "." else "", alias if alias not in {".", "_"} else "")


def _java(node: Node, source: bytes) -> Iterator[Import]:
    if found := _JAVA.search(text_of(node, source)):
        static, module, all_of_it = found.groups()
        if static and not all_of_it:
            owner, _, member = module.rpartition(".")
            yield Import(node.start_byte, module, owner, member)
        else:
            yield Import(node.start_byte, module, module, "*" if all_of_it else "")


def _kotlin(node: Node, source: bytes) -> Iterator[Import]:
    if found := _KOTLIN.search(text_of(node, source).strip()):
        module, all_of_it, alias = found.groups()
        yield Import(node.start_byte, module, module, "*" if all_of_it else "", alias or "")


def _scala(node: Node, source: bytes) -> Iterator[Import]:
    """`import a.B, c.{D, E => F, G as H, *}`; what is renamed to `_` does not come in, nor the type of a given."""
    path: list[str] = []
    for child in [*node.children, None]:
        if child is not None and child.type == "identifier":
            path.append(_text(child, source))
        elif child is not None and child.type in _SCALA_ENDS:
            selected = child.named_children[:_MOST_NAMES] if child.type == "namespace_selectors" else [child]
            for name, alias in (_scala_name(one, source) for one in selected if one.type in _SCALA_NAMES):
                if alias != "_":
                    module = ".".join(path if name in _SCALA_ALL else [*path, name])
                    yield Import(node.start_byte, module, module, _SCALA_ALL.get(name, ""), alias)
            path = []
        elif path and (child is None or child.type == ","):
            module = ".".join(path)
            yield Import(node.start_byte, module, module)
            path = []


def _scala_name(node: Node, source: bytes) -> tuple[str, str]:
    name = node.child_by_field_name("name")
    return _text(name or node, source), _text(node.child_by_field_name("alias"), source)


_SCALA_NAMES = {"identifier", "namespace_wildcard", "as_renamed_identifier", "arrow_renamed_identifier"}
_SCALA_ENDS = {"namespace_selectors", *_SCALA_NAMES} - {"identifier"}
_SCALA_ALL = {"_": "*", "*": "*", "given": ""}  # the last brings no names


def _csharp(node: Node, source: bytes) -> Iterator[Import]:
    text = text_of(node, source)
    if found := _CSHARP.search(text):
        _static, alias, module = found.groups()
        level = int(text.startswith("global"))  # holds for every file of the project
        yield Import(node.start_byte, module, module, "" if alias else "*", alias or "", level)


def _php(node: Node, source: bytes) -> Iterator[Import]:
    if (found := _PHP.match(" ".join(text_of(node, source).split()))) is None:
        return
    prefix, group, rest = found.group(1).partition("{")
    clauses = rest.rstrip("} ").split(",") if group else prefix.split(",")
    for clause in clauses[:_MOST_NAMES]:
        if named := _PHP_CLAUSE.match(clause.strip()):
            module = (prefix.strip() if group else "") + named.group(1)
            yield Import(node.start_byte, module, module.lstrip("\\"), alias=named.group(2) or "")


def _rust(node: Node, source: bytes) -> Iterator[Import]:
    return (Import(*parts) for parts in rust_imports(node, source))


Reader: TypeAlias = Callable[[Node, bytes], Iterator[Import]]
READERS: dict[str, Reader] = {
    "python": _python,
    "javascript": _script,
    "typescript": _script,
    "tsx": _script,
    "go": _go,
    "java": _java,
    "kotlin": _kotlin,
    "scala": _scala,
    "csharp": _csharp,
    "php": _php,
    "rust": _rust,
}


def imports_of(language: str, node: Node, source: bytes) -> Iterator[Import]:
    """The names that one statement brings in; none where they are too long to be names."""
    for found in READERS[language](node, source):
        if len(found.module) <= MAX_NAME and len(found.name) <= MAX_NAME and len(found.alias) <= MAX_NAME:
            yield found if len(found.target) <= MAX_NAME else found._replace(target=found.target[:MAX_NAME])
