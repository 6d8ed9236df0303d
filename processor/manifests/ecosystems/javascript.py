"""JavaScript and TypeScript: `package.json`, `deno.json`, `bower.json`, `pnpm-workspace.yaml`."""

import re
from collections.abc import Iterator
from dataclasses import replace

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_json, read_yaml

_SCOPES = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}

# Of the keys of overrides, `a@>=1 <2>b` of pnpm and `a/**/@scope/b` of yarn: what parts packages, versions, packages.
_FOR = re.compile(r"(?<=[^ |@])>")
_VERSIONS = re.compile(r"(?<=[^/])@.*")
_PACKAGE = re.compile(r"(?:@[^/*]{1,100}/)?[^/*]{1,200}")
_DEEPEST = 10


def parse_package_json(text: Text) -> Manifest:
    """`package.json`. Raises ValueError where it is not JSON."""
    root = read_json(text)
    licence = root.get("license")
    return Manifest(
        "javascript",
        name=root.get("name").text,
        description=root.get("description").text,
        licence=licence.text or licence.get("type").text,
        dependencies=limited([*_dependencies(root), *_overrides(root)]),
        entry_points=tuple(_entry_points(root)),
    )


def _dependencies(root: Node) -> Iterator[Dependency]:
    may_lack = root.get("peerDependenciesMeta")
    for key, scope in _SCOPES.items():
        for name, constraint in root.get(key).items():
            is_optional = scope == "peer" and may_lack.get(name, "optional").is_true
            group = "peer" if is_optional else ""
            yield Dependency(name, constraint.text, "optional" if is_optional else scope, constraint.line, group=group)


def _overrides(root: Node) -> Iterator[Dependency]:
    """What npm, pnpm and yarn are to set for packages that others need; of npm `$name` is as it is asked for itself."""
    asked = {name: said.text for key in _SCOPES for name, said in root.get(key).items()}
    for part in (root.get("overrides"), root.get("pnpm", "overrides"), root.get("resolutions")):
        for found in _overridden(part, "", 0):
            is_asked = found.constraint.startswith("$")
            yield replace(found, constraint=asked.get(found.constraint[1:], found.constraint)) if is_asked else found


def _overridden(part: Node, around: str, depth: int) -> Iterator[Dependency]:
    """The entries of a table; the group is the package for whose sake another one is set: `a>b`, `a/b`, `a: {b: …}`."""
    for key, said in part.items():
        path = [name for part in _FOR.split(key) for name in _PACKAGE.findall(_VERSIONS.sub("", part.strip()))]
        name = around if key == "." else path[-1] if path else ""
        group = "" if key == "." else " ".join((around, *path[:-1])).strip()
        if said.text:
            yield Dependency(name, said.text, "constraint", said.line, group=group)
        elif depth < _DEEPEST:
            yield from _overridden(said, name, depth + 1)


def _entry_points(root: Node) -> Iterator[EntryPoint]:
    name, commands = root.get("name").text, root.get("bin")
    if commands.text:
        yield EntryPoint(name.rpartition("/")[2], commands.text)
    for command, target in commands.items():
        yield EntryPoint(command, target.text)
    if main := root.get("main").text or root.get("module").text:
        yield EntryPoint(name, main, "module")
    for script, line in root.get("scripts").items():
        yield EntryPoint(script, line.text, "script")


def parse_pnpm_workspace(text: Text) -> Manifest:
    """`pnpm-workspace.yaml`: the versions in its catalogs. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    catalogs = [("", root.get("catalog")), *root.get("catalogs").items()]
    managed = [
        Dependency(name, constraint.text, "managed", constraint.line, group=catalog)
        for catalog, entries in catalogs
        for name, constraint in entries.items()
    ]
    return Manifest("javascript", dependencies=limited([*managed, *_overridden(root.get("overrides"), "", 0)]))


def parse_deno(text: Text) -> Manifest:
    """`deno.json`: what it imports from a registry. Raises ValueError where it is not JSON."""
    root = read_json(text)
    found = []
    for target in root.get("imports").entries.values():
        registry, colon, rest = target.text.partition(":")
        if colon and registry in {"npm", "jsr"}:
            name, _, version = rest.rpartition("@")
            found.append(Dependency(name or rest, version if name else "", "runtime", target.line, group=registry))
    tasks = root.get("tasks").items()
    return Manifest(
        "javascript",
        name=root.get("name").text,
        dependencies=limited(found),
        entry_points=tuple(EntryPoint(name, line.text, "script") for name, line in tasks if line.text),
    )


FORMATS = (
    Format(r"package\.json|bower\.json", parse_package_json),
    Format(r"pnpm-workspace\.ya?ml", parse_pnpm_workspace),
    Format(r"deno\.jsonc?", parse_deno),
)
