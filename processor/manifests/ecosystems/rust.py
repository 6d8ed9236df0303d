"""Rust: `Cargo.toml` with its workspaces, `Cargo.lock`."""

from collections.abc import Iterator, Mapping

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited, table, text_of, texts
from processor.manifests.toml import Toml

_TABLES = {"dependencies": "runtime", "dev-dependencies": "dev", "build-dependencies": "build"}


def parse_cargo(text: Text) -> Manifest:
    """`Cargo.toml`. Raises ValueError where it is not TOML. A crate of the workspace has no constraint of its own."""
    toml = Toml(text)
    package, shared = toml.table("package"), toml.table("workspace", "package")
    found = [*_crates(toml)]
    for target in toml.table("target"):
        found += _crates(toml, "target", target)
    shared_crates = [*_crate_table(toml, "managed", "", "workspace", "dependencies")]
    found += shared_crates
    for source in toml.table("patch"):
        found += _crate_table(toml, "constraint", source, "patch", source)
    programs = toml.tables("bin")
    return Manifest(
        "rust",
        name=text_of(package.get("name")),
        description=text_of(package.get("description") or shared.get("description")),
        licence=text_of(package.get("license") or shared.get("license")),
        dependencies=limited(found),
        aliases=tuple(
            (alias, one)
            for alias, one in zip(toml.table("workspace", "dependencies"), shared_crates, strict=True)
            if alias != one.name
        ),
        entry_points=tuple(EntryPoint(text_of(row.get("name")), text_of(row.get("path"))) for row, _ in programs),
    )


def _crates(toml: Toml, *target: str) -> Iterator[Dependency]:
    for key, scope in _TABLES.items():
        for written in (key, key.replace("-", "_")) if "-" in key else (key,):
            yield from _crate_table(toml, scope, target[-1] if target else "", *target, written)


def _crate_table(toml: Toml, scope: str, group: str, *path: str) -> Iterator[Dependency]:
    for alias, wanted in toml.table(*path).items():
        entry = table(wanted)
        named = text_of(entry.get("package")) or alias
        is_optional = scope == "runtime" and entry.get("optional") is True
        line = toml.line(*path, alias) or toml.line(*path, alias, "workspace") or toml.line(*path, alias, "version")
        yield Dependency(named, _constraint(wanted, entry), "optional" if is_optional else scope, line, group=group)


def _constraint(wanted: object, entry: Mapping[str, object]) -> str:
    said = wanted if isinstance(wanted, str) else entry.get("version")
    if entry.get("workspace") is True:
        return "workspace"
    return text_of(said) or text_of(entry.get("git")) or text_of(entry.get("path"))


def parse_lock(text: Text) -> Manifest:
    """`Cargo.lock`. Crates without a source are those of the repository: what they need is direct."""
    packages = Toml(text).tables("package")
    own = [row for row, _ in packages if "source" not in row]
    direct = {tuple(name.split(" ")[:2]) for row in own for name in texts(row.get("dependencies"))}
    return Manifest(
        "rust",
        dependencies=limited(
            Dependency(
                text_of(row.get("name")),
                "",
                "" if {(row.get("name"),), (row.get("name"), row.get("version"))} & direct else "transitive",
                line + 1 if line else 0,
                version=text_of(row.get("version")),
            )
            for row, line in packages
            if "source" in row
        ),
    )


FORMATS = (Format(r"cargo\.toml", parse_cargo), Format(r"cargo\.lock", parse_lock, is_lock=True))
