"""C and C++ by vcpkg: `vcpkg.json`."""

from collections.abc import Iterator

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_json


def parse_vcpkg(text: Text) -> Manifest:
    """`vcpkg.json`. Raises ValueError where it is not JSON."""
    root = read_json(text)
    found = [*_listed(root, "runtime", "")]
    for name, feature in root.get("features").items():
        found += _listed(feature, "optional", name)
    found += [
        Dependency(one.get("name").text, one.get("version").text, "constraint", one.line)
        for one in root.get("overrides")
    ]
    description = root.get("description")
    return Manifest(
        "cpp",
        name=root.get("name").text,
        description=description.text or " ".join(one.text for one in description),
        licence=root.get("license").text,
        dependencies=limited(found),
    )


def _listed(root: Node, scope: str, group: str) -> Iterator[Dependency]:
    for one in root.get("dependencies"):
        version = one.get("version>=").text
        used = "build" if one.get("host").is_true else scope
        name = one.text or one.get("name").text
        yield Dependency(name, f">={version}" if version else "", used, one.get("name").line or one.line, group=group)


FORMATS = (Format(r"vcpkg\.json", parse_vcpkg),)
