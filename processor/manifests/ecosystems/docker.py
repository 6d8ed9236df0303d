"""Containers: the images that Dockerfiles build on and compose files start."""

import re
from collections.abc import Iterator, Mapping

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_yaml

_FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*(\S{1,300})(?:\s+AS\s+(\S{1,100}))?\s*", re.IGNORECASE)
_COPY = re.compile(r"\s*(?:COPY|ADD)\s.{0,200}?--from=(\S{1,300})", re.IGNORECASE)
_ARG = re.compile(r"\s*ARG\s+(\w{1,100})=[\"']?([^\"'\s]{1,300})", re.IGNORECASE)
_START = re.compile(r"\s*(ENTRYPOINT|CMD)\s+(.{1,500})", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w{1,100})(?::?-([^}]{0,300}))?\}|(\w{1,100}))")


def image(written: str) -> tuple[str, str]:
    """Name and tag or digest of an image."""
    name, _, digest = written.partition("@")
    before, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return before, f"{tag}@{digest}" if digest else tag
    return name, digest


def parse_dockerfile(text: Text) -> Manifest:
    """A Dockerfile: the image of the last stage is `runtime`, those of others `build`; the group is the stage."""
    arguments: dict[str, str] = {}
    found: list[Dependency] = []
    stages: set[str] = set()
    started: dict[str, EntryPoint] = {}
    for number, line in _instructions(text):
        if (argument := _ARG.match(line)) is not None:
            arguments.setdefault(argument[1], argument[2])
        elif (origin := _FROM.fullmatch(line)) is not None:
            found = [Dependency(one.name, one.constraint, "build", one.line, group=one.group) for one in found]
            found += _image(_filled(origin[1], arguments), stages, number, origin[2] or "", "runtime")
            stages.add((origin[2] or "").lower())
        elif (copied := _COPY.match(line)) is not None:
            found[0:0] = _image(_filled(copied[1], arguments), stages, number, "copy", "build")
        elif (start := _START.match(line)) is not None:
            started[start[1].upper()] = EntryPoint(start[1].upper(), start[2].strip(), "container")
    return Manifest("docker", dependencies=limited(found), entry_points=tuple(started.values()))


def _instructions(text: Text) -> Iterator[tuple[int, str]]:
    """Instructions with the line they begin on; a backslash continues one."""
    begun, so_far = 0, ""
    for number, line in enumerate(text.lines, 1):
        bare = line[:2_000].rstrip()
        if bare.lstrip().startswith("#") or (so_far and not bare):
            continue
        begun = begun or number
        so_far = f"{so_far} {bare.rstrip(chr(92))}" if len(so_far) < 4_000 else so_far
        if not bare.endswith("\\"):
            yield begun, so_far
            begun, so_far = 0, ""
    if so_far:
        yield begun, so_far


def _image(written: str, stages: set[str], line: int, group: str, scope: str) -> Iterator[Dependency]:
    if written.lower() not in stages and written.lower() != "scratch" and not written.isdigit():
        yield Dependency(*image(written), scope, line, group=group)


def _filled(written: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: known.get(found[1] or found[3], found[2] or found[0]), written)[:300]


def parse_compose(text: Text) -> Manifest:
    """A compose file: the images of its services. Raises ValueError where it is not YAML."""
    services = read_yaml(text).get("services")
    found = [
        Dependency(*image(_filled(one.get("image").text, {})), "runtime", one.get("image").line, group=name)
        for name, one in services.items()
        if one.get("image").text
    ]
    return Manifest("docker", dependencies=limited(found), entry_points=tuple(_services(services)))


def _services(services: Node) -> Iterator[EntryPoint]:
    for name, one in services.items():
        command = one.get("command")
        target = one.get("image").text or one.get("build").text or one.get("build", "context").text
        yield EntryPoint(name, command.text or " ".join(part.text for part in command) or target, "service")


FORMATS = (
    Format(
        r"(?!.*\.dockerignore)(?:(?:dockerfile|containerfile)(?:\.[\w.-]+)?|[\w.-]+\.(?:dockerfile|containerfile))",
        parse_dockerfile,
    ),
    Format(r"(?:docker-)?compose[\w.-]*\.ya?ml", parse_compose),
)
