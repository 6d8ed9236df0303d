"""Dart and Flutter: `pubspec.yaml`, `pubspec.lock`."""

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_yaml

_SCOPES = {"dependencies": "runtime", "dev_dependencies": "dev", "dependency_overrides": "constraint"}


def parse_pubspec(text: Text) -> Manifest:
    """`pubspec.yaml`. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    return Manifest(
        "dart",
        name=root.get("name").text,
        description=root.get("description").text,
        dependencies=limited(
            Dependency(name, _constraint(wanted), scope, wanted.line)
            for key, scope in _SCOPES.items()
            for name, wanted in root.get(key).items()
        ),
        entry_points=tuple(
            EntryPoint(name, f"bin/{target.text or name}.dart") for name, target in root.get("executables").items()
        ),
    )


def _constraint(wanted: Node) -> str:
    git = wanted.get("git")
    said = (wanted, wanted.get("version"), git, git.get("url"), wanted.get("path"))
    sdk = wanted.get("sdk").text
    return next((one.text for one in said if one.text), f"sdk: {sdk}" if sdk else "")


def parse_lock(text: Text) -> Manifest:
    """`pubspec.lock`. Raises ValueError where it is not YAML."""
    found = []
    for name, package in read_yaml(text).get("packages").items():
        scope = "transitive" if package.get("dependency").text == "transitive" else ""
        found.append(Dependency(name, "", scope, package.line, version=package.get("version").text))
    return Manifest("dart", dependencies=limited(found))


FORMATS = (
    Format(r"pubspec(?:_overrides)?\.ya?ml", parse_pubspec),
    Format(r"pubspec\.lock", parse_lock, is_lock=True),
)
