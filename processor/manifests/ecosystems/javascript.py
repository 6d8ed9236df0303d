"""JavaScript and TypeScript: `package.json`, `deno.json`, `bower.json`, `pnpm-workspace.yaml`."""

from collections.abc import Iterator

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_json, read_yaml

_SCOPES = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
    "resolutions": "constraint",
}


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
    for part in (root.get("overrides"), root.get("pnpm", "overrides")):
        for name, constraint in part.items():
            if constraint.text:
                yield Dependency(name, constraint.text, "constraint", constraint.line)


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
    return Manifest(
        "javascript",
        dependencies=limited(
            Dependency(name, constraint.text, "managed", constraint.line, group=catalog)
            for catalog, entries in catalogs
            for name, constraint in entries.items()
        ),
    )


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
