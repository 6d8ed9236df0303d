"""What git, cloc and licensecheck say of a checked out project."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_KINDS = {"120000": "symlink", "160000": "submodule"}
# cloc's names where they are not ours in lower case.
_CALLED = {
    "C++": "cpp",
    "C#": "csharp",
    "C/C++ Header": "header",
    "C Shell": "shell",
    "Bourne Shell": "bash",
    "Bourne Again Shell": "bash",
    "DOS Batch": "batch",
    "Fish Shell": "fish",
    "make": "makefile",
    "MSBuild script": "xml",
    "Maven": "xml",
    "SVG": "xml",
    "XSD": "xml",
    "XSLT": "xml",
    "Qt Linguist": "xml",
    "reStructuredText": "rst",
    "Django": "html",  # told from its tags
    "HTML": "html",
    "Jinja Template": "jinja",
    "Protocol Buffers": "protobuf",
    "Vuejs Component": "vue",
    "TypeScript": "typescript",
    "JSX": "javascript",
    "Visual Basic .NET": "visual-basic",
    "Objective-C": "objective-c",
    "F#": "fsharp",
    "Windows Resource File": "rc",
}


class Entry(NamedTuple):
    """One entry of the tree as git has it. `lines` is None of what git takes for binary."""

    mode: str
    lines: int | None


def git_entries(root: Path) -> dict[str, Entry]:
    """Path → entry, of the commit that is checked out."""
    modes: dict[str, str] = {}
    for line in filter(None, _run(root, "git", "ls-tree", "-r", "-z", "HEAD").split("\0")):
        meta, path = line.split("\t", 1)
        modes[path] = meta.split()[0]
    numbers = _run(root, "git", "diff", "--numstat", "--no-renames", "--no-textconv", "-z", _EMPTY_TREE, "HEAD")
    lines: dict[str, int | None] = {}
    for said in filter(None, numbers.split("\0")):
        added, _, path = said.split("\t", 2)
        lines[path] = None if added == "-" else int(added)
    return {path: Entry(_KINDS.get(mode, "file"), lines.get(path)) for path, mode in modes.items()}


def commit_of(root: Path) -> str:
    """The commit that is checked out."""
    return _run(root, "git", "rev-parse", "HEAD").strip()


def listed(root: Path, *patterns: str) -> set[str]:
    """The paths that git's own patterns mean."""
    return set(filter(None, _run(root, "git", "ls-files", "-z", "--", *patterns).split("\0")))


def cloc_languages(root: Path) -> dict[str, str]:
    """Path → language as cloc tells it; files that it takes for copies of others too."""
    said = json.loads(_run(root, "cloc", "--by-file", "--json", "--quiet", "--skip-uniqueness", "--vcs=git", "."))
    return {
        path.removeprefix("./"): _CALLED.get(file["language"], file["language"].lower())
        for path, file in said.items()
        if path not in {"header", "SUM"}
    }


def licences(root: Path, files: list[str]) -> Counter[str]:
    """What licensecheck says of licence files, by SPDX identifier."""
    command = ["licensecheck", "--check", ".*", "--ignore", "^$", "--shortname-scheme", "spdx", "--machine", *files]
    said = _run(root, *command) if files else ""
    return Counter(re.sub(r" and/or ", " ", line.split("\t")[1]) for line in said.splitlines())


def _run(root: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=root, capture_output=True, check=True)  # ours
    return done.stdout.decode("utf-8", "replace")
