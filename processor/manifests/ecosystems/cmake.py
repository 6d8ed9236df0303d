"""C and C++ by CMake: `CMakeLists.txt` and `*.cmake`. Read, never run."""

from collections.abc import Iterator
from itertools import pairwise

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.tokens import CMAKE, Call, Token, calls, tokens

_BOUNDS = ("GIT_TAG", "VERSION", "URL")


def parse_cmake(text: Text) -> Manifest:
    """Project, packages that are looked for or fetched, programs that are built."""
    name, found, programs = "", list[Dependency](), list[EntryPoint]()
    for call in calls(tokens(text, CMAKE)):
        command = call.name.lower()
        words = _words(call.inside)
        if not words:
            continue
        if command == "project":
            name = name or words[0]
        elif command == "add_executable":
            program = words[0].partition("$")[0]  # sources that a variable names may stand right behind it
            if program and "::" not in program and "IMPORTED" not in words:
                programs.append(EntryPoint(program, ""))
        else:
            found += _needed(command, words, call)
    return Manifest("cpp", name=name, dependencies=limited(found), entry_points=tuple(programs[:100]))


def _needed(command: str, words: list[str], call: Call) -> Iterator[Dependency]:
    if words[0].startswith("$"):
        return
    if command in {"find_package", "find_dependency"}:
        version = words[1] if len(words) > 1 and words[1][:1].isdigit() else ""
        is_needed = "REQUIRED" in words or command == "find_dependency"
        yield Dependency(words[0], version, "runtime" if is_needed else "optional", call.line)
    elif command in {"fetchcontent_declare", "externalproject_add"}:
        yield Dependency(
            words[0], _after(words, _BOUNDS), "runtime", call.line, group=_after(words, ("GIT_REPOSITORY",))
        )
    elif command == "cpmaddpackage":
        named = _after(words, ("NAME",))
        short, _, version = words[0].partition("@" if "@" in words[0] else "#")
        package = named or short.partition(":")[2]
        yield Dependency(
            package,
            _after(words, _BOUNDS) or version,
            "runtime",
            call.line,
            group=_after(words, ("GITHUB_REPOSITORY",)),
        )
    elif command in {"pkg_check_modules", "pkg_search_module"}:
        scope = "runtime" if "REQUIRED" in words else "optional"
        for module in words[1:]:
            if not module.isupper() and module[:1].isalpha():
                package, _, bound = module.partition(">=")
                yield Dependency(package, f">={bound}" if bound else "", scope, call.line, group="pkg-config")


def _after(words: list[str], names: tuple[str, ...]) -> str:
    return next((two for one, two in pairwise(words) if one in names), "")


def _words(inside: tuple[Token, ...]) -> list[str]:
    """The arguments: CMake parts them by blanks alone, so that marks between two of them belong to both."""
    words: list[str] = []
    is_joined = False
    for token in inside:
        is_mark = token.kind == "mark"
        if words and (is_joined or is_mark):
            words[-1] += token.value
        else:
            words.append(token.value)
        is_joined = is_mark
    return words


FORMATS = (Format(r"cmakelists\.txt", parse_cmake), Format(r".+\.cmake", parse_cmake, folder=r"(?:.*/)?cmake"))
