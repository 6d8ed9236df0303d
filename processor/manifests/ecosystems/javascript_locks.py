"""JavaScript's lock files: npm's (1 to 3), yarn's (classic and berry), pnpm's (5 to 9), `bun.lock`."""

import re
from collections.abc import Iterator

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.nodes import Node, read_json, read_yaml

_NEEDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_YARN_KEY = re.compile(r"\"?(?:[^\s\"]{1,200}@npm:(?=[^\s\"]{1,200}@))?((?:@[^@/\s]{1,100}/)?[^@/\s\"]{1,200})@")
_YARN_VERSION = re.compile(r"  version:? \"?([^\"\s]{1,100})\"?")
_PNPM = re.compile(r"/?((?:@[^@/]{1,100}/)?[^@/]{1,200})[@/]([^(_]{1,200})(?:[(_].*)?")
_FOLDER = "node_modules/"


def parse_npm(text: Text) -> Manifest:
    """`package-lock.json`: what the packages of the repository ask for is direct. Raises ValueError."""
    root = read_json(text)
    packages = root.get("packages")
    if not packages:
        return Manifest("javascript", dependencies=limited(_npm_1(root.get("dependencies"))))
    own = [one for path, one in packages.items() if _FOLDER not in path]
    direct = {name for one in own for key in _NEEDS for name, _ in one.get(key).items()}  # as the code calls them
    return Manifest("javascript", dependencies=limited(_npm_3(packages, direct)))


def _npm_1(packages: Node) -> Iterator[Dependency]:
    """The first form: a tree, of which the upper level is not told apart from what was hoisted to it."""
    waiting = [(packages, "")]
    while waiting:
        listed, scope = waiting.pop()
        for name, one in listed.items():
            yield Dependency(name, "", scope, one.line, one.get("version").text, _group(one))
            waiting.append((one.get("dependencies"), "transitive"))


def _npm_3(packages: Node, direct: set[str]) -> Iterator[Dependency]:
    for path, one in packages.items():
        before, folder, name = path.rpartition(_FOLDER)
        if folder and not one.get("link").is_true:
            scope = "" if name in direct and _FOLDER not in before else "transitive"
            yield Dependency(one.get("name").text or name, "", scope, one.line, one.get("version").text, _group(one))


def _group(one: Node) -> str:
    return next((name for name in ("dev", "optional", "peer") if one.get(name).is_true), "")


def parse_yarn(text: Text) -> Manifest:
    """`yarn.lock` of both forms, by its indentation. It does not say what is asked for directly."""
    found: list[Dependency] = []
    name, line = "", 0
    for number, whole in enumerate(text.lines, 1):
        bare = whole[:2_000]
        if bare[:1] not in {"", " ", "#"}:
            key = _YARN_KEY.match(bare)
            is_own = "@workspace:" in bare
            name, line = (key[1], number) if key is not None and not is_own and bare.rstrip().endswith(":") else ("", 0)
        elif name and (version := _YARN_VERSION.fullmatch(bare.rstrip())) is not None:
            found.append(Dependency(name, "", "", line, version=version[1]))
            name = ""
    return Manifest("javascript", dependencies=limited(found))


def parse_pnpm(text: Text) -> Manifest:
    """`pnpm-lock.yaml`: what its importers ask for is direct. Raises ValueError where it is not YAML."""
    root = read_yaml(text)
    importers = [root, *(one for _, one in root.get("importers").items())]
    direct = {
        _chosen(name, (one.get("version").text or one.text).partition("(")[0].partition("_")[0])
        for importer in importers
        for key in _NEEDS
        for name, one in importer.get(key).items()
    }
    return Manifest("javascript", dependencies=limited(_pnpm(root.get("packages"), direct)))


def _chosen(name: str, version: str) -> tuple[str, str]:
    """Name and version of a package; where the code calls it otherwise, the version has its own name: `name@1.0`."""
    real, at, rest = version.rpartition("@")
    return (real.removeprefix("/"), rest) if at and real else (name, version)


def _pnpm(packages: Node, direct: set[tuple[str, str]]) -> Iterator[Dependency]:
    for key, one in packages.items():
        if (match := _PNPM.fullmatch(key[:1_000])) is not None:
            scope = "" if (match[1], match[2]) in direct else "transitive"
            yield Dependency(
                match[1], "", scope, one.line, version=match[2], group="dev" if one.get("dev").is_true else ""
            )


def parse_bun(text: Text) -> Manifest:
    """`bun.lock`. Raises ValueError where it is not JSON with commas at the end."""
    root = read_json(text)
    own = [one for _, one in root.get("workspaces").items()]
    direct = {name for one in own for key in _NEEDS for name, _ in one.get(key).items()}
    found = []
    for key, one in root.get("packages").items():
        first = next(iter(one), Node())
        name, _, version = first.text.rpartition("@")
        if name and not version.startswith("workspace:"):
            found.append(Dependency(name, "", "" if key in direct else "transitive", one.line, version=version))
    return Manifest("javascript", dependencies=limited(found))


FORMATS = (
    Format(r"package-lock\.json|npm-shrinkwrap\.json", parse_npm, is_lock=True),
    Format(r"yarn\.lock", parse_yarn, is_lock=True),
    Format(r"pnpm-lock\.yaml", parse_pnpm, is_lock=True),
    Format(r"bun\.lock", parse_bun, is_lock=True),
)
