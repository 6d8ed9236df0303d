"""What Rust's `use`, `mod` and `extern crate` bring in: its trees taken apart into single names. Pure."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from processor.languages.text import text_of

_PATH = re.compile(r'#\[\s*path\s*=\s*"([^"\\]{1,500})"')
_MOST = 500  # names of one statement


def rust_imports(node: Node, source: bytes) -> Iterator[tuple[int, str, str, str, str, int]]:
    """(first byte, text of the whole, module, name, alias, level) of each name; a level of 1 is a file of its own."""
    if node.type == "mod_item":
        name = _text(node.child_by_field_name("name"), source)
        elsewhere = _path_attribute(node, source)
        yield node.start_byte, name, f"./{elsewhere}" if elsewhere else f"self::{name}", "", name, 1
        return
    if node.type == "extern_crate_declaration":
        name, alias = (_text(node.child_by_field_name(field), source) for field in ("name", "alias"))
        yield node.start_byte, name, name, "", alias, 0
        return
    whole = node.child_by_field_name("argument")
    if whole is None:
        return
    target = " ".join(text_of(whole, source).split())
    for module, name, alias in _leaves(whole, source):
        yield whole.start_byte, target, module, name, alias, 0


def _path_attribute(node: Node, source: bytes) -> str:
    """The file that `#[path = "…"]` above a module names."""
    before = node.prev_named_sibling
    while before is not None and before.type == "attribute_item":
        if (found := _PATH.search(text_of(before, source))) is not None:
            return found[1]
        before = before.prev_named_sibling
    return ""


def _leaves(whole: Node, source: bytes) -> Iterator[tuple[str, str, str]]:
    todo: list[tuple[Node, str]] = [(whole, "")]
    count = 0
    while todo and count < _MOST:
        node, prefix = todo.pop()
        if node.type == "use_list":
            todo.extend((child, prefix) for child in reversed(node.named_children))
            continue
        if node.type == "scoped_use_list":
            path = _join(prefix, _text(node.child_by_field_name("path"), source))
            if (inner := node.child_by_field_name("list")) is not None:
                todo.append((inner, path))
            continue
        if leaf := _leaf(node, prefix, source):
            count += 1
            yield leaf


def _leaf(node: Node, prefix: str, source: bytes) -> tuple[str, str, str] | None:
    alias = ""
    if node.type == "use_wildcard":
        return _join(prefix, _text(node, source).removesuffix("*").rstrip(":")), "*", ""
    if node.type == "use_as_clause":
        alias = _text(node.child_by_field_name("alias"), source)
        path = _text(node.child_by_field_name("path"), source)
    elif node.type in {"identifier", "scoped_identifier", "self", "crate", "super"}:
        path = _text(node, source)
    else:
        return None
    if path == "self":
        return prefix, "", alias
    module, _, name = _join(prefix, path).rpartition("::")
    return (module, name, alias) if module else (name, "", alias)


def _join(prefix: str, path: str) -> str:
    return f"{prefix}::{path}" if prefix and path else prefix or path


def _text(node: Node | None, source: bytes) -> str:
    return "".join(text_of(node, source).split()) if node is not None else ""
