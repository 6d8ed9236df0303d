"""C and C++ by Conan: `conanfile.txt`, `conanfile.py` (read, never run), `conan.lock`."""

import re

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.nodes import read_json
from processor.manifests.tokens import HASH, Token, calls, tokens

_REFERENCE = re.compile(r"([\w.+-]{2,100})/(\[[^\]@#%]{1,100}\]|[^@#%\s]{1,100})(?:[@#].{0,200})?")
_SECTIONS = {
    "[requires]": "runtime",
    "[build_requires]": "build",
    "[tool_requires]": "build",
    "[test_requires]": "test",
}
_SCOPES = {
    "requires": "runtime",
    "build_requires": "build",
    "tool_requires": "build",
    "python_requires": "build",
    "test_requires": "test",
}


def parse_text(text: Text) -> Manifest:
    """`conanfile.txt`: the sections of requirements."""
    found, scope = [], ""
    for number, line in enumerate(text.lines, 1):
        bare = line[:1_000].partition("#")[0].strip()
        if bare.startswith("["):
            scope = _SECTIONS.get(bare, "")
        elif scope and (match := _REFERENCE.fullmatch(bare)) is not None:
            found.append(Dependency(match[1], match[2], scope, number))
    return Manifest("cpp", dependencies=limited(found))


def parse_program(text: Text) -> Manifest:
    """`conanfile.py`: the calls of `self.requires` and its like, and the class's lists of the same names."""
    listed = list(tokens(text, HASH))
    fields: dict[str, str] = {}
    found: list[Dependency] = []
    for at, token in enumerate(listed[:-2]):
        if token.kind == "word" and listed[at + 1].value == "=" and listed[at + 2].kind == "text":
            fields.setdefault(token.value, listed[at + 2].value)
    for call in calls(listed):
        scope = _SCOPES.get(call.name.rpartition(".")[2], "")
        found += _references(list(call.inside), scope) if scope else []
    for at, token in enumerate(listed[:-2]):
        scope = _SCOPES.get(token.value, "") if token.kind == "word" and listed[at + 1].value == "=" else ""
        if scope:
            end = next((to for to in range(at + 2, min(len(listed), at + 500)) if _ends(listed, to)), at + 2)
            found += _references(listed[at + 2 : end], scope)
    return Manifest(
        "cpp",
        name=fields.get("name", ""),
        description=fields.get("description", ""),
        licence=fields.get("license", ""),
        dependencies=limited(found),
    )


def _ends(listed: list[Token], at: int) -> bool:
    return listed[at].kind == "end" and listed[at - 1].value not in {",", "(", "["}


def _references(listed: list[Token], scope: str) -> list[Dependency]:
    matches = ((_REFERENCE.fullmatch(one.value), one.line) for one in listed if one.kind == "text")
    return [Dependency(match[1], match[2], scope, line) for match, line in matches if match is not None]


def parse_lock(text: Text) -> Manifest:
    """`conan.lock`. Raises ValueError where it is not JSON."""
    root = read_json(text)
    groups = (("requires", ""), ("build_requires", "build"), ("python_requires", "build"))
    found = ((_REFERENCE.match(one.text), one.line, group) for key, group in groups for one in root.get(key))
    return Manifest(
        "cpp",
        dependencies=limited(
            Dependency(match[1], "", "", line, version=match[2], group=group)
            for match, line, group in found
            if match is not None
        ),
    )


FORMATS = (
    Format(r"conanfile\.txt", parse_text),
    Format(r"conanfile\.py", parse_program),
    Format(r"conan\.lock", parse_lock, is_lock=True),
)
