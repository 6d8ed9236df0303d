"""Choose the files that say something about a repository: README, licences, manifests, CI, containers, configuration.

In:  the rows of the `tree` artifact, each looked at once.
Out: which of them are read, by shard, and what their paths alone say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Self

from events.artifacts import TreeRow
from processor.manifests.registry import format_of

_MOST_MANIFESTS = 1_000
_MOST_BYTES = 32_000_000
_MOST_LICENCES = 10
_README = re.compile(r"readme(?:\.(?:md|markdown|mdown|rst|txt|adoc))?", re.IGNORECASE)
_README_FOLDERS = ("", ".github", "docs", "doc")
_README_ORDER = (".md", ".markdown", ".mdown", ".rst", ".adoc", ".txt", "")
_LICENCE = re.compile(r"(?:[\w.-]{1,20}-)?(?:licen[cs]e|copying|unlicense)(?:[.-][\w.-]{1,40})?", re.IGNORECASE)
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
_ANY_CI = re.compile("|".join(pattern for pattern, _ in _CI), re.IGNORECASE)
_CONTAINER = re.compile(  # of the last part of a path
    r"(?!.*\.dockerignore)(?:(?:dockerfile|containerfile)(?:\.[\w.-]+)?|[\w.-]+\.dockerfile|(?:docker-)?compose[\w.-]*\.ya?ml"
    r"|chart\.yaml|kustomization\.ya?ml|devcontainer\.json|skaffold\.ya?ml)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Chosen:
    """The files that are read: those of `wanted` by the shard that has them, in the tree's order.

    `manifests_left_out` are too many or too large to be read; the paths after them are said as they are.
    """

    readme: str | None
    licences: tuple[str, ...]
    manifests_left_out: int
    wanted: dict[int, list[str]]
    locks: list[str]
    config: list[str]
    ci: list[dict[str, str]]
    containers: list[str]


@dataclass(frozen=True, slots=True)
class _Place:
    """A file that may be read."""

    path: str
    size: int
    shard: int | None

    @classmethod
    def of(cls, row: TreeRow) -> Self:
        """That of a row."""
        return cls(row.path, row.size, row.shard)

    @property
    def depth(self) -> tuple[int, str]:
        """The upper ones first."""
        return self.path.count("/"), self.path


@dataclass
class _Found:
    """What was seen so far."""

    readmes: list[_Place] = field(default_factory=list)
    licences: list[_Place] = field(default_factory=list)
    manifests: list[_Place] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    config: list[str] = field(default_factory=list)
    ci: list[dict[str, str]] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)

    def see(self, row: TreeRow) -> None:
        """Take in one row."""
        if (named := _ci(row.path)) is not None:
            self.ci.append(named)
        if row.skipped == "lock_file":
            self.locks.append(row.path)
        if row.skipped is None:
            self._see_file(row)

    def _see_file(self, row: TreeRow) -> None:
        if row.file_class == "config":
            self.config.append(row.path)
        if _CONTAINER.fullmatch(row.path.rpartition("/")[2]):
            self.containers.append(row.path)
        if _is_manifest(row):
            self.manifests.append(_Place.of(row))
        if _is_licence(row.path):
            self.licences.append(_Place.of(row))
        if _is_readme(row.path):
            self.readmes.append(_Place.of(row))


def choose_files(tree: Iterable[TreeRow]) -> Chosen:
    """Which files of a tree are read, and what the paths of others say."""
    found = _Found()
    for row in tree:
        found.see(row)
    readme = min(found.readmes, key=_readme_rank, default=None)
    licences = sorted(found.licences, key=lambda place: place.depth)[:_MOST_LICENCES]
    manifests = _readable(sorted(found.manifests, key=lambda place: place.depth))
    return Chosen(
        readme.path if readme is not None else None,
        tuple(place.path for place in licences),
        len(found.manifests) - len(manifests),
        _by_shard([*([readme] if readme is not None else []), *licences, *manifests]),
        found.locks,
        found.config,
        found.ci,
        found.containers,
    )


def _by_shard(places: Iterable[_Place]) -> dict[int, list[str]]:
    wanted: dict[int, list[str]] = {}
    for path, shard in sorted({(place.path, place.shard) for place in places if place.shard is not None}):
        wanted.setdefault(shard, []).append(path)
    return wanted


def _readable(found: list[_Place]) -> list[_Place]:
    """The manifests that are read, of those that there are: up to a number and a size in all."""
    kept, size = list[_Place](), 0
    for place in found[:_MOST_MANIFESTS]:
        size += place.size
        if size > _MOST_BYTES:
            break
        kept.append(place)
    return kept


def _is_manifest(row: TreeRow) -> bool:
    """Manifests among the tests belong to what is tested, except the lists of what the tests need."""
    if format_of(row.path) is None:
        return False
    pure = PurePosixPath(row.path)
    is_list = pure.name.startswith("requirements") or pure.parent.name == "requirements"
    return row.file_class != "test" or is_list


def _is_readme(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder in _README_FOLDERS and _README.fullmatch(name) is not None


def _readme_rank(place: _Place) -> tuple[int, int, str]:
    folder, _, name = place.path.rpartition("/")
    return _README_FOLDERS.index(folder), _README_ORDER.index(PurePosixPath(name).suffix.lower()), place.path


def _is_licence(path: str) -> bool:
    """Licence files at the top or in a folder of licences."""
    folder, _, name = path.rpartition("/")
    is_named = folder.lower() in {"licenses", "licences"} or (not folder and _LICENCE.fullmatch(name) is not None)
    return is_named and PurePosixPath(name).suffix.lower() not in {".py", ".js", ".json", ".toml"}


def _ci(path: str) -> dict[str, str] | None:
    if _ANY_CI.fullmatch(path) is None:
        return None
    name = next((name for pattern, name in _CI_PATTERNS if pattern.fullmatch(path)), None)
    return {"name": name, "path": path} if name is not None else None
