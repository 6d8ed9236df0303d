"""Go: `go.mod`, `go.work`. What `go.sum` lists is no more than their checksums."""

import re
from collections.abc import Iterator

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited

_REQUIRE = re.compile(r"\"?([\w.~/-]{1,300})\"?\s+(v[\w.+-]{1,100})(\s*//\s*indirect)?")
_REPLACE = re.compile(r"\"?([\w.~/-]{1,300})\"?(?:\s+(v\S{1,100}))?\s*=>\s*(\S{1,300})(?:\s+(v\S{1,100}))?")
_DIRECTIVES = ("require", "replace", "tool", "use", "exclude", "retract", "godebug", "ignore")


def parse_go(text: Text) -> Manifest:
    """The module, what it requires, the tools it runs; what only others require is `transitive`."""
    name, block = "", ""
    found: list[Dependency] = []
    replaced: dict[tuple[str, str], str] = {}  # (module, version); without a version, all of them
    tools: list[EntryPoint] = []
    for number, bare, code in _written(text):
        directive, _, rest = bare.partition(" ")
        if code == ")":
            block = ""
        elif code.endswith("(") and directive.rstrip("(") in _DIRECTIVES:
            block = directive.rstrip("(")
        elif directive == "module" and not block:
            name = rest.partition("//")[0].strip().strip('"')
        else:
            verb, said = (block, bare) if block else (directive, rest.strip())
            if verb == "require" and (match := _REQUIRE.match(said)) is not None:
                found.append(Dependency(match[1], match[2], "transitive" if match[3] else "runtime", number))
            elif verb == "replace" and (match := _REPLACE.match(said)) is not None:
                replaced[match[1], match[2] or ""] = f"{match[3]} {match[4] or ''}".strip()
            elif verb == "tool" and (run := said.partition("//")[0].strip()):
                tools.append(EntryPoint(run.rpartition("/")[2], run, "tool"))
    known = (
        Dependency(item.name, f"{item.constraint} => {instead}", item.scope, item.line) if instead else item
        for item in found
        for instead in (replaced.get((item.name, item.constraint)) or replaced.get((item.name, "")),)
    )
    return Manifest("go", name=name, dependencies=limited(known), entry_points=tuple(tools[:200]))


def _written(text: Text) -> Iterator[tuple[int, str, str]]:
    """The lines that are not all comment, by number: with their comments, and without."""
    for number, line in enumerate(text.lines, 1):
        bare = line[:1_000].strip()
        if code := bare.partition("//")[0].rstrip():
            yield number, bare, code


FORMATS = (Format(r"go\.mod", parse_go), Format(r"go\.work", parse_go))
