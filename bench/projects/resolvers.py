"""Imports as each language's own resolver, compiler or rule answers them."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from posixpath import dirname
from typing import Any

from bench.facts.imports import Agreement
from bench.projects.analysed import Analysed

_ASK_TYPESCRIPT = """
const ts = require(process.argv[1]), path = require('node:path'), fs = require('node:fs')
const root = process.argv[2], asked = JSON.parse(fs.readFileSync(0)), configs = new Map()
const options = folder => {
  if (!configs.has(folder)) {
    const file = ts.findConfigFile(folder, ts.sys.fileExists)
    const read = file && file.startsWith(root) ? ts.readConfigFile(file, ts.sys.readFile).config ?? {} : {}
    const parsed = ts.parseJsonConfigFileContent({ ...read, files: [], include: [], references: [] }, ts.sys,
      file ? path.dirname(file) : root, undefined, file)
    configs.set(folder, { allowJs: true, ...parsed.options,
      moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext })
  }
  return configs.get(folder)
}
console.log(JSON.stringify(asked.map(([file, module]) => {
  const from = path.join(root, file)
  const found = ts.resolveModuleName(module, from, options(path.dirname(from)), ts.sys).resolvedModule
  const target = found && !found.isExternalLibraryImport ? path.relative(root, found.resolvedFileName) : null
  return target && !target.startsWith('..') ? target : null
})))
"""
_SCRIPTS = frozenset(("javascript", "typescript", "tsx", "vue", "svelte"))
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)", re.MULTILINE)
_INCLUDED = re.compile(r"^(\.+) (\S.*)$")


def rows_of(project: Analysed, languages: Iterable[str]) -> list[dict[str, Any]]:
    """The imports of files in some languages."""
    wanted, languages_of = set(languages), project.languages
    return [row for row in project.imports() if languages_of.get(row["path"]) in wanted]


def _judged(rows: list[dict[str, Any]], answers: list[str | None], what: frozenset[str]) -> Agreement:
    """`what` are the resolutions whose target is compared; all others stand for nothing of the project."""
    same, kinds, other = 0, Counter[str](), []
    for row, answer in zip(rows, answers, strict=True):
        kinds[row["resolution"]] += 1
        ours = row["target"] if row["resolution"] in what else None
        if ours == answer:
            same += 1
        else:
            other.append((row, answer))
    return Agreement(len(rows), same, kinds, other)


def typescript(project: Analysed, compiler: Path) -> Agreement:
    """TypeScript's own `resolveModuleName`, with the nearest configuration of each file; nothing is installed."""
    rows = rows_of(project, _SCRIPTS)
    asked = json.dumps([(row["path"], row["module"]) for row in rows])
    command = ["node", "-e", _ASK_TYPESCRIPT, str(compiler.resolve()), str(project.root)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)  # ours
    return _judged(rows, json.loads(done.stdout), frozenset({"file"}))


def go(project: Analysed) -> Agreement:
    """`go list` of each imported package, with the project's copy where GOPATH wants it; standard ones count, too."""
    rows = rows_of(project, {"go"})
    modules = {dirname(file["path"]): "" for file in project.files if file["path"].rpartition("/")[2] == "go.mod"}
    for folder in modules:
        said = re.search(r"^module\s+(\S+)", (project.root / folder / "go.mod").read_text(), re.MULTILINE)
        modules[folder] = said[1] if said is not None else ""
    top = min(modules, key=len)
    with tempfile.TemporaryDirectory(prefix="bench-go-") as folder:
        below = Path(folder) / "src" / modules[top]
        shutil.copytree(project.root / top, below, ignore=shutil.ignore_patterns(".git", "node_modules"), symlinks=True)
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": folder, "GOFLAGS": ""}
        paths = sorted({row["module"] for row in rows})
        command = [
            "go",
            "list",
            "-e",
            "-find",
            "-json=ImportPath,Dir,Standard,GoFiles,TestGoFiles,XTestGoFiles",
            *paths,
        ]
        done = subprocess.run(command, cwd=below, env=environment, capture_output=True, text=True, check=True)
        answers = {said["ImportPath"]: _go_answer(said, below, top) for said in _each(done.stdout)}
    found = [answers.get(row["module"]) for row in rows]
    return _judged(rows, found, frozenset({"folder", "standard"}))


def _go_answer(said: dict[str, Any], below: Path, top: str) -> str | None:
    if said.get("Standard"):
        return str(said["ImportPath"])
    here = Path(said.get("Dir") or "/")
    if here.is_relative_to(below) and here.is_dir():
        return str(Path(top) / here.relative_to(below)).removeprefix(".")
    return None


def _each(text: str) -> Iterable[dict[str, Any]]:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text.rstrip()):
        said, place = decoder.raw_decode(text, place)
        yield said
        place += len(text[place:]) - len(text[place:].lstrip())


def rust(project: Analysed) -> tuple[int, int, list[str]]:
    """Files that rustc reads for each crate (`--emit=dep-info`), those that `mod` leads to here, and the others."""
    beside: dict[str, set[str]] = {}
    for row in rows_of(project, {"rust"}):
        is_mod = row["module"].startswith(("self::", "./")) and not row["name"]
        if is_mod and row["resolution"] == "file":
            beside.setdefault(row["path"], set()).add(row["target"])
    asked, missed = 0, []
    roots = [path for path, language in project.languages.items() if language == "rust" and _is_root(path)]
    for root in roots:
        reached, waiting = set[str](), [root]
        while waiting:
            path = waiting.pop()
            if path not in reached:
                reached.add(path)
                waiting += beside.get(path, ())
        truth = _crate(project.root, root)
        asked += len(truth)
        missed += sorted(truth - reached)
    return asked, asked - len(missed), missed


def _is_root(path: str) -> bool:
    return path.endswith(("src/lib.rs", "src/main.rs", "core/main.rs"))


def _crate(root: Path, path: str) -> set[str]:
    with tempfile.TemporaryDirectory(prefix="bench-rust-") as folder:
        made = Path(folder) / "crate.d"
        command = ["rustc", "--edition", "2024", "--crate-name", "x", "--emit", f"dep-info={made}", path]
        environment = {**os.environ, "RUSTUP_TOOLCHAIN": "stable"}  # not the one that a project asks for
        subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)  # crates are missing
        first = made.read_text().splitlines()[0].partition(": ")[2] if made.exists() else ""
    return {one for one in first.split() if one.endswith(".rs")}


def java(project: Analysed) -> Agreement:
    """The language's rule: the file of the class of that name in the package that a file says it is in."""
    rows = rows_of(project, {"java"})
    classes: dict[str, list[str]] = {}
    for path, language in project.languages.items():
        if language == "java":
            package = _PACKAGE.search((project.root / path).read_text(errors="replace"))
            name = path.rpartition("/")[2].removesuffix(".java")
            classes.setdefault(f"{package[1]}.{name}" if package else name, []).append(path)
    answers = []
    for row in rows:
        parts = row["module"].split(".")
        here = next((classes[name] for n in range(len(parts), 1, -1) if (name := ".".join(parts[:n])) in classes), [])
        answers.append(row["target"] if row["target"] in here else next(iter(here), None))
    return _judged(rows, answers, frozenset({"file"}))


def includes(project: Analysed, *folders: str) -> tuple[int, int, list[str]]:
    """Inclusions that g++ followed (`-H`) between files of the project, those that are here, and the others."""
    here = {(row["path"], row["target"]) for row in project.imports() if row["resolution"] == "file"}
    seen: set[tuple[str, str]] = set()
    for path, language in project.languages.items():
        if language in {"c", "cpp"} and path.endswith((".c", ".cc", ".cpp", ".cxx")):
            seen |= _followed(project.root, path, folders)
    missed = sorted(f"{one} → {other}" for one, other in seen - here)
    return len(seen), len(seen & here), missed


def _followed(root: Path, path: str, folders: Iterable[str]) -> set[tuple[str, str]]:
    places = [part for folder in folders for part in ("-I", folder)]
    command = ["g++", "-std=c++20", "-H", "-E", "-o", os.devnull, *places, path]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # what is missing is missing
    above, found = [path], set()
    for line in done.stderr.splitlines():
        if (said := _INCLUDED.match(line)) is None:
            continue
        full = os.path.normpath(root / said[2])
        name = os.path.relpath(full, root)
        above[len(said[1]) :] = [name]
        if not above[-2].startswith("..") and not name.startswith(".."):
            found.add((above[-2], name))
    return found
