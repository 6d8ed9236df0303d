"""Python: `pyproject.toml` (PEP 621, PEP 735, Poetry), `requirements*.txt`, `setup.cfg`, `Pipfile`."""

import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping

from processor.manifests.model import Dependency, EntryPoint, Manifest, Text, limited, table, text_of, texts

_REQUIREMENT = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?)\s*(?:\[[^\]]{0,200}\])?\s*([^;#]{0,300})"
)


def parse_pyproject(text: Text) -> Manifest:
    """`pyproject.toml`. Raises ValueError where it is not TOML."""
    document = tomllib.loads(text.content)
    project, poetry = table(document.get("project")), table(table(document.get("tool")).get("poetry"))
    licence = project.get("license") or poetry.get("license")
    return Manifest(
        "python",
        name=text_of(project.get("name") or poetry.get("name")),
        description=text_of(project.get("description") or poetry.get("description")),
        licence=text_of(table(licence).get("text") if isinstance(licence, Mapping) else licence),
        dependencies=limited([*_project(text, document, project), *_poetry(text, poetry)]),
        entry_points=tuple(_scripts(project, poetry)),
    )


def _project(text: Text, document: Mapping[str, object], project: Mapping[str, object]) -> Iterator[Dependency]:
    build = texts(table(document.get("build-system")).get("requires"))
    yield from _required(text, build, "build", text.heading("[build-system]"))
    yield from _required(text, texts(project.get("dependencies")), "runtime", text.heading("dependencies"))
    for extra, wanted in table(project.get("optional-dependencies")).items():
        yield from _required(text, texts(wanted), f"optional:{extra}", text.heading("optional-dependencies"))
    for group, wanted in table(document.get("dependency-groups")).items():
        yield from _required(text, texts(wanted), group, text.heading("[dependency-groups]"))


def _poetry(text: Text, poetry: Mapping[str, object]) -> Iterator[Dependency]:
    yield from _pinned(text, table(poetry.get("dependencies")), "runtime", "[tool.poetry.dependencies]")
    yield from _pinned(text, table(poetry.get("dev-dependencies")), "dev", "[tool.poetry.dev-dependencies]")
    for name, group in table(poetry.get("group")).items():
        wanted = table(table(group).get("dependencies"))
        yield from _pinned(text, wanted, name, f"[tool.poetry.group.{name}.dependencies]")


def _pinned(text: Text, wanted: Mapping[str, object], scope: str, heading: str) -> Iterator[Dependency]:
    after = text.heading(heading)
    for name, constraint in wanted.items():
        version = table(constraint).get("version") if isinstance(constraint, Mapping) else constraint
        if name.lower() != "python":
            yield Dependency(name, text_of(version), scope, text.line_of(name, after=after))


def _required(text: Text, wanted: Iterable[str], scope: str, after: int) -> Iterator[Dependency]:
    for requirement in wanted:
        if (found := _REQUIREMENT.match(requirement.strip())) is not None:
            yield Dependency(found[1], found[2].strip(), scope, text.line_of(found[1], after=after))


def _scripts(project: Mapping[str, object], poetry: Mapping[str, object]) -> Iterator[EntryPoint]:
    for scripts in (project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts")):
        for name, target in table(scripts).items():
            yield EntryPoint(name, text_of(target))
    for group, points in table(project.get("entry-points")).items():
        for name, target in table(points).items():
            yield EntryPoint(name, text_of(target), kind=group)


def parse_requirements(text: Text) -> Manifest:
    """`requirements*.txt`: one requirement a line; options and addresses are not followed."""
    found = []
    for number, line in enumerate(text.lines, 1):
        bare = line.strip()
        if not bare or bare[0] in "#-" or "://" in bare:
            continue
        if (match := _REQUIREMENT.match(bare)) is not None:
            found.append(Dependency(match[1], match[2].strip(" \\"), "runtime", number))
    return Manifest("python", dependencies=limited(found))


def parse_setup_cfg(text: Text) -> Manifest:
    """`setup.cfg`. Raises ValueError where it cannot be read."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(text.content)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    meta = dict(config["metadata"]) if config.has_section("metadata") else {}
    options = dict(config["options"]) if config.has_section("options") else {}
    extras = dict(config["options.extras_require"]) if config.has_section("options.extras_require") else {}
    points = dict(config["options.entry_points"]) if config.has_section("options.entry_points") else {}
    wanted = [("runtime", options.get("install_requires", "")), ("build", options.get("setup_requires", ""))]
    wanted += [(f"optional:{name}", value) for name, value in extras.items()]
    found = [item for scope, value in wanted for item in _required(text, filter(None, value.splitlines()), scope, 0)]
    return Manifest(
        "python",
        name=text_of(meta.get("name")),
        description=text_of(meta.get("description")),
        licence=text_of(meta.get("license")),
        dependencies=limited(found),
        entry_points=tuple(
            EntryPoint(name.strip(), target.strip(), "command" if group == "console_scripts" else group)
            for group, value in points.items()
            for name, equals, target in (line.partition("=") for line in value.splitlines())
            if equals
        ),
    )


def parse_pipfile(text: Text) -> Manifest:
    """`Pipfile`. Raises ValueError where it is not TOML."""
    document = tomllib.loads(text.content)
    found = [
        *_pinned(text, table(document.get("packages")), "runtime", "[packages]"),
        *_pinned(text, table(document.get("dev-packages")), "dev", "[dev-packages]"),
    ]
    return Manifest("python", dependencies=limited(found))
