"""Containers: the images that Dockerfiles build on and compose files start."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_yaml

_FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*(\S{1,300})(?:\s+AS\s+(\S{1,100}))?\s*", re.IGNORECASE)
_COPY = re.compile(r"\s*(?:COPY|ADD)\s.{0,200}?--from=(\S{1,300})", re.IGNORECASE)
_MOUNT = re.compile(r"--mount=\S{0,300}?\bfrom=([^,\s]{1,300})")
_ARG = re.compile(r"\s*ARG\s+(.+)", re.IGNORECASE)
_DEFAULT = re.compile(r"(\w{1,100})=(?:\"([^\"]{0,300})\"|'([^']{0,300})'|([^\s\"']{0,300}))")
_START = re.compile(r"\s*(ENTRYPOINT|CMD)\s+(.{1,500})", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w{1,100})(?::?([-+])([^}]{0,300}))?\}|(\w{1,100}))")
_ESCAPE = re.compile(r"\s*#\s*escape\s*=\s*`\s*", re.IGNORECASE)
_HEREDOC = re.compile(r"(?<![\w<])<<-?([\"']?)([A-Za-z_]\w{0,100})\1")
_MAY_HAVE_HEREDOC = re.compile(r"\s*(?:RUN|COPY|ADD)\s", re.IGNORECASE)


@dataclass
class _Stage:
    """A stage: the image that it comes from in the end, and what a container of it starts."""

    image: Dependency | None
    started: dict[str, EntryPoint]


def image(written: str) -> tuple[str, str]:
    """Name and tag or digest of an image."""
    name, _, digest = written.partition("@")
    before, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return before, f"{tag}@{digest}" if digest else tag
    return name, digest


def parse_dockerfile(text: Text) -> Manifest:
    """A Dockerfile: the image that the last stage comes from is `runtime`, all others `build`; the group is the stage.

    A stage may come from an earlier one, and then starts what that one does where it does not say it itself.
    """
    arguments: dict[str, str] = {}  # those before the first stage alone hold in `FROM`
    found: list[Dependency] = []
    copied: list[Dependency] = []
    stages: dict[str, _Stage] = {}  # those with a name; of several, the last
    last: _Stage | None = None
    for number, line in _instructions(text):
        if (said := _ARG.match(line)) is not None and last is None:
            arguments.update(_defaults(said[1], arguments))
        elif (origin := _FROM.fullmatch(line)) is not None:
            last, is_new = _begun(_filled(origin[1], arguments), origin[2] or "", number, stages)
            found += [last.image] if last.image is not None and is_new else []
            if origin[2]:
                stages[origin[2].lower()] = last
        elif (start := _START.match(line)) is not None and last is not None:
            last.started[start[1].upper()] = EntryPoint(start[1].upper(), start[2].strip(), "container")
        else:
            copied += _copied(line, number, stages)
    used = (
        replace(one, scope="runtime") if last is not None and one is last.image else one for one in (*copied, *found)
    )
    return Manifest(
        "docker",
        dependencies=limited(used),
        entry_points=tuple(last.started.values()) if last is not None else (),
    )


def _defaults(written: str, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, *values in _DEFAULT.findall(written):
        yield name, _filled("".join(values), known)


def _begun(written: str, name: str, line: int, stages: Mapping[str, _Stage]) -> tuple[_Stage, bool]:
    """The stage that a `FROM` begins, and whether it names an image that no stage before it has."""
    above = stages.get(written.lower())
    if above is not None:
        return _Stage(above.image, dict(above.started)), False
    is_image = written.lower() != "scratch"
    return _Stage(Dependency(*image(written), "build", line, group=name) if is_image else None, {}), True


def _copied(line: str, number: int, stages: Mapping[str, _Stage]) -> Iterator[Dependency]:
    """The images that files are taken from: of `COPY --from=`, and of mounts of a `RUN`."""
    places = [(match[1], "copy") for match in (_COPY.match(line),) if match is not None]
    places += [(written, "mount") for written in _MOUNT.findall(line)]
    for written, group in places:
        is_image = not written.isdigit() and "$" not in written and written.lower() != "scratch"
        if is_image and written.lower() not in stages:
            yield Dependency(*image(written), "build", number, group=group)


def _instructions(text: Text) -> Iterator[tuple[int, str]]:
    """Instructions with the line they begin on; a backslash (or what `# escape=` says) continues one."""
    begun, so_far, ends = 0, "", list[str]()
    last = {
        line[:2_000].strip(): number for number, line in enumerate(text.lines, 1)
    }  # not all that looks like one ends
    escape = "`" if any(_ESCAPE.fullmatch(line[:100]) for line in text.lines[:3]) else "\\"
    for number, line in enumerate(text.lines, 1):
        bare = line[:2_000].rstrip()
        if ends:  # the text of a here-document is no instruction
            ends = ends[1:] if bare.strip() == ends[0] else ends
            continue
        if bare.lstrip().startswith("#") or (so_far and not bare):
            continue
        begun = begun or number
        so_far = f"{so_far} {bare.rstrip(escape)}" if len(so_far) < 4_000 else so_far
        if not bare.endswith(escape):
            marks = [found[2] for found in _HEREDOC.finditer(so_far)] if _MAY_HAVE_HEREDOC.match(so_far) else []
            ends = [mark for mark in marks if last.get(mark, 0) > number]
            yield begun, so_far
            begun, so_far = 0, ""
    if so_far:
        yield begun, so_far


def _filled(written: str, known: Mapping[str, str]) -> str:
    """With the values of variables; `${name:-this}` is this where none is known, `${name:+this}` where one is."""

    def put(found: re.Match[str]) -> str:
        value = known.get(found[1] or found[4])
        if found[2] == "+":
            return found[3] if value else ""
        return value or (found[3] if found[2] else found[0])

    return _VARIABLE.sub(put, written)[:300]


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
        target = _filled(one.get("image").text, {}) or one.get("build").text or one.get("build", "context").text
        yield EntryPoint(name, command.text or " ".join(part.text for part in command) or target, "service")


FORMATS = (
    Format(
        r"(?!.*\.dockerignore)(?:(?:dockerfile|containerfile)(?:\.[\w.-]+)?|[\w.-]+\.(?:dockerfile|containerfile))",
        parse_dockerfile,
    ),
    Format(r"(?:docker-)?compose[\w.-]*\.ya?ml", parse_compose),
)
