"""Put together what the manifests and lock files of a repository say of its dependencies.

In:  the manifests with their paths.
Out: one row for each mention, each scope known, with the version that a lock file chose where one did.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import NamedTuple

from events.artifacts import DependencyRow
from processor.manifests.model import Dependency, Manifest, scope_of_group
from runtime.folders import documents_in, examples_in, is_aside, is_of_tests

_MOST_ROWS = 100_000
_RUNS = re.compile(r"[-_.]+")
_WORKSPACE, _CARGO = "workspace", "Cargo"
_INHERITED = frozenset(("", _WORKSPACE))
_NPM = re.compile(r"npm:((?:@[^@/]{1,100}/)?[^@/]{1,200})(?:@.{0,200})?")
_MAVEN = {"test": "test", "provided": "build"}
_CATALOG, _DEFAULT_CATALOG = "catalog:", "default"
_COMMON = frozenset(("", "base", "common", "core", "all", "main", "prod", "production"))
_VARIABLE = re.compile(r"\$(?:[{(]([\w.-]{1,100})[)}]|([A-Za-z_]\w{0,99}))")
_OWNER = re.compile(r"(?:(?:rootProject|project|ext|extra)\.)+")
_REQUIREMENTS = re.compile(r"(?:requirements|constraints)", re.IGNORECASE)
_SHARED_FOLDER = "gradle"  # where version catalogs are, for the folder above


class Read(NamedTuple):
    """One manifest that could be read."""

    path: str
    manifest: Manifest
    is_lock: bool


class _Name(NamedTuple):
    folder: str
    ecosystem: str
    name: str


def list_dependencies(read: Sequence[Read]) -> list[DependencyRow]:
    """The rows, manifests before lock files, each in the order of its file. Pure."""
    aliases = _aliases(read)
    rescoped, variables, only_examples = _included(read), _variables(read), _has_only_examples(read)
    resolved = (
        (one, found)
        for one in read
        if not one.is_lock
        for item in one.manifest.dependencies
        for found in _resolved(item, aliases)
    )
    asked = [
        (
            one.path,
            one.manifest.ecosystem,
            _scoped(
                one.path,
                _filled(one, found, variables),
                one.manifest.ecosystem,
                rescoped.get(one.path, ""),
                only_examples=only_examples,
            ),
        )
        for one, found in islice(resolved, _MOST_ROWS)
    ]
    managed = _by_name((path, ecosystem, found) for path, ecosystem, found in asked if found.scope == "managed")
    scopes = _by_name((path, ecosystem, found) for path, ecosystem, found in asked if found.scope != "managed")
    locked = [
        (one.path, one.manifest.ecosystem, found) for one in read if one.is_lock for found in one.manifest.dependencies
    ]
    chosen = _by_name(locked)
    rows = [
        _row(path, ecosystem, _versioned(path, ecosystem, found, managed, chosen)) for path, ecosystem, found in asked
    ]
    below = _below(scopes)
    rows += [
        _row(path, ecosystem, _told(path, ecosystem, found, below), locked=True) for path, ecosystem, found in locked
    ]
    return rows[:_MOST_ROWS]


def normal(ecosystem: str, name: str) -> str:
    """The form in which two spellings of one name are the same (PEP 503 for Python)."""
    return _RUNS.sub("-", name).lower() if ecosystem == "python" else name.lower()


def _row(path: str, ecosystem: str, found: Dependency, *, locked: bool = False) -> DependencyRow:
    return DependencyRow(
        ecosystem=ecosystem,
        name=found.name,
        constraint=found.constraint,
        version=found.version,
        scope=found.scope,
        group=found.group,
        path=path,
        line=found.line,
        locked=locked,
    )


def _aliases(read: Sequence[Read]) -> dict[str, list[Dependency]]:
    """Short names with what their catalog means: `libs.okhttp` of `libs.versions.toml`; a bundle means several."""
    known: dict[str, list[Dependency]] = {}
    for one in read:
        catalog = PurePosixPath(one.path).name.partition(".")[0]
        meant: defaultdict[str, list[Dependency]] = defaultdict(list)
        for alias, found in one.manifest.aliases:
            meant[f"{catalog}.{alias}"].append(found)
        for alias, dependencies in meant.items():
            known.setdefault(alias, dependencies)
    return known


def _resolved(found: Dependency, aliases: Mapping[str, Sequence[Dependency]]) -> Iterator[Dependency]:
    meant = aliases.get(found.name) or [found]
    if found.constraint == _WORKSPACE:  # a crate that the workspace calls by another name
        meant = aliases.get(f"{_CARGO}.{found.name}") or [found]
    return (replace(found, name=one.name, constraint=one.constraint) for one in meant)


def _included(read: Sequence[Read]) -> dict[str, str]:
    """The scopes of files that others include, where including says one (`-c` of requirements)."""
    scopes: dict[str, str] = {}
    for one in read:
        for written, scope in one.manifest.includes:
            if scope:
                scopes[_joined(one.path, written)] = scope
    return scopes


def _joined(path: str, written: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(written).parts):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"..", "."}:
            parts.append(part)
    return "/".join(parts)


def _has_only_examples(read: Sequence[Read]) -> bool:
    """Whether nothing but what stands aside says what it needs: then the examples are the repository."""
    asking = (one for one in read if not one.is_lock and one.manifest.dependencies)
    return all(is_aside(str(PurePosixPath(one.path).parent)) for one in asking)


def _scoped(path: str, found: Dependency, ecosystem: str, included: str, *, only_examples: bool) -> Dependency:
    """The scope as the file's name and folder say it, for files whose lines do not."""
    if found.scope != "runtime":
        return found
    pure = PurePosixPath(path)
    if included or pure.name.lower().startswith("constraints"):
        return replace(found, scope=included or "constraint")
    is_list = ecosystem == "python" and pure.suffix in {".txt", ".in"}
    words = _REQUIREMENTS.sub(" ", pure.stem).strip("-_. ") if is_list else ""
    group = "" if words in _COMMON else words
    folder = str(pure.parent)
    if is_of_tests(folder):
        return replace(found, scope="test", group=found.group or group)
    if aside := documents_in(folder) or ("" if only_examples else examples_in(folder)):
        return replace(found, scope="dev", group=found.group or group or aside)
    return replace(found, scope=scope_of_group(group), group=found.group or group)


def _filled(one: Read, found: Dependency, variables: Mapping[tuple[str, str], Mapping[str, str]]) -> Dependency:
    """With the texts that manifests in the folders above set for those below."""
    if "$" not in found.constraint:
        return found
    known = [variables.get((folder, one.manifest.ecosystem), {}) for folder in _above(one.path)]

    def put(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        names = (name, _OWNER.sub("", name, count=1))
        return next((here[one] for one in names for here in known if one in here), match[0])

    return replace(found, constraint=_VARIABLE.sub(put, found.constraint)[:200])


def _variables(read: Sequence[Read]) -> dict[tuple[str, str], dict[str, str]]:
    known: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for one in read:
        here = known[str(_folder_of(one.path)), one.manifest.ecosystem]
        for name, value in one.manifest.variables:
            here.setdefault(name, value)
    return known


def _by_name(found: Iterable[tuple[str, str, Dependency]]) -> dict[_Name, list[Dependency]]:
    named: dict[_Name, list[Dependency]] = defaultdict(list)
    for path, ecosystem, one in found:
        named[_Name(str(_folder_of(path)), ecosystem, _locked_as(ecosystem, one))].append(one)
    return named


def _locked_as(ecosystem: str, found: Dependency) -> str:
    """What a lock file calls it: by its own name, where JavaScript's code has another one for it (`npm:name@1`)."""
    real = _NPM.fullmatch(found.constraint) if ecosystem == "javascript" else None
    return normal(ecosystem, real[1] if real is not None else found.name)


def _folder_of(path: str) -> PurePosixPath:
    """For which folder, and those below it, a manifest speaks."""
    folder = PurePosixPath(path).parent
    return folder.parent if folder.name == _SHARED_FOLDER else folder


def _above(path: str) -> Iterator[str]:
    yield from map(str, PurePosixPath(path).parents)


def _versioned(
    path: str,
    ecosystem: str,
    found: Dependency,
    managed: Mapping[_Name, list[Dependency]],
    chosen: Mapping[_Name, list[Dependency]],
) -> Dependency:
    """With the constraint that is set for all, and the version that the nearest lock file chose."""
    name = _locked_as(ecosystem, found)
    catalog = found.constraint.partition(":")[2] if found.constraint.startswith(_CATALOG) else None
    if (found.constraint in _INHERITED or catalog is not None) and found.scope != "managed":
        known = (managed.get(_Name(folder, ecosystem, name), ()) for folder in _above(path))
        shared = next((one for some in known for one in some if _is_meant(one, catalog)), None)
        found = _managed_by(shared, found, ecosystem) if shared is not None else found
    if found.version or found.scope == "managed":
        return found
    locked = _nearest(chosen, path, ecosystem, name)
    versions = {one.version for one in locked if one.scope != "transitive"} or {one.version for one in locked}
    return replace(found, version=versions.pop()) if len(versions) == 1 else found


def _managed_by(shared: Dependency, found: Dependency, ecosystem: str) -> Dependency:
    """With the constraint, and in Maven the scope, too, that a parent has for all that say none."""
    scope = _MAVEN.get(shared.group) if ecosystem == "java" and found.scope == "runtime" else None
    if scope is None:
        return replace(found, constraint=shared.constraint)
    group = found.group or (shared.group if scope != shared.group else "")
    return replace(found, constraint=shared.constraint, scope=scope, group=group)


def _is_meant(shared: Dependency, catalog: str | None) -> bool:
    """Whether a shared constraint is of the catalog that is named, where one is (`catalog:next` of pnpm)."""
    return catalog is None or (shared.group or _DEFAULT_CATALOG) == (catalog.strip() or _DEFAULT_CATALOG)


def _nearest(known: Mapping[_Name, list[Dependency]], path: str, ecosystem: str, name: str) -> Sequence[Dependency]:
    return next((some for folder in _above(path) if (some := known.get(_Name(folder, ecosystem, name)))), ())


def _below(scopes: Mapping[_Name, list[Dependency]]) -> dict[_Name, str]:
    """What is asked for in a folder or below it, with its scope: `runtime` where any asks for it so."""
    below: dict[_Name, str] = {}
    for (folder, ecosystem, name), some in scopes.items():
        for above in (folder, *_above(folder)):
            for one in some:
                key = _Name(above, ecosystem, name)
                if one.scope == "runtime":
                    below[key] = one.scope
                elif one.scope != "transitive":
                    below.setdefault(key, one.scope)
    return below


def _told(path: str, ecosystem: str, found: Dependency, below: Mapping[_Name, str]) -> Dependency:
    """A lock file's entry with the scope that a manifest gives it; `transitive` where none asks for it."""
    if found.scope:
        return found
    folder = str(PurePosixPath(path).parent)
    asked = below.get(_Name(folder, ecosystem, normal(ecosystem, found.name)))
    return replace(found, scope=asked or "transitive")
