"""Python: `pyproject.toml` (PEP 621, 735, Poetry, PDM, uv), requirements, `setup.cfg`, `setup.py`, `Pipfile`."""

import configparser
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

from processor.manifests.model import (
    Dependency,
    EntryPoint,
    Format,
    Manifest,
    Text,
    limited,
    scope_of_group,
    table,
    text_of,
    texts,
)
from processor.manifests.tokens import HASH, argument, calls, tokens
from processor.manifests.toml import Toml

_PLAIN = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?)\s*(?:\[[^\]]{0,200}\])?\s*([^;#]{0,300})")
_OPTION = re.compile(r"\s+--[a-z-]+(?:=|\s).*|\s*\\\s*$|\s+#.*")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s+|=)(\S{1,500})")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(.+)")
_FILES = "file:"  # setuptools reads what is wanted from files
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]{1,200})")


def requirement(written: str) -> tuple[str, str]:
    """Name and constraint of a requirement (PEP 508); where it is none, as much as can be read."""
    try:
        found = Requirement(written[:2_000])
    except (InvalidRequirement, RecursionError):
        plain = _PLAIN.match(written.strip())
        return (plain[1], plain[2].strip(" \\")) if plain is not None else ("", "")
    return found.name, found.url or str(found.specifier)


def parse_pyproject(text: Text) -> Manifest:
    """`pyproject.toml`. Raises ValueError where it is not TOML."""
    toml = Toml(text)
    project, poetry = toml.table("project"), toml.table("tool", "poetry")
    licence = project.get("license") or poetry.get("license")
    return Manifest(
        "python",
        name=text_of(project.get("name") or poetry.get("name")),
        description=text_of(project.get("description") or poetry.get("description")),
        licence=text_of(table(licence).get("text") if isinstance(licence, Mapping) else licence),
        dependencies=limited([*_project(toml), *_poetry(toml), *_tools(toml)]),
        entry_points=tuple(_scripts(project, poetry)),
    )


def _project(toml: Toml) -> Iterator[Dependency]:
    yield from _listed(toml, "build", "", "build-system", "requires")
    yield from _listed(toml, "runtime", "", "project", "dependencies")
    for extra in toml.table("project", "optional-dependencies"):
        yield from _listed(toml, "optional", extra, "project", "optional-dependencies", extra)
    for group in toml.table("dependency-groups"):
        yield from _listed(toml, scope_of_group(group), group, "dependency-groups", group)


def _tools(toml: Toml) -> Iterator[Dependency]:
    for group in toml.table("tool", "pdm", "dev-dependencies"):
        yield from _listed(toml, scope_of_group(group), group, "tool", "pdm", "dev-dependencies", group)
    yield from _listed(toml, "dev", "dev", "tool", "uv", "dev-dependencies")
    yield from _listed(toml, "constraint", "", "tool", "uv", "constraint-dependencies")
    yield from _listed(toml, "constraint", "", "tool", "uv", "override-dependencies")
    for name in toml.table("tool", "hatch", "envs"):
        yield from _listed(toml, scope_of_group(name), name, "tool", "hatch", "envs", name, "dependencies")


def _listed(toml: Toml, scope: str, group: str, *path: str) -> Iterator[Dependency]:
    for written in texts(toml.table(*path[:-1]).get(path[-1])):
        name, constraint = requirement(written)
        if name:
            yield Dependency(name, constraint, scope, toml.item_line(written, *path), group=group)


def _poetry(toml: Toml) -> Iterator[Dependency]:
    yield from _pinned(toml, "runtime", "", "tool", "poetry", "dependencies")
    yield from _pinned(toml, "dev", "dev", "tool", "poetry", "dev-dependencies")
    for name in toml.table("tool", "poetry", "group"):
        yield from _pinned(toml, scope_of_group(name), name, "tool", "poetry", "group", name, "dependencies")


def _pinned(toml: Toml, scope: str, group: str, *path: str) -> Iterator[Dependency]:
    for name, wanted in toml.table(*path).items():
        if name.lower() == "python":
            continue
        line = toml.line(*path, name)
        for one in wanted if isinstance(wanted, list) and wanted else [wanted]:  # one each for a marker or a platform
            entry = table(one)
            said = entry.get("version") or entry.get("git") or entry.get("path") or entry.get("url") or one
            is_optional = scope == "runtime" and entry.get("optional") is True
            yield Dependency(name, text_of(said), "optional" if is_optional else scope, line, group=group)


def _scripts(project: Mapping[str, object], poetry: Mapping[str, object]) -> Iterator[EntryPoint]:
    for scripts in (project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts")):
        for name, target in table(scripts).items():
            yield EntryPoint(name, text_of(target))
    for group, points in table(project.get("entry-points")).items():
        for name, target in table(points).items():
            yield EntryPoint(name, text_of(target), kind=group)


_VIA = re.compile(r"\s+# +(via\b)?\s*(.*?)\s*")
_ASKED = re.compile(r"[( ]|^-[rc]|\.(?:in|txt|toml|cfg|py)\b")  # a file, or a project with its file in brackets


def parse_requirements(text: Text) -> Manifest:
    """Requirements files: one requirement a line. What they include with -r and -c is named, not followed here.

    In a list that pip-compile or uv wrote, comments say for which others something is there.
    """
    found, includes = list[Dependency](), list[tuple[str, str]]()
    reasons: dict[int, list[str]] = {}
    for number, line in enumerate(text.lines, 1):
        bare = _OPTION.sub("", line[:2_000].strip()).strip()
        reason = _VIA.fullmatch(line[:2_000])
        if found and reason is not None and (reason[1] or len(found) - 1 in reasons):
            reasons.setdefault(len(found) - 1, []).extend(filter(None, reason[2].split(", ")))
        if (include := _INCLUDE.match(bare)) is not None:
            includes.append((include[2], "constraint" if "c" in include[1].lstrip("-")[:1] else ""))
            continue
        editable = _EDITABLE.match(bare)
        written = editable[1].strip() if editable is not None else bare
        if not written or written[0] in "#-":
            continue
        name, constraint = _address(written) if _is_address(written) else requirement(written)
        if name:
            found.append(Dependency(name, constraint, "runtime", number))
    for place, named in reasons.items():
        if named and not any(_ASKED.search(reason) for reason in named):
            found[place] = replace(found[place], scope="transitive")
    return Manifest("python", dependencies=limited(found), includes=tuple(includes[:100]))


def _is_address(written: str) -> bool:
    return " @ " not in written and ("://" in written or written.startswith((".", "/")))


def _address(written: str) -> tuple[str, str]:
    """The name in an address: what it says itself, else its last part."""
    egg = _EGG.search(written)
    path = written.partition("#")[0].partition("?")[0].rstrip("/")
    name = egg[1] if egg is not None else PurePosixPath(path).name.partition("@")[0].removesuffix(".git")
    return name if name.strip(".") else "", written


def parse_setup_cfg(text: Text) -> Manifest:
    """`setup.cfg`. Raises ValueError where it cannot be read."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(text.content)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    meta, options = _section(config, "metadata"), _section(config, "options")
    extras, points = _section(config, "options.extras_require"), _section(config, "options.entry_points")
    return Manifest(
        "python",
        name=text_of(meta.get("name")),
        description=text_of(meta.get("description")),
        licence=text_of(meta.get("license")),
        dependencies=limited(_configured(text, options, extras)),
        includes=tuple(islice(_listed_elsewhere(options, extras), 100)),
        entry_points=tuple(
            EntryPoint(name.strip(), target.strip(), "command" if group == "console_scripts" else group)
            for group, value in points.items()
            for name, equals, target in (line.partition("=") for line in value.splitlines())
            if equals
        ),
    )


def _configured(text: Text, options: Mapping[str, str], extras: Mapping[str, str]) -> Iterator[Dependency]:
    yield from _lines(text, options.get("install_requires", ""), "runtime", "", "install_requires")
    yield from _lines(text, options.get("setup_requires", ""), "build", "", "setup_requires")
    yield from _lines(text, options.get("tests_require", ""), "test", "", "tests_require")
    for name, value in extras.items():
        yield from _lines(text, value, "optional", name, name)


def _listed_elsewhere(options: Mapping[str, str], extras: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files that setuptools is told to read requirements from, with their scopes."""
    groups = ((options.get(key, ""), scope) for key, scope in _KEYWORDS.items())
    for value, scope in (*groups, *((value, "optional") for value in extras.values())):
        if value.strip().startswith(_FILES):
            for path in re.split(r"[\n,]", value.strip().removeprefix(_FILES)):
                if path.strip():
                    yield path.strip(), "" if scope == "runtime" else scope


def _section(config: configparser.ConfigParser, name: str) -> dict[str, str]:
    return {key: value or "" for key, value in config[name].items()} if config.has_section(name) else {}


def _lines(text: Text, value: str, scope: str, group: str, key: str) -> Iterator[Dependency]:
    if value.strip().startswith(_FILES):
        return
    line = max(1, text.find(key))
    for written in filter(None, (part.strip() for part in re.split(r"[\n;]" if ";" not in value else r"\n", value))):
        name, constraint = requirement(written)
        if name:
            line = text.find(written, from_line=line) or line
            yield Dependency(name, constraint, scope, line, group=group)


_KEYWORDS = {"install_requires": "runtime", "setup_requires": "build", "tests_require": "test"}


def parse_setup_py(text: Text) -> Manifest:
    """`setup.py`, read and never run: the lists that are written out in it."""
    found = []
    name = description = licence = ""
    for call in calls(tokens(text, HASH)):
        if call.name.rpartition(".")[2] == "setup":
            name, description, licence = (argument(call.inside, key) for key in ("name", "description", "license"))
        scope = _KEYWORDS.get(call.name) or ("optional" if "extras_require" in call.around else "")
        for token in call.inside if scope and call.name != "extras_require" else ():
            wanted, constraint = requirement(token.value) if token.kind == "text" else ("", "")
            if wanted:
                found.append(Dependency(wanted, constraint, scope, token.line))
    return Manifest(
        "python", name=text_of(name), description=text_of(description), licence=licence, dependencies=limited(found)
    )


def parse_pipfile(text: Text) -> Manifest:
    """`Pipfile`. Raises ValueError where it is not TOML."""
    toml = Toml(text)
    groups = [name for name in toml.document if name not in {"source", "requires", "scripts", "pipenv", "packages"}]
    found: list[Iterable[Dependency]] = [_pinned(toml, "runtime", "", "packages")]
    found += [_pinned(toml, "dev" if name == "dev-packages" else scope_of_group(name), "", name) for name in groups]
    scripts = toml.table("scripts").items()
    return Manifest(
        "python",
        dependencies=limited(item for part in found for item in part),
        entry_points=tuple(EntryPoint(name, text_of(line), "script") for name, line in scripts),
    )


FORMATS = (
    Format(r"pyproject\.toml", parse_pyproject),
    Format(r"[\w.-]*(?:requirements|constraints)[\w.-]*\.(?:txt|in)", parse_requirements),
    Format(r".+\.(?:txt|in)", parse_requirements, folder=r"(?:.*/)?requirements"),
    Format(r"setup\.cfg", parse_setup_cfg),
    Format(r"setup\.py", parse_setup_py),
    Format(r"pipfile", parse_pipfile),
)
