"""Go: `go.mod`, `go.work`. What `go.sum` lists is no more than their checksums."""

import re

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited

_REQUIRE = re.compile(r"\"?([\w.~/-]{1,300})\"?\s+(v[\w.+-]{1,100})(\s*//\s*indirect)?")
_REPLACE = re.compile(r"\"?([\w.~/-]{1,300})\"?(?:\s+v\S{1,100})?\s*=>\s*(\S{1,300})(?:\s+(v\S{1,100}))?")
_DIRECTIVES = ("require", "replace", "tool", "use", "exclude", "retract", "godebug", "ignore")


def parse_go(text: Text) -> Manifest:
    """The module, what it requires, the tools it runs; what only others require is `transitive`."""
    name, block = "", ""
    found: list[Dependency] = []
    replaced: dict[str, str] = {}
    tools: list[EntryPoint] = []
    for number, line in enumerate(text.lines, 1):
        bare = line[:1_000].strip()
        directive, _, rest = bare.partition(" ")
        if bare == ")":
            block = ""
        elif bare.endswith("(") and directive.rstrip("(") in _DIRECTIVES:
            block = directive.rstrip("(")
        elif directive == "module" and not block:
            name = rest.partition("//")[0].strip().strip('"')
        else:
            verb, said = (block, bare) if block else (directive, rest.strip())
            if verb == "require" and (match := _REQUIRE.match(said)) is not None:
                found.append(Dependency(match[1], match[2], "transitive" if match[3] else "runtime", number))
            elif verb == "replace" and (match := _REPLACE.match(said)) is not None:
                replaced[match[1]] = f"{match[2]} {match[3] or ''}".strip()
            elif verb == "tool" and said and not said.startswith("//"):
                tools.append(EntryPoint(said.rpartition("/")[2], said, "tool"))
    known = (
        Dependency(item.name, f"{item.constraint} => {replaced[item.name]}", item.scope, item.line)
        if item.name in replaced
        else item
        for item in found
    )
    return Manifest("go", name=name, dependencies=limited(known), entry_points=tuple(tools[:200]))


FORMATS = (Format(r"go\.mod", parse_go), Format(r"go\.work", parse_go))
