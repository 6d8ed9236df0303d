"""Definitions against universal-ctags: those of its tags that are among our symbols."""

import json
import subprocess
from collections import Counter, defaultdict
from typing import Any

from bench.facts.project import Project

# Kinds of tags that stand for definitions; the rest are locals, members without a body, imports.
KINDS = {
    "python": "class function member",
    "go": "func struct interface type talias methodSpec const var",
    "java": "class interface enum annotation method",
    "c": "function struct union enum typedef macro",
    "cpp": "function class struct union enum typedef macro namespace",
    "csharp": "class interface struct enum method property",
    "ruby": "class module method singletonMethod constant",
    "php": "class interface trait function",
    "javascript": "class function method generator",
    "typescript": "class function method interface enum alias namespace generator",
    "rust": "function method struct enum interface module macro typedef",
}
_UNNAMED = ("__anon", "anonymous", "anonFunc", "AnonymousFunction")
Tag = tuple[str, str, int, str]  # path, name, line, kind


def tags_of(project: Project) -> dict[str, set[Tag]]:
    """The tags of the definitions of a project, by language."""
    command = ["ctags", "--output-format=json", "--fields=+nKZe", "-f", "-", "-R", "."]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)  # ours
    found: dict[str, set[Tag]] = defaultdict(set)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        path = str(tag.get("path", "")).removeprefix("./")
        language = project.languages.get(path) or ""
        if tag["_type"] == "tag" and tag["kind"] in KINDS.get(language, "").split():
            name = _plain(str(tag["name"]), language)
            if not name.startswith(_UNNAMED):
                found[language].add((path, name, tag["line"], tag["kind"]))
    return found


def compared(project: Project) -> tuple[Counter[str], Counter[str], list[tuple[str, Tag]]]:
    """Tags and those that were found, by language; and (language, tag) of those that were not.

    A tag is found where a symbol of its name, not found before, holds its line.
    """
    tags, found = Counter[str](), Counter[str]()
    missed: list[tuple[str, Tag]] = []
    symbols = project.symbols_by_file()
    for language, of_language in tags_of(project).items():
        used: set[int] = set()
        for tag in sorted(of_language):
            tags[language] += 1
            symbol = _symbol_of(tag, symbols.get(tag[0], []), used, language)
            if symbol is None:
                missed.append((language, tag))
            else:
                found[language] += 1
                used.add(id(symbol))
    return tags, found, missed


def _symbol_of(tag: Tag, symbols: list[dict[str, Any]], used: set[int], language: str) -> dict[str, Any] | None:
    _, name, line, _ = tag
    fitting = [
        symbol
        for symbol in symbols
        if symbol["first_line"] <= line <= symbol["last_line"]
        and id(symbol) not in used
        and _plain(str(symbol["name"]), language) == name
    ]
    return max(fitting, key=lambda symbol: int(symbol["first_line"]), default=None)


def _plain(name: str, language: str) -> str:
    if name.startswith("operator"):
        return name.replace(" ", "")
    if language in {"cpp", "ruby", "rust"}:
        return name.rpartition("::")[2].rpartition(".")[2]
    return name
