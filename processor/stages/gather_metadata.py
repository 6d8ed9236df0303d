"""Gather what a repository says about itself: README, licence, dependencies, entry points, CI, containers.

In:  what `choose_files` says of the tree, then the `sources` rows of the files that it wants, and the `locks`.
Out: `metadata_extracted` of `processing.stage.completed`, and the rows of the `dependencies` artifact.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from events.artifacts import DependencyRow, SourceRow
from processor.manifests.model import Manifest
from processor.manifests.registry import NotRead, format_of, is_lock, read_manifest
from processor.stages.choose_files import Chosen
from processor.stages.fit import fit
from processor.stages.list_dependencies import Read, list_dependencies, normal
from processor.stages.read_readme import read_readme
from processor.stages.recognise_licence import recognise_licence

_MOST_LISTED = 200

ReadOne = Callable[[str, str], Manifest]

_LEFT_OUT = "a lock file larger than is read of one, or one more than are read of all"
_NO_PROJECT = frozenset(("docker", "github-actions"))  # their names are those of workflows and services
_LATER = re.compile(r"(?:-only|-or-later|\+)$")  # which versions of a GNU licence: its text is the same
_OPERATOR = re.compile(r"\s+(?:OR|AND)\s+|\s*/\s*")


@dataclass(frozen=True)
class Gathered:
    """The facts, small enough for an event, and all dependencies."""

    facts: dict[str, object]
    dependencies: list[DependencyRow]


def gather_metadata(
    chosen: Chosen,
    sources: Iterable[SourceRow],
    look: Callable[[str], None] = lambda _: None,
    read_one: ReadOne = read_manifest,
) -> Gathered:
    """Pure: the same files, the same facts; nothing is executed or fetched.

    `look` is told each manifest before it is read, and may raise to stop. `read_one` reads one as `read_manifest` does.
    """
    texts = {row.path: row for row in sources}
    read, unreadable = _manifests(texts, look, read_one)
    asking = [one for one in read if not one.is_lock]
    unreadable += [{"path": path, "reason": _LEFT_OUT} for path in chosen.locks if path not in texts and is_lock(path)]
    rows = list_dependencies(read)
    main = _main(asking)
    facts: dict[str, object] = {
        **_readme(texts.get(chosen.readme or "")),
        "name": main.manifest.name if main else "",
        "description": main.manifest.description if main else "",
        "licence": _licence(chosen.licences, texts, asking),
        **_counts(rows),
        "dependencies": [row.model_dump(exclude={"version", "locked"}) for row in rows if _is_direct(row)],
        "manifests": [one.path for one in asking],
        "unreadable_manifests": unreadable,
        "manifests_left_out": chosen.manifests_left_out,
        "lock_files": chosen.locks,
        "locks_read": [one.path for one in read if one.is_lock],
        "entry_points": [
            {"name": point.name, "target": point.target, "kind": point.kind, "path": one.path}
            for one in asking
            for point in one.manifest.entry_points
        ],
        "ci": chosen.ci,
        "containers": chosen.containers,
        "config_files": len(chosen.config),
        "config_paths": sorted(chosen.config, key=lambda path: (path.count("/"), path)),
    }
    return Gathered(fit(_capped(facts)), rows)


def _counts(rows: Sequence[DependencyRow]) -> dict[str, object]:
    """How many different ones are asked for, by ecosystem, and how many more these bring along."""
    direct = {(row.ecosystem, normal(row.ecosystem, row.name)) for row in rows if _is_direct(row)}
    all_names = {(row.ecosystem, normal(row.ecosystem, row.name)) for row in rows}
    return {
        "dependencies_found": len(direct),
        "transitive_found": len(all_names - direct),
        "ecosystems": dict(Counter(ecosystem for ecosystem, _ in direct).most_common()),
        "scopes": dict(Counter(row.scope for row in rows).most_common()),
    }


def _is_direct(row: DependencyRow) -> bool:
    return row.scope != "transitive" and not row.locked


def _capped(facts: Mapping[str, object]) -> dict[str, object]:
    """Long lists cut, and how long they were under `<name>_in_all`."""
    capped: dict[str, object] = {}
    for name, value in facts.items():
        capped[name] = value
        if isinstance(value, list) and len(value) > _MOST_LISTED:
            capped[name], capped[f"{name}_in_all"] = value[:_MOST_LISTED], len(value)
    return capped


def _manifests(
    texts: Mapping[str, SourceRow], look: Callable[[str], None], read_one: ReadOne
) -> tuple[list[Read], list[dict[str, str]]]:
    """The manifests that could be read, the upper ones first, and the paths of the others with the reason."""
    read: list[Read] = []
    unreadable: list[dict[str, str]] = []
    for path in sorted(texts, key=lambda path: (path.count("/"), path)):
        if format_of(path) is None:
            continue
        look(path)
        try:
            read.append(Read(path, read_one(path, texts[path].content), is_lock(path)))
        except NotRead as reason:
            unreadable.append({"path": path, "reason": str(reason)})
    return read, unreadable


def _main(asking: Sequence[Read]) -> Read | None:
    """The manifest that names the project: the uppermost one that says what it is, else the uppermost with a name."""
    named = [one for one in asking if one.manifest.name and one.manifest.ecosystem not in _NO_PROJECT]
    return next((one for one in named if one.manifest.description), named[0] if named else None)


def _readme(row: SourceRow | None) -> dict[str, object]:
    if row is None:
        return {"readme_found": False}
    readme = read_readme(row.content)
    return {
        "readme_found": True,
        "readme_path": row.path,
        "readme_title": readme.title,
        "readme_summary": readme.summary,
        "readme_sections": list(readme.sections),
    }


def _licence(licences: Sequence[str], texts: Mapping[str, SourceRow], asking: Sequence[Read]) -> dict[str, object]:
    """The licence by its text (SPDX identifier, confidence); else as a manifest names it; else the file's path.

    Of several (`texts`) a manifest says how they belong together, and of one what its text does not (`-or-later`).
    """
    files = [path for path in licences if path in texts]
    known = [(path, licence) for path in files if (licence := recognise_licence(texts[path].content)) is not None]
    declared = next((one for one in asking if one.manifest.licence), None)
    if known:
        written, identifiers = declared.manifest.licence if declared else "", {one.spdx for _, one in known}
        path, first = next(one for one in known if f"L{one[1].spdx}" not in identifiers)  # which adds to its terms
        said = [{"spdx": one.spdx, "confidence": one.confidence, "path": place} for place, one in known]
        expression = _expression(written, identifiers)
        exact = next((one for one in known if _same_licence(written, one[1].spdx)), None)
        if exact is not None:
            path, first = exact
        elif len(said) > 1 and not expression and "/" in path:
            return {"path": path, "files": files, "texts": said}
        spdx = expression or (written.strip() if exact is not None else first.spdx)
        found = {"spdx": spdx, "confidence": first.confidence, "path": path, "files": files}
        return {**found, "texts": said} if len(said) > 1 else found
    if declared is not None:
        return {"name": declared.manifest.licence, "path": declared.path, "files": files}
    return {"path": files[0], "files": files} if files else {}


def _same_licence(written: str, spdx: str) -> bool:
    """Whether a manifest names the licence that was recognised, whichever later versions it allows."""
    return _LATER.sub("", written.strip()) == _LATER.sub("", spdx)


def _expression(written: str, identifiers: set[str]) -> str:
    """What a manifest says of several licences, as an SPDX expression; Cargo once parted them by strokes."""
    parts = _OPERATOR.split(written.strip("() "))
    if len(identifiers) < 2 or len(parts) < 2 or not identifiers <= {part.strip("() ") for part in parts}:
        return ""
    return " OR ".join(part.strip() for part in written.split("/"))
