"""What a repository calls its own modules, from the manifests that say it. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Any

from processor.linking.meanings import Known
from processor.linking.script_paths import is_config, script_paths

_GO_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_MOST_BYTES = 200_000


def is_wanted(path: str) -> bool:
    """Whether a file names a module of the repository."""
    return path.rpartition("/")[2] in {"go.mod", "package.json", "composer.json"} or is_config(path)


def known_of(manifests: Iterable[tuple[str, str]], dependencies: Mapping[str, frozenset[str]]) -> Known:
    """What the manifests (path, text) say, beside the dependencies."""
    go_modules: dict[str, str] = {}
    packages: dict[str, str] = {}
    namespaces: dict[str, list[str]] = {}
    configs: dict[str, str] = {}
    for path, content in manifests:
        folder, name = dirname(path), path.rpartition("/")[2]
        if name == "go.mod":
            if module := _GO_MODULE.search(content[:_MOST_BYTES]):
                go_modules[folder] = module.group(1)
        elif is_config(path):
            configs[path] = content[:_MOST_BYTES]
        elif name == "composer.json":
            for prefix, below in _autoloaded(content):
                namespaces.setdefault(prefix, []).append(normpath(join(folder, below)).removeprefix("."))
        elif isinstance(package := _read(content).get("name"), str) and package:
            packages.setdefault(package, folder)
    nested_first = dict(sorted(go_modules.items(), key=lambda item: -len(item[1])))
    longest_first = dict(sorted(namespaces.items(), key=lambda item: -len(item[0])))
    return Known(dependencies, nested_first, packages, script_paths(configs), longest_first)


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
