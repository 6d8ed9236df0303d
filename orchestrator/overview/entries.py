"""Where a repository is entered: what its manifests name, and definitions called main.

In:  `Facts`.
Out: entry points with the line of the manifest and, where it is known, the definition that is meant.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.overview.facts import Definition, Facts

_MOST = 12
_SCRIPT = "script"  # tasks of a manifest: they are told as commands
_TARGET = re.compile(r"([\w.]+):([\w.]+)")
Place = tuple[str, int, int]


@dataclass(frozen=True)
class Entry:
    """One entry point; `said` is where a manifest names it, `defined` the definition."""

    kind: str
    name: str
    target: str
    said: Place | None = None
    defined: Place | None = None


def entries_of(facts: Facts) -> tuple[Entry, ...]:
    """What manifests name first, then definitions called main. Pure."""
    named = list(_named(facts))
    known = {one.defined for one in named}
    mains = [Entry("function", one.name, "", None, place) for one in facts.mains if (place := _place(one)) not in known]
    return (*named, *mains)[:_MOST]


def _named(facts: Facts) -> Iterator[Entry]:
    points = facts.metadata.get("entry_points")
    for point in points if isinstance(points, list | tuple) else ():
        if not isinstance(point, Mapping) or point.get("kind") == _SCRIPT:
            continue
        name, target, path = (str(point.get(key) or "") for key in ("name", "target", "path"))
        if name or target:
            kind = str(point.get("kind") or "command")
            yield Entry(kind, name or target, target, _said(facts, path, name, target), _defined(facts, target))


def _said(facts: Facts, path: str, name: str, target: str) -> Place | None:
    """The line of the manifest with both, or with the target."""
    lines = facts.texts.get(path, "").split("\n")
    both = [number for number, line in enumerate(lines, 1) if target and target in line]
    exact = [number for number in both if name in lines[number - 1]]
    found = (exact or both)[:1]
    return (path, found[0], found[0]) if found else None


def _defined(facts: Facts, target: str) -> Place | None:
    """The definition that `package.module:function` means, where it is among those that are known."""
    match = _TARGET.fullmatch(target)
    if match is None:
        return None
    endings = (f"{match[1].replace('.', '/')}.py", f"{match[1].replace('.', '/')}/__init__.py")
    for one in (*facts.mains, *facts.definitions):
        fits = any(one.path == ending or one.path.endswith(f"/{ending}") for ending in endings)
        if fits and (one.name == match[2] or one.name.endswith(f".{match[2]}")):
            return _place(one)
    return None


def _place(one: Definition) -> Place:
    return one.path, one.first_line, one.last_line
