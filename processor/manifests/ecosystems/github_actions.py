"""GitHub Actions: what workflows and composite actions use."""

import re
from collections.abc import Iterable, Iterator

from processor.manifests.ecosystems.docker import image
from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_yaml

_IMAGE, _EXPRESSION = "docker://", "${{"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_COMMENT = re.compile(r"\s#\s*(?:tag=|ratchet:\S{1,200}@|pin@)?(v?\d[\w.+-]{0,50})\s*$")


def parse_workflow(text: Text) -> Manifest:
    """A workflow; the group is the job. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    found: list[Dependency] = []
    for name, job in root.get("jobs").items():
        found += _used([job, *job.get("steps")], name, text)
        for one in (job.get("container"), *(service for _, service in job.get("services").items())):
            if where := one.get("image") or one:
                is_said = where.text and _EXPRESSION not in where.text
                found += [Dependency(*image(where.text), "build", where.line, group=name)] if is_said else []
    return Manifest("github-actions", name=root.get("name").text, dependencies=limited(found))


def parse_action(text: Text) -> Manifest:
    """`action.yml`: what its steps use, or the image or script that it runs. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    found = [*_used(root.get("runs", "steps"), "", text)]
    ran = root.get("runs", "image")
    if ran.text.startswith(_IMAGE):
        found.append(Dependency(*image(ran.text.removeprefix(_IMAGE)), "runtime", ran.line))
    script = root.get("runs", "main").text
    return Manifest(
        "github-actions",
        name=root.get("name").text,
        description=root.get("description").text,
        dependencies=limited(found),
        entry_points=(EntryPoint(root.get("name").text, script, "action"),) if script else (),
    )


def _used(steps: Iterable[Node], group: str, text: Text) -> Iterator[Dependency]:
    for step in steps:
        used = step.get("uses")
        if not used.text or used.text.startswith("./"):
            continue
        if used.text.startswith(_IMAGE):
            yield Dependency(*image(used.text.removeprefix(_IMAGE)), "build", used.line, group=group)
        else:
            name, _, wanted = used.text.partition("@")
            yield Dependency(name, wanted, "build", used.line, group=group, version=_release(wanted, used.line, text))


def _release(wanted: str, line: int, text: Text) -> str:
    """The release that a pinned commit is, where a comment behind it says so, as those who pin commits write it."""
    if not _COMMIT.fullmatch(wanted) or not 0 < line <= len(text.lines):
        return ""
    said = _COMMENT.search(text.lines[line - 1][:1_000])
    return said[1] if said is not None else ""


FORMATS = (
    Format(r".+\.ya?ml", parse_workflow, folder=r"(?:.*/)?\.(?:github|gitea|forgejo)/workflows"),
    Format(r"action\.ya?ml", parse_action),
)
