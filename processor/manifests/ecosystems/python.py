"""Python: `pyproject.toml` (PEP 621, 735, Poetry, PDM, uv), requirements, `Pipfile`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

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
from processor.manifests.toml import Toml

_PLAIN = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?)\s*(?:\[[^\]]{0,200}\])?\s*([^;#]{0,300})")
_OPTION = re.compile(r"\s+--[a-z-]+(?:=|\s).*|\s*\\\s*$|\s+#.*")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s+|=)(\S{1,500})")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(.+)")
_EXTRAS = re.compile(r"\[[^\]]{0,200}\]$")
_PLACES = ("git", "url", "path")
_NAMED = re.compile(r"[A-Za-z0-9][\w.-]{0,199}\s{0,9}(?:\[[^\]]{0,200}\])?\s{0,9}@\s{0,9}[a-z][a-z0-9+.-]{0,30}:")
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
        dependencies=limited(_sourced(toml, [*_project(toml), *_poetry(toml), *_tools(toml)])),
        entry_points=(*_scripts(project, poetry), *_tasks(toml.table("tool", "pdm", "scripts"))),
    )


def _sourced(toml: Toml, found: Iterable[Dependency]) -> Iterator[Dependency]:
    """With where uv takes it from, for those that no version is asked of."""
    sources = {canonicalize_name(name): source for name, source in toml.table("tool", "uv", "sources").items()}
    for one in found:
        said = sources.get(canonicalize_name(one.name))
        source = table(said[0] if isinstance(said, list) and said else said)
        where = next((where for key in _PLACES if (where := text_of(source.get(key)))), "")
        where = where or ("workspace" if source.get("workspace") is True else "")
        yield one if one.constraint or not where else replace(one, constraint=where)


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
    for key in ("constraint-dependencies", "build-constraint-dependencies", "override-dependencies"):
        yield from _listed(toml, "constraint", "", "tool", "uv", key)
    for name in toml.table("tool", "hatch", "envs"):
        for key in ("dependencies", "extra-dependencies"):
            yield from _listed(toml, scope_of_group(name), name, "tool", "hatch", "envs", name, key)


def _listed(toml: Toml, scope: str, group: str, *path: str) -> Iterator[Dependency]:
    for written in texts(toml.table(*path[:-1]).get(path[-1])):
        name, constraint = _asked(written)
        if name:
            yield Dependency(name, constraint, scope, toml.item_line(written, *path), group=group)


def _poetry(toml: Toml) -> Iterator[Dependency]:
    extras: dict[str, list[str]] = {}
    for extra, listed in toml.table("tool", "poetry", "extras").items():
        for name in texts(listed):
            extras.setdefault(name, []).append(extra)
    for one in _pinned(toml, "runtime", "", "tool", "poetry", "dependencies"):
        yield replace(one, group="+".join(extras.get(one.name, ()))) if one.scope == "optional" else one
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


def _tasks(scripts: Mapping[str, object]) -> Iterator[EntryPoint]:
    """Command lines with names; they are a text, or stand in a table under what runs them."""
    for name, said in scripts.items():
        entry = table(said)
        listed = (text_of(part) for part in (said, entry.get("cmd"), entry.get("shell"), entry.get("call")))
        if target := next(filter(None, listed), " ".join(texts(entry.get("cmd")))):
            yield EntryPoint(name, target, "script")


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
        name, constraint = _asked(bare)
        if name:
            found.append(Dependency(name, constraint, "runtime", number))
    for place, named in reasons.items():
        if named and not any(_ASKED.search(reason) for reason in named):
            found[place] = replace(found[place], scope="transitive")
    return Manifest("python", dependencies=limited(found), includes=tuple(includes[:100]))


def _asked(written: str) -> tuple[str, str]:
    """Name and constraint of what a list asks for; no name where it is an option or a comment."""
    editable = _EDITABLE.match(written)
    wanted = editable[1].strip() if editable is not None else written.strip()
    if not wanted or wanted[0] in "#-":
        return "", ""
    return _address(wanted) if _is_address(wanted) else requirement(wanted)


def _is_address(written: str) -> bool:
    return not _NAMED.match(written) and ("://" in written or written.startswith((".", "/")))


def _address(written: str) -> tuple[str, str]:
    """The name in an address: what it says itself, else its last part."""
    egg = _EGG.search(written)
    path = _EXTRAS.sub("", written.partition("#")[0].partition("?")[0]).rstrip("/")
    name = egg[1] if egg is not None else PurePosixPath(path).name.partition("@")[0].removesuffix(".git")
    return name if name.strip(".") else "", written


def parse_pipfile(text: Text) -> Manifest:
    """`Pipfile`. Raises ValueError where it is not TOML."""
    toml = Toml(text)
    groups = [name for name in toml.document if name not in {"source", "requires", "scripts", "pipenv", "packages"}]
    found: list[Iterable[Dependency]] = [_pinned(toml, "runtime", "", "packages")]
    found += [
        _pinned(toml, "dev", "", name) if name == "dev-packages" else _pinned(toml, scope_of_group(name), name, name)
        for name in groups
    ]
    return Manifest(
        "python",
        dependencies=limited(item for part in found for item in part),
        entry_points=tuple(_tasks(toml.table("scripts"))),
    )


FORMATS = (
    Format(r"pyproject\.toml", parse_pyproject),
    Format(r"[\w.-]*(?:requirements|constraints)[\w.-]*\.(?:txt|in)", parse_requirements),
    Format(r".+\.(?:txt|in)", parse_requirements, folder=r"(?:.*/)?requirements"),
    Format(r"pipfile", parse_pipfile),
)
