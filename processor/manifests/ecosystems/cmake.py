"""C and C++ by CMake: `CMakeLists.txt` and `*.cmake`. Read, never run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from processor.manifests.ecosystems.swift import identity
from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited

_MOST_CHARACTERS = 200_000
_BOUNDS = ("GIT_TAG", "VERSION", "URL")
_FETCHED = frozenset(("fetchcontent_declare", "externalproject_add"))
_BY_CPM = frozenset(("cpmaddpackage", "cpmfindpackage", "cpmdeclarepackage"))
_MOST_VARIABLES = 1_000
# What is not closed ends with the text: a search for the end from each beginning would be quadratic.
_TOKEN = re.compile(
    r"#\[(?P<level>=*)\[.*?(?:\](?P=level)\]|\Z)|#[^\n]*"
    r"|\[(?P<marks>=*)\[(?P<bracket>.*?)(?:\](?P=marks)\]|\Z)"
    r"|\"(?P<quoted>(?:[^\"\\]|\\.?)*+)(?:\"|\Z)|(?P<mark>[()])|(?P<word>(?:[^\s()\"#\\]|\\.)+)",
    re.DOTALL,
)
_VARIABLE = re.compile(r"\$\{(\w{1,100})\}")


class _Command(NamedTuple):
    """A command in lower case, its arguments, and the line it begins on."""

    name: str
    words: list[str]
    line: int


def parse_cmake(text: Text) -> Manifest:
    """Project, packages that are looked for or fetched, programs that are built; with variables that the file sets.

    Raises ValueError where it is too long.
    """
    name, found, programs = "", list[Dependency](), list[EntryPoint]()
    known: dict[str, str] = {}
    for command, written, line in _commands(text):
        words = [_filled(word, known) for word in written]
        if command == "project":
            name = name or words[0]
            known |= {"PROJECT_NAME": words[0], "CMAKE_PROJECT_NAME": name}
        elif command == "set" and len(words) > 1 and len(known) < _MOST_VARIABLES:
            known[words[0]] = words[1]
        elif command == "add_executable":
            program = words[0].partition("$")[0]  # what else a variable says of its name is not known
            if program and "::" not in program and "IMPORTED" not in words:
                programs.append(EntryPoint(program, ""))
        else:
            found += _needed(command, words, line)
    return Manifest(
        "cpp",
        name=name,
        dependencies=limited(found),
        entry_points=tuple(programs[:100]),
        variables=tuple(known.items()),
    )


def _filled(word: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1], match[0]), word)[:500]


def _commands(text: Text) -> Iterator[_Command]:
    """The commands that have arguments; parentheses within them part words, and are none."""
    if len(text.content) > _MOST_CHARACTERS:
        raise ValueError(f"longer than {_MOST_CHARACTERS:,} characters")
    name, begun, depth, words = "", 0, 0, list[str]()
    for match in _TOKEN.finditer(text.content):
        mark, word = match["mark"], match["word"]
        if mark == ")":
            depth = max(0, depth - 1)
            if not depth and name and words:
                yield _Command(name.lower(), words, text.line_at(begun))
            name, words = (name, words) if depth else ("", [])
        elif mark == "(":
            depth += 1
        elif depth:
            said = next((said for said in (word, match["quoted"], match["bracket"]) if said is not None), None)
            words += [said] if said is not None else []
        elif word is not None:
            name, begun = word, match.start()


def _needed(command: str, words: Sequence[str], line: int) -> Iterator[Dependency]:
    if words[0].startswith("$"):
        return
    if command in {"find_package", "find_dependency"}:
        version = words[1] if len(words) > 1 and (words[1][:1].isdigit() or words[1].startswith("$")) else ""
        is_needed = "REQUIRED" in words or command == "find_dependency"
        yield Dependency(words[0], version, "runtime" if is_needed else "optional", line)
    elif command in _FETCHED:
        yield Dependency(words[0], _after(words, _BOUNDS), "runtime", line, group=_after(words, ("GIT_REPOSITORY",)))
    elif command in _BY_CPM:
        yield _by_cpm(words, line)
    elif command in {"pkg_check_modules", "pkg_search_module"}:
        scope = "runtime" if "REQUIRED" in words else "optional"
        for module in words[1:]:
            if not module.isupper() and module[:1].isalpha():
                package, _, bound = module.partition(">=")
                yield Dependency(package, f">={bound}" if bound else "", scope, line, group="pkg-config")


def _by_cpm(words: Sequence[str], line: int) -> Dependency:
    """`NAME x VERSION 1`, or all in one: `gh:owner/name@1`, `gh:owner/name#tag`, `https://host/owner/name.git@1`."""
    said = _after(words, ("URI",)) or words[0]
    where, _, version = said.partition("@" if "@" in said else "#")
    short = identity(where) if "://" in where else where.partition(":")[2] or where.rpartition("/")[2]
    named = _after(words, ("NAME",)) or identity(_after(words, ("GITHUB_REPOSITORY",)))
    is_short = len(words) == 1 or not named
    group = where if is_short and "://" in where else _after(words, ("GITHUB_REPOSITORY",))
    return Dependency(short if is_short else named, _after(words, _BOUNDS) or version, "runtime", line, group=group)


def _after(words: Sequence[str], names: tuple[str, ...]) -> str:
    return next((two for one, two in pairwise(words) if one in names), "")


FORMATS = (Format(r"cmakelists\.txt", parse_cmake), Format(r".+\.cmake", parse_cmake, folder=r"(?:.*/)?cmake"))
