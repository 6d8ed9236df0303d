"""Python's imports against `importlib`, JavaScript's against Node, and those of the JVM against the lines of the files.

The first two are asked in a process of their own. Nothing of the project is imported: `importlib` is asked for the
specification of a module alone, and of its parents.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from bench.facts.project import Project
from processor.linking.files import Files
from processor.linking.meanings import Known
from processor.linking.python_modules import PythonModules

_ASK_PYTHON = """
import importlib.machinery, json, os, sys
root, asked = sys.argv[1], json.load(sys.stdin)
def find(paths, dotted):
    spec = None
    for part in dotted.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, paths)
        if spec is None:
            return None
        paths = spec.submodule_search_locations
        if paths is None:
            paths = []
    return spec
answers = []
for folder, module, name in asked:
    found = None
    dotted = [f"{module}.{name}", module] if name not in ("", "*") else [module]
    for one in [each.strip(".") for each in dotted]:
        spec = find([os.path.join(root, each) for each in folder], one) if one else None
        if spec is not None and spec.origin:
            found = os.path.relpath(spec.origin, root)
            break
    answers.append(found)
json.dump(answers, sys.stdout)
"""
_ASK_NODE = """
const { createRequire } = require('node:module'), path = require('node:path'), fs = require('node:fs')
const [root, asked] = [process.argv[1], JSON.parse(fs.readFileSync(0))]
for (const end of ['.ts', '.tsx', '.mts']) require('node:module')._extensions[end] = () => {}
console.log(JSON.stringify(asked.map(([file, module]) => {
  try { return path.relative(root, createRequire(path.join(root, file)).resolve(module)) } catch { return null }
})))
"""


class Agreement(NamedTuple):
    """How many imports were asked about, and how many got the same answer; those that did not."""

    asked: int
    same: int
    kinds: Counter[str]
    other: list[tuple[dict[str, Any], str | None]]


def python_imports(project: Project) -> Agreement:
    """Absolute imports are looked for from the folder that holds the file's package, and from where the project's own
    packages are installed from (`src`, or the project itself); relative ones from their package alone.
    """
    paths = [path for path, language in project.languages.items() if language == "python"]
    modules = PythonModules(Files(paths, ["python"] * len(paths)), Known())
    number = {path: n for n, path in enumerate(paths)}
    rows = [row for row in project.imports() if row["path"] in number]
    installed = "src" if (project.root / "src").is_dir() else ""
    asked = [_place(row, [modules.names.get(number[row["path"]], ("", ""))[0], installed]) for row in rows]
    answers = _answers([sys.executable, "-S", "-c", _ASK_PYTHON, str(project.root)], asked)
    return _compared(rows, answers)


def _place(row: dict[str, Any], roots: list[str]) -> tuple[list[str], str, str]:
    """(folders below the project, module, name) to be asked for."""
    if not row["level"]:
        return roots, row["module"], row["name"]
    folder = Path(row["path"]).parent
    for _ in range(row["level"] - 1):
        folder = folder.parent
    if folder == Path():
        return [""], row["module"], row["name"]
    return [str(folder.parent)], f"{folder.name}.{row['module']}".rstrip("."), row["name"]


def script_imports(project: Project) -> Agreement:
    """Relative imports of JavaScript and TypeScript, as Node resolves them with TypeScript's endings added."""
    scripts = {"javascript", "typescript", "tsx"}
    rows = [
        row for row in project.imports() if project.languages[row["path"]] in scripts and row["module"].startswith(".")
    ]
    asked = [(row["path"], row["module"]) for row in rows]
    return _compared(rows, _answers(["node", "-e", _ASK_NODE, str(project.root)], asked))


_PACKAGE = re.compile(r"^\s*package\s+([\w.`]+)[\s;]", re.MULTILINE)
_DECLARED = re.compile(
    r"^(?:@[\w.]+(?:\([^)\n]*\))?\s+)*(?:[a-z-]+ )*"
    r"(?:(?:@?interface|class|enum|record|object|trait|typealias)\s+"
    r"|(?:fun|va[lr])\s+(?:<[^\n]*?> ?)?(?:[\w.<>?*, ]+\.)?)"
    r"`?(\w+)",
    re.MULTILINE,
)
_JVM = frozenset({"java", "kotlin", "scala"})


def jvm_imports(project: Project) -> Agreement:
    """The rule of Java, Kotlin and Scala: whatever stands at the left of a line in a file that says the package.

    Read by expressions, and not by the grammars. Where several files have a name, each of them is right, and so is the
    folder that they are all below.
    """
    holding: dict[tuple[str, str], set[str]] = {}
    for path in (path for path, language in project.languages.items() if language in _JVM):
        text = (project.root / path).read_text(errors="replace")
        package = ".".join(found.replace("`", "") for found in _PACKAGE.findall(text)[: 1 + path.endswith(".scala")])
        for name in set(_DECLARED.findall(text)):
            holding.setdefault((package, name), set()).add(path)
    rows = [row for row in project.imports() if project.languages[row["path"]] in _JVM and row["name"] != "*"]
    answers = [_holder(row, holding) for row in rows]
    return _compared(rows, answers)


def _holder(row: dict[str, Any], holding: dict[tuple[str, str], set[str]]) -> str | None:
    parts = row["module"].replace("`", "").split(".")
    for depth in range(len(parts) - 1, 0, -1):
        held = holding.get((".".join(parts[:depth]), parts[depth]))
        if held:
            target = str(row["target"])
            is_folder = row["resolution"] == "folder" and all(Path(one).is_relative_to(target) for one in held)
            return target if target in held else None if is_folder else min(held)
    return None


def _answers(command: list[str], asked: list[Any]) -> list[str | None]:
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)  # ours
    answers: list[str | None] = json.loads(done.stdout)
    return answers


def _compared(rows: list[dict[str, Any]], answers: list[str | None]) -> Agreement:
    """A file that one side has and the other has not, or another file, is no agreement; nothing on both sides is."""
    same, kinds, other = 0, Counter[str](), []
    for row, answer in zip(rows, answers, strict=True):
        ours = row["target"] if row["resolution"] == "file" else None
        kinds[row["resolution"]] += 1
        if ours == answer:
            same += 1
        else:
            other.append((row, answer))
    return Agreement(len(rows), same, kinds, other)
