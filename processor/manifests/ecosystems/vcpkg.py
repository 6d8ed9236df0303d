"""C and C++ by vcpkg: `vcpkg.json`."""

from collections.abc import Iterator

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_json

_VERSIONS = ("version", "version-semver", "version-date", "version-string")


def parse_vcpkg(text: Text) -> Manifest:
    """`vcpkg.json`. Raises ValueError where it is not JSON."""
    root = read_json(text)
    own = root.get("name").text
    found = [*_listed(root, "runtime", "", own)]
    for name, feature in root.get("features").items():
        found += _listed(feature, "optional", name, own)
    found += [Dependency(one.get("name").text, _version(one), "constraint", one.line) for one in root.get("overrides")]
    description = root.get("description")
    return Manifest(
        "cpp",
        name=own,
        description=description.text or " ".join(one.text for one in description),
        licence=root.get("license").text,
        dependencies=limited(found),
    )


def _version(one: Node) -> str:
    return next((said for key in _VERSIONS if (said := one.get(key).text)), "")


def _listed(root: Node, scope: str, group: str, own: str) -> Iterator[Dependency]:
    """What is needed; a feature that needs another one of the same port names the port itself, which is left out."""
    for one in root.get("dependencies"):
        version = one.get("version>=").text
        used = "build" if one.get("host").is_true else scope
        name = one.text or one.get("name").text
        if name not in {own, "$self"}:
            line = one.get("name").line or one.line
            yield Dependency(name, f">={version}" if version else "", used, line, group=group)


FORMATS = (Format(r"vcpkg\.json", parse_vcpkg),)
