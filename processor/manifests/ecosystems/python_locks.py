"""Python's lock files: `poetry.lock`, `uv.lock`, `pdm.lock`, `pylock.toml`, `Pipfile.lock`."""

from collections.abc import Iterator, Mapping

from processor.manifests.model import Dependency, Format, Manifest, Text, limited, table, text_of, texts
from processor.manifests.nodes import read_json
from processor.manifests.toml import Toml

_CATEGORIES = {"default": "", "develop": "dev"}  # others are called as in the `Pipfile`
_OWN = ("editable", "virtual", "workspace", "directory")


def parse_lock(text: Text) -> Manifest:
    """`poetry.lock` and `pdm.lock`: packages with their groups; what is asked for directly is not said."""
    found = []
    for row, line in Toml(text).tables("package"):
        groups = texts(row.get("groups")) or [text_of(row.get("category"))]
        group = "" if {"main", "default", ""} & set(groups) else "+".join(groups)
        found.append(_package(row, line, "", group))
    return Manifest("python", dependencies=limited(found))


def _package(row: Mapping[str, object], line: int, scope: str, group: str = "") -> Dependency:
    version = text_of(row.get("version"))
    return Dependency(text_of(row.get("name")), "", scope, line + 1 if line else 0, version=version, group=group)


def parse_uv(text: Text) -> Manifest:
    """`uv.lock`: what the packages of the workspace need is direct, the rest `transitive`."""
    packages = Toml(text).tables("package")
    own = [row for row, _ in packages if set(_OWN) & table(row.get("source")).keys()]
    direct = {name for row in own for name in _needs(row)}
    found = [
        _package(row, line, "" if row.get("name") in direct else "transitive")
        for row, line in packages
        if not any(row is one for one in own)
    ]
    return Manifest("python", dependencies=limited(found))


def _needs(row: Mapping[str, object]) -> Iterator[object]:
    listed = [row.get("dependencies")]
    for key in ("optional-dependencies", "dev-dependencies"):
        listed += table(row.get(key)).values()
    for one in listed:
        yield from (table(item).get("name") for item in one) if isinstance(one, list) else ()


def parse_pylock(text: Text) -> Manifest:
    """`pylock.toml` (PEP 751)."""
    return Manifest(
        "python", dependencies=limited(_package(row, line, "") for row, line in Toml(text).tables("packages"))
    )


def parse_pipfile_lock(text: Text) -> Manifest:
    """`Pipfile.lock`. Raises ValueError where it is not JSON."""
    root = read_json(text)
    return Manifest(
        "python",
        dependencies=limited(
            Dependency(name, "", "", one.line, version=one.get("version").text.removeprefix("=="), group=group)
            for key, packages in root.items()
            if key != "_meta"
            for group in (_CATEGORIES.get(key, key),)
            for name, one in packages.items()
        ),
    )


FORMATS = (
    Format(r"(?:poetry|pdm)\.lock", parse_lock, is_lock=True),
    Format(r"uv\.lock", parse_uv, is_lock=True),
    Format(r"pylock(?:\.[\w-]+)?\.toml", parse_pylock, is_lock=True),
    Format(r"pipfile\.lock", parse_pipfile_lock, is_lock=True),
)
