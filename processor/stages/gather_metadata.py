"""Gather what a repository says about itself: README, licence, dependencies, entry points, CI, containers.

In:  the rows of the `tree` artifact, then the `sources` rows of the files that `wanted_files` names.
Out: `metadata_extracted` of `processing.stage.completed`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from events.artifacts import SourceRow, TreeRow
from processor.manifests import compiled, javascript, jvm, python, scripting
from processor.manifests.model import Dependency, Manifest, Text
from processor.stages.fit import fit
from processor.stages.read_readme import read_readme
from processor.stages.recognise_licence import recognise_licence

_MOST_MANIFESTS = 300
_MOST_LICENCES = 10
_MOST_LISTED = 200

_PARSERS: tuple[tuple[re.Pattern[str], Callable[[Text], Manifest]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), parse)
    for pattern, parse in (
        (r"pyproject\.toml", python.parse_pyproject),
        (r"(?:requirements|constraints)[\w.-]*\.(?:txt|in)", python.parse_requirements),
        (r"setup\.cfg", python.parse_setup_cfg),
        (r"pipfile", python.parse_pipfile),
        (r"package\.json", javascript.parse_package_json),
        (r"go\.mod", compiled.parse_go_mod),
        (r"cargo\.toml", compiled.parse_cargo),
        (r"cmakelists\.txt", compiled.parse_cmake),
        (r"vcpkg\.json", compiled.parse_vcpkg),
        (r"conanfile\.txt", compiled.parse_conanfile),
        (r"pom\.xml", jvm.parse_pom),
        (r"[\w.-]+\.gradle(?:\.kts)?", jvm.parse_gradle),
        (r"libs\.versions\.toml", jvm.parse_version_catalog),
        (r"[\w.-]+\.(?:cs|fs|vb)proj|directory\.(?:packages|build)\.props", jvm.parse_dotnet),
        (r"gemfile", scripting.parse_gemfile),
        (r"[\w.-]+\.gemspec", scripting.parse_gemspec),
        (r"composer\.json", scripting.parse_composer),
    )
)
_README = re.compile(r"readme(?:\.(?:md|markdown|mdown|rst|txt|adoc))?", re.IGNORECASE)
_README_FOLDERS = ("", ".github", "docs", "doc")
_README_ORDER = (".md", ".markdown", ".mdown", ".rst", ".adoc", ".txt", "")
_LICENCE = re.compile(r"(?:licen[cs]e|copying|unlicense)(?:[.-][\w.-]{1,40})?", re.IGNORECASE)
_CI = (
    (r"\.github/workflows/[^/]+\.ya?ml", "GitHub Actions"),
    (r"\.gitlab-ci\.ya?ml", "GitLab CI"),
    (r"\.circleci/config\.ya?ml", "CircleCI"),
    (r"\.travis\.ya?ml", "Travis CI"),
    (r"azure-pipelines[\w.-]*\.ya?ml", "Azure Pipelines"),
    (r"appveyor\.ya?ml|\.appveyor\.ya?ml", "AppVeyor"),
    (r"jenkinsfile", "Jenkins"),
    (r"bitbucket-pipelines\.ya?ml", "Bitbucket Pipelines"),
    (r"\.drone\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml", "Drone or Woodpecker"),
    (r"\.cirrus\.ya?ml", "Cirrus CI"),
    (r"\.buildkite/[^/]+\.ya?ml", "Buildkite"),
    (r"tox\.ini|noxfile\.py", "tox or nox"),
)
_CI_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in _CI)
_CONTAINER = re.compile(
    r"(?:.*/)?(?:(?:dockerfile|containerfile)(?:\.[\w.-]+)?|[\w.-]+\.dockerfile|(?:docker-)?compose[\w.-]*\.ya?ml"
    r"|chart\.yaml|kustomization\.ya?ml|devcontainer\.json|skaffold\.ya?ml)",
    re.IGNORECASE,
)


def wanted_files(tree: Sequence[TreeRow]) -> dict[int, list[str]]:
    """The paths to read, by the shard that has them: README, licences, manifests; the upper ones first."""
    readme = _readme_path(tree)
    manifests = [row for row in tree if row.skipped is None and _is_manifest(row)]
    chosen = {row.path: row for row in sorted(manifests, key=_by_depth)[:_MOST_MANIFESTS]}
    for row in _licences(tree):
        chosen[row.path] = row
    wanted: dict[int, list[str]] = {}
    for row in tree:
        if row.shard is not None and (row.path in chosen or row.path == readme):
            wanted.setdefault(row.shard, []).append(row.path)
    return wanted


def gather_metadata(tree: Sequence[TreeRow], sources: Iterable[SourceRow]) -> dict[str, object]:
    """The facts, small enough for an event. Pure: the same files, the same facts; nothing is executed or fetched."""
    texts = {row.path: row for row in sources}
    parsed, unreadable = _manifests(texts)
    main = _main(parsed)
    dependencies = [_listed(path, manifest, found) for path, manifest in parsed for found in manifest.dependencies]
    distinct = {(item["ecosystem"], str(item["name"]).lower()) for item in dependencies}
    config = [row.path for row in tree if row.file_class == "config" and row.skipped is None]
    facts: dict[str, object] = {
        **_readme(texts.get(_readme_path(tree) or "")),
        "name": main.name if main else "",
        "description": main.description if main else "",
        "licence": _licence(tree, texts, parsed),
        "dependencies_found": len(distinct),
        "ecosystems": dict(Counter(str(ecosystem) for ecosystem, _ in distinct).most_common()),
        "dependencies": dependencies,
        "manifests": [path for path, _ in parsed],
        "unreadable_manifests": unreadable,
        "lock_files": [row.path for row in tree if row.skipped == "lock_file"],
        "entry_points": [
            {"name": point.name, "target": point.target, "kind": point.kind, "path": path}
            for path, manifest in parsed
            for point in manifest.entry_points
        ],
        "ci": [found for row in tree if (found := _ci(row.path)) is not None],
        "containers": [row.path for row in tree if row.skipped is None and _CONTAINER.fullmatch(row.path)],
        "config_files": len(config),
        "config_paths": sorted(config, key=lambda path: (path.count("/"), path)),
    }
    return fit(_capped(facts))


def _capped(facts: Mapping[str, object]) -> dict[str, object]:
    """Long lists cut, and how long they were under `<name>_in_all`."""
    capped: dict[str, object] = {}
    for name, value in facts.items():
        capped[name] = value
        if isinstance(value, list) and len(value) > _MOST_LISTED:
            capped[name], capped[f"{name}_in_all"] = value[:_MOST_LISTED], len(value)
    return capped


def _by_depth(row: TreeRow) -> tuple[int, str]:
    return row.path.count("/"), row.path


def _parser_of(path: str) -> Callable[[Text], Manifest] | None:
    name = PurePosixPath(path).name
    return next((parse for pattern, parse in _PARSERS if pattern.fullmatch(name)), None)


def _is_manifest(row: TreeRow) -> bool:
    """Manifests among the tests belong to what is tested, except the lists of what the tests need."""
    if _is_requirements_folder(row.path):
        return True
    is_among_tests = row.file_class == "test" and not PurePosixPath(row.path).name.startswith("requirements")
    return not is_among_tests and _parser_of(row.path) is not None


def _is_requirements_folder(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.parent.name == "requirements" and pure.suffix in {".txt", ".in"}


def _manifests(texts: Mapping[str, SourceRow]) -> tuple[list[tuple[str, Manifest]], list[str]]:
    """The manifests that could be read, the upper ones first, and the paths of the others."""
    parsed: list[tuple[str, Manifest]] = []
    unreadable: list[str] = []
    for path in sorted(texts, key=lambda path: (path.count("/"), path)):
        parse = _parser_of(path) or (python.parse_requirements if _is_requirements_folder(path) else None)
        if parse is None:
            continue
        try:
            parsed.append((path, parse(Text(texts[path].content))))
        except (ValueError, RecursionError):
            unreadable.append(path)
    return parsed, unreadable


def _main(parsed: Sequence[tuple[str, Manifest]]) -> Manifest | None:
    """The manifest that names the project: the uppermost one that says what it is, else the uppermost with a name."""
    named = [manifest for _, manifest in parsed if manifest.name]
    return next((manifest for manifest in named if manifest.description), named[0] if named else None)


def _listed(path: str, manifest: Manifest, found: Dependency) -> dict[str, object]:
    is_test = found.scope == "runtime" and {"test", "tests"} & set(PurePosixPath(path).parts[:-1])
    return {
        "name": found.name,
        "constraint": found.constraint,
        "scope": "test" if is_test else found.scope,
        "ecosystem": manifest.ecosystem,
        "path": path,
        "line": found.line,
    }


def _readme_path(tree: Sequence[TreeRow]) -> str | None:
    found = []
    for row in tree:
        pure = PurePosixPath(row.path)
        folder = "" if str(pure.parent) == "." else str(pure.parent)
        if row.skipped is None and folder in _README_FOLDERS and _README.fullmatch(pure.name):
            found.append((_README_FOLDERS.index(folder), _README_ORDER.index(pure.suffix.lower()), row.path))
    return min(found)[2] if found else None


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


def _licences(tree: Sequence[TreeRow]) -> list[TreeRow]:
    """Licence files at the top or in a folder of licences."""
    found = []
    for row in tree:
        pure = PurePosixPath(row.path)
        is_near = len(pure.parts) == 1 or (len(pure.parts) == 2 and pure.parts[0].lower() in {"licenses", "licences"})
        is_named = _LICENCE.fullmatch(pure.name) is not None or len(pure.parts) == 2
        if row.skipped is None and is_near and is_named and pure.suffix.lower() not in {".py", ".js", ".json", ".toml"}:
            found.append(row)
    return sorted(found, key=_by_depth)[:_MOST_LICENCES]


def _licence(
    tree: Sequence[TreeRow], texts: Mapping[str, SourceRow], parsed: Sequence[tuple[str, Manifest]]
) -> dict[str, object]:
    """The licence by its text (SPDX identifier, confidence); else as a manifest names it; else the file's path."""
    files = [row.path for row in _licences(tree) if row.path in texts]
    for path in files:
        if (licence := recognise_licence(texts[path].content)) is not None:
            return {"spdx": licence.spdx, "confidence": licence.confidence, "path": path, "files": files}
    declared = next(((path, manifest.licence) for path, manifest in parsed if manifest.licence), None)
    if declared is not None:
        return {"name": declared[1], "path": declared[0], "files": files}
    return {"path": files[0], "files": files} if files else {}


def _ci(path: str) -> dict[str, str] | None:
    name = next((name for pattern, name in _CI_PATTERNS if pattern.fullmatch(path)), None)
    return {"name": name, "path": path} if name is not None else None
