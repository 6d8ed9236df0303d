"""What names mean, by Python itself: run by the Python of a project, with its folder and our links as JSON on stdin.

Each module is imported. A link is *right* where its line has a name that Python's own `symtable` says is the module's
(or `self`, `cls` within a class), and the object that it leads to is the one that the link's target is. Besides, all
functions and classes of the project that such names lead to are listed, but for callees and bases.
"""

import ast
import importlib
import json
import symtable
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

_LOCAL = {"self", "cls"}


class Name(NamedTuple):
    """A dotted name in a scope. `is_other` is one that is neither called nor a base."""

    scope: str
    line: int
    parts: tuple[str, ...]
    is_other: bool


class Link(NamedTuple):
    """One of ours."""

    file: str
    scope: str
    line: int
    target_file: str
    target: str


def names_of(text: str, file: str) -> Iterator[Name]:
    """The names in a file that are not a function's own."""
    tables = {"": symtable.symtable(text, file, "exec")}
    todo: list[tuple[ast.AST, str, bool]] = [(ast.parse(text), "", True)]
    while todo:
        node, scope, is_other = todo.pop()
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            parts = _parts(node)
            if parts and (parts[0] in _LOCAL or _is_modules(tables.get(scope), parts[0])):
                yield Name(scope, node.lineno, parts, is_other)
        for field, value in ast.iter_fields(node):
            other = not ((isinstance(node, ast.Call) and field == "func") or field in {"bases", "decorator_list"})
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    inside = f"{scope}.{child.name}".lstrip(".")
                    found = [one for one in tables[scope].get_children() if one.get_lineno() == _first(child)]
                    tables[inside] = found[0] if found else tables[scope]
                    todo.append((child, inside, True))
                elif isinstance(child, ast.AST):
                    todo.append((child, scope, other))


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def _parts(node: ast.expr) -> tuple[str, ...]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return (node.id, *parts) if isinstance(node, ast.Name) else ()


def _is_modules(table: symtable.SymbolTable | None, name: str) -> bool:
    try:
        found = table.lookup(name) if table is not None else None
    except KeyError:
        return True  # of a comprehension around, or not used by that scope itself
    return found is not None and (found.is_global() or table is None or table.get_type() == "module")


class Modules:
    """The project's modules by their files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held: dict[str, ModuleType | None] = {}
        self._for_types: dict[str, dict[str, object]] = {}

    def of(self, file: str) -> ModuleType | None:
        """The module of a file; None where it cannot be imported."""
        if file not in self._held:
            name = file.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            try:
                module = importlib.import_module(name)
                is_it = Path(module.__file__ or "") == self._root / file
                self._held[file] = module if is_it else None
            except BaseException:  # noqa: BLE001  # whatever a stranger's module does while it is imported
                self._held[file] = None
        return self._held[file]

    def _typed(self, module: ModuleType, file: str) -> dict[str, object]:
        """What a module imports for type checkers alone."""
        if file not in self._for_types:
            held = self._for_types[file] = {}
            tree = ast.parse((self._root / file).read_text("utf-8"))
            blocks = [
                node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in _parts(node.test)
            ]
            for one in (one for block in blocks for one in block.body if isinstance(one, ast.ImportFrom)):
                with suppress(Exception):
                    base = importlib.import_module("." * one.level + (one.module or ""), module.__package__)
                    held |= {alias.asname or alias.name: getattr(base, alias.name) for alias in one.names}
        return self._for_types[file]

    def objects(self, file: str, name: Name) -> Iterator[object]:
        """What the parts of a name lead to, one after the other."""
        found: object = self.of(file)
        parts = name.parts
        if parts[0] in _LOCAL:
            found, parts = self.at(file, name.scope.rpartition(".")[0]), parts[1:]
        for part in parts:
            try:
                if isinstance(found, ModuleType) and found is self.of(file):
                    found = {**self._typed(found, file), **vars(found)}[part]
                else:
                    found = getattr(found, part)
            except Exception:  # noqa: BLE001  # descriptors may do anything
                return
            yield found

    def at(self, file: str, qualified: str) -> object:
        """The object of a definition; `None` where it is a function's own."""
        found: object = self.of(file)
        for part in qualified.split("."):
            with suppress(Exception):  # a descriptor may do anything
                found = getattr(found, part, None)
        return found


def main() -> None:
    """Answer with a verdict for each link, and with what could be found."""
    asked = json.load(sys.stdin)
    root = Path(asked["root"])
    modules = Modules(root)
    names: dict[str, list[Name]] = {}
    for file in asked["files"]:
        if modules.of(file) is not None:
            names[file] = list(names_of((root / file).read_text("utf-8"), file))
    verdicts = [_verdict(modules, names, Link(*link)) for link in asked["links"]]
    known = {id(modules.at(file, name)): (file, name) for file, name in asked["definitions"] if modules.of(file)}
    found = {
        (file, name.scope, *known[id(one)])
        for file, held in names.items()
        for name in held
        if name.is_other
        for one in list(modules.objects(file, name))[-1:]
        if one is not None and id(one) in known
    }
    sys.stdout.write(json.dumps({"verdicts": verdicts, "found": sorted(found)}))


def _verdict(modules: Modules, names: dict[str, list[Name]], link: Link) -> str:
    """`right`, `wrong`, or why nobody can say."""
    meant = modules.at(link.target_file, link.target) if modules.of(link.target_file) is not None else None
    if link.file not in names or meant is None:
        return "inside a function" if link.file in names else "not imported"
    here = [name for name in names[link.file] if (name.scope, name.line) == (link.scope, link.line)]
    return "right" if any(one is meant for name in here for one in modules.objects(link.file, name)) else "wrong"


if __name__ == "__main__":
    main()
