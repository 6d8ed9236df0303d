"""What a repository calls its own modules, from the manifests that say it. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Any

from processor.linking.meanings import Known
from processor.linking.script_paths import is_config, script_paths

_GO_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_TOML_LINE = re.compile(r'\s*(?:\[{1,2}([\w.-]+)\]|(name|path)\s*=\s*["\']([^"\']{1,200})["\'])')
_NAMES = frozenset(("go.mod", "package.json", "composer.json", "Cargo.toml"))
_MOST_BYTES = 200_000


def is_wanted(path: str) -> bool:
    """Whether a file names a module of the repository."""
    return path.rpartition("/")[2] in _NAMES or is_config(path)


def known_of(manifests: Iterable[tuple[str, str]], dependencies: Mapping[str, frozenset[str]]) -> Known:
    """What the manifests (path, text) say, beside the dependencies."""
    go_modules: dict[str, str] = {}
    packages: dict[str, str] = {}
    namespaces: dict[str, list[str]] = {}
    configs: dict[str, str] = {}
    crates: dict[str, str] = {}
    for path, content in manifests:
        folder, name = dirname(path), path.rpartition("/")[2]
        if is_config(path):
            configs[path] = content[:_MOST_BYTES]
        elif name == "go.mod":
            if module := _GO_MODULE.search(content[:_MOST_BYTES]):
                go_modules[folder] = module.group(1)
        elif name == "Cargo.toml":
            crates.update({crate: normpath(join(folder, begin)) for crate, begin in _crates(content[:_MOST_BYTES])})
        elif name == "composer.json":
            _autoload(namespaces, folder, content)
        elif isinstance(package := _read(content).get("name"), str) and package:
            packages.setdefault(package, folder)
    nested_first = dict(sorted(go_modules.items(), key=lambda item: -len(item[1])))
    longest_first = dict(sorted(namespaces.items(), key=lambda item: -len(item[0])))
    return Known(dependencies, nested_first, packages, script_paths(configs), longest_first, crates)


def _autoload(namespaces: dict[str, list[str]], folder: str, content: str) -> None:
    for prefix, below in _autoloaded(content):
        namespaces.setdefault(prefix, []).append(normpath(join(folder, below)).removeprefix("."))


def _crates(content: str) -> Iterator[tuple[str, str]]:
    """What other crates call the library of a `Cargo.toml`, and the file that it begins with; nothing of none."""
    section, said = "", dict[str, str]()
    for line in content.splitlines():
        if (found := _TOML_LINE.match(line)) is not None:
            section = found[1] or section
            if found[2]:
                said.setdefault(f"{section}.{found[2]}", found[3])
    name = said.get("lib.name") or said.get("package.name", "").replace("-", "_")
    if name:
        yield name, said.get("lib.path", "src/lib.rs")


def _autoloaded(content: str) -> Iterator[tuple[str, str]]:
    """(namespace, folder) of PSR-4, of the package and of its tests."""
    said = _read(content)
    for section in ("autoload", "autoload-dev"):
        autoload = said.get(section)
        by_prefix = autoload.get("psr-4") if isinstance(autoload, dict) else None
        for prefix, folders in by_prefix.items() if isinstance(by_prefix, dict) else ():
            for folder in folders if isinstance(folders, list) else [folders]:
                if isinstance(folder, str):
                    yield prefix, folder


def _read(content: str) -> dict[str, Any]:
    if len(content) > _MOST_BYTES:
        return {}
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
