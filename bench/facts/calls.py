"""Python calls against what was seen while a project's own tests ran."""

import ast
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.facts.project import Project

_HIDDEN = re.compile(r"\.?<(?:locals|listcomp|genexpr|dictcomp|setcomp|lambda)>")


class Call(NamedTuple):
    """(file, qualified name) of both ends."""

    file: str
    caller: str
    target_file: str
    target: str


class Seen(NamedTuple):
    """What the recorder saw."""

    calls: set[Call]
    lines: set[tuple[str, int]]


class Score(NamedTuple):
    """Edges at lines that ran, those of them that were seen; calls seen that are written, and those that were found."""

    judged: Counter[str]
    right: Counter[str]
    visible: Counter[str]
    found: Counter[str]
    wrong: list[Call]
    missed: list[Call]


def plain(qualified: str) -> str:
    """A name as our symbols have it: comprehensions and lambdas belong to what they stand in."""
    return _HIDDEN.sub("", qualified).replace("<module>", "").lstrip(".")


class Sources:
    """The project's Python files, read by Python's own `ast`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: dict[str, dict[str, list[ast.expr]]] = {}
        self._decorated: dict[str, dict[str, set[str]]] = {}
        self._bound: dict[str, set[str]] = {}

    def has(self, file: str) -> bool:
        """Whether it is a file of the project."""
        return file.endswith(".py") and (self._root / file).is_file()

    def written(self, file: str, scope: str) -> list[ast.expr]:
        """The callees that are written in a function, not in those within it."""
        self._read(file)
        return self._written[file].get(scope, [])

    def decorators(self, file: str, name: str) -> set[str]:
        """The last names of what a definition is decorated with."""
        self._read(file)
        return self._decorated[file].get(name, set())

    def how(self, file: str, callee: ast.expr) -> str:
        """`named` where Python's scoping says what a callee is; `value` where it is asked of a value."""
        if isinstance(callee, ast.Name):
            return "named"
        root = callee
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and isinstance(callee, ast.Attribute):
            own = root.id in {"self", "cls"} and isinstance(callee.value, ast.Name)
            return "named" if own or root.id in self._bound[file] else "value"
        above = isinstance(root, ast.Call) and isinstance(root.func, ast.Name) and root.func.id == "super"
        return "named" if above else "value"

    def _read(self, file: str) -> None:
        if file in self._written:
            return
        tree = ast.parse((self._root / file).read_text("utf-8"))
        self._written[file], self._decorated[file] = defaultdict(list), defaultdict(set)
        self._bound[file] = set(_bound(tree))
        todo: list[tuple[ast.AST, str]] = [(tree, "")]
        while todo:
            node, scope = todo.pop()
            for child in ast.iter_child_nodes(node):
                inside = scope
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    inside = f"{scope}.{child.name}".lstrip(".")
                    self._decorated[file][inside] |= {_last(one) for one in child.decorator_list}
                if isinstance(child, ast.Call):
                    self._written[file][scope].append(child.func)
                todo.append((child, inside))


def _bound(tree: ast.Module) -> Iterator[str]:
    """Names of modules and classes: what is imported anywhere, and classes at the top."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    yield from (node.name for node in tree.body if isinstance(node, ast.ClassDef))


def _last(node: ast.expr) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def seen_in(file: Path, sources: Sources) -> Seen:
    """The calls that were seen; what a decorator's wrapper calls was called by whoever called the wrapper."""
    said = json.loads(file.read_text("utf-8"))
    calls = set()
    for path, caller, _line, target_path, target, made, wrapper in said["pairs"]:
        if not sources.has(path) or not sources.has(target_path):
            continue  # code that was made while the tests ran
        name = plain(target)
        if wrapper and wrapper.partition(".")[0] not in sources.decorators(target_path, name):
            continue
        if made:
            made_path, _, name = made.rpartition(":")
            calls.add(Call(path, plain(caller), made_path, plain(name)))
        calls.add(Call(path, plain(caller), target_path, plain(target)))
    return Seen(calls, {(path, line) for path, line in said["lines"]})


def score(project: Project, seen: Seen, sources: Sources) -> Score:
    """Compare the links of a project with what was seen."""
    result = Score(Counter(), Counter(), Counter(), Counter(), [], [])
    linked = {_call_of(row): row for row in project.links() if row["kind"] == "call"}
    for call, row in linked.items():
        if (row["path"], row["line"]) not in seen.lines:
            continue
        for level in (row["level"], "all"):
            result.judged[level] += 1
            result.right[level] += call in seen.calls
        if call not in seen.calls:
            result.wrong.append(call)
    _recall(result, linked.keys(), seen, sources)
    return result


def _call_of(row: dict[str, Any]) -> Call:
    return Call(row["path"], row["source"], row["target_path"], row["target"])


def _recall(result: Score, linked: Collection[Call], seen: Seen, sources: Sources) -> None:
    for call in sorted(seen.calls):
        how = _written_as(call, sources)
        if how:
            for kind in {how, "all"}:
                result.visible[kind] += 1
                result.found[kind] += call in linked
            if call not in linked and how == "named":
                result.missed.append(call)


def _written_as(call: Call, sources: Sources) -> str:
    """How a call that was seen is written where it was made; empty where its name is not written there."""
    name = call.target.rpartition(".")[2]
    ways = {sources.how(call.file, one) for one in sources.written(call.file, call.caller) if _last(one) == name}
    return "named" if "named" in ways else "value" if ways else ""
