"""Helm: `Chart.yaml`, `requirements.yaml`, `Chart.lock`."""

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.nodes import read_yaml


def parse_chart(text: Text) -> Manifest:
    """A chart and the charts it needs. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    found = [
        Dependency(
            one.get("name").text,
            one.get("version").text,
            "optional" if one.get("condition") or one.get("tags") else "runtime",
            one.get("name").line,
            group=one.get("repository").text,
        )
        for one in root.get("dependencies")
    ]
    return Manifest(
        "helm",
        name=root.get("name").text,
        description=root.get("description").text,
        dependencies=limited(found),
    )


def parse_lock(text: Text) -> Manifest:
    """`Chart.lock`. Raises ValueError where it is not YAML."""
    found = [
        Dependency(one.get("name").text, "", "", one.get("name").line, version=one.get("version").text)
        for one in read_yaml(text).get("dependencies")
    ]
    return Manifest("helm", dependencies=limited(found))


FORMATS = (
    Format(r"chart\.ya?ml", parse_chart),
    Format(r"requirements\.ya?ml", parse_chart),  # also Ansible's name for another list, which has no `dependencies`
    Format(r"chart\.lock|requirements\.lock", parse_lock, is_lock=True),
)
