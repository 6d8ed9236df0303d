"""GitHub Actions: what workflows and composite actions use."""

from collections.abc import Iterable, Iterator

from processor.manifests.ecosystems.docker import image
from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_yaml


def parse_workflow(text: Text) -> Manifest:
    """A workflow; the group is the job. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    found: list[Dependency] = []
    for name, job in root.get("jobs").items():
        found += _used([job, *job.get("steps")], name)
        for one in (job.get("container"), *(service for _, service in job.get("services").items())):
            if where := one.get("image") or one:
                found += [Dependency(*image(where.text), "build", where.line, group=name)] if where.text else []
    return Manifest("github-actions", name=root.get("name").text, dependencies=limited(found))


def parse_action(text: Text) -> Manifest:
    """`action.yml`. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    found = _used(root.get("runs", "steps"), "")
    return Manifest(
        "github-actions",
        name=root.get("name").text,
        description=root.get("description").text,
        dependencies=limited(found),
    )


def _used(steps: Iterable[Node], group: str) -> Iterator[Dependency]:
    for step in steps:
        used = step.get("uses")
        if not used.text or used.text.startswith("./"):
            continue
        if used.text.startswith("docker://"):
            yield Dependency(*image(used.text.removeprefix("docker://")), "build", used.line, group=group)
        else:
            name, _, version = used.text.partition("@")
            yield Dependency(name, version, "build", used.line, group=group)


FORMATS = (
    Format(r".+\.ya?ml", parse_workflow, folder=r"(?:.*/)?\.(?:github|gitea|forgejo)/workflows"),
    Format(r"action\.ya?ml", parse_action),
)
