"""What a repository calls its own modules, from the manifests that say it. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Any

from processor.linking.meanings import Known, SwiftTarget
from processor.linking.script_paths import is_config, script_paths
from processor.linking.swift_targets import swift_products, swift_targets

_GO_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_TOML_LINE = re.compile(r'\s*(?:\[{1,2}([\w.-]+)\]|(name|path)\s*=\s*["\']([^"\']{1,200})["\'])')
_DART_NAME = re.compile(r"^name:[ \t]*[\"']?(\w{1,100})", re.MULTILINE)
_MOST_BYTES = 200_000


def is_wanted(path: str) -> bool:
    """Whether a file names a module of the repository."""
    return is_config(path) or path.rpartition("/")[2] in _READ


def known_of(manifests: Iterable[tuple[str, str]], dependencies: Mapping[str, frozenset[str]]) -> Known:
    """What the manifests (path, text) say, beside the dependencies."""
    made = _Made()
    for path, content in manifests:
        folder, name = dirname(path), path.rpartition("/")[2]
        read = _READ["tsconfig.json" if is_config(path) else name]
        read(made, path if is_config(path) else folder, content)
    nested_first = dict(sorted(made.go_modules.items(), key=lambda item: -len(item[1])))
    longest_first = dict(sorted(made.namespaces.items(), key=lambda item: -len(item[0])))
    return Known(
        dependencies,
        nested_first,
        made.packages,
        script_paths(made.configs),
        longest_first,
        made.crates,
        tuple(made.targets),
        made.products,
        made.dart_packages,
    )


@dataclass
class _Made:
    """What is known so far."""

    go_modules: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, list[str]] = field(default_factory=dict)
    configs: dict[str, str] = field(default_factory=dict)
    crates: dict[str, str] = field(default_factory=dict)
    targets: list[SwiftTarget] = field(default_factory=list)
    products: dict[str, str] = field(default_factory=dict)
    dart_packages: dict[str, list[str]] = field(default_factory=dict)


def _config(made: _Made, path: str, content: str) -> None:
    made.configs[path] = content[:_MOST_BYTES]


def _go(made: _Made, folder: str, content: str) -> None:
    if module := _GO_MODULE.search(content[:_MOST_BYTES]):
        made.go_modules[folder] = module.group(1)


def _cargo(made: _Made, folder: str, content: str) -> None:
    made.crates.update({crate: normpath(join(folder, begin)) for crate, begin in _crates(content[:_MOST_BYTES])})


def _swift(made: _Made, folder: str, content: str) -> None:
    made.targets += swift_targets(folder, content[:_MOST_BYTES])
    made.products.update(swift_products(content[:_MOST_BYTES]))


def _dart(made: _Made, folder: str, content: str) -> None:
    if named := _DART_NAME.search(content[:_MOST_BYTES]):
        made.dart_packages.setdefault(named[1], []).append(folder)


def _composer(made: _Made, folder: str, content: str) -> None:
    for prefix, below in _autoloaded(content):
        made.namespaces.setdefault(prefix, []).append(normpath(join(folder, below)).removeprefix("."))


def _script(made: _Made, folder: str, content: str) -> None:
    if isinstance(package := _read(content).get("name"), str) and package:
        made.packages.setdefault(package, folder)


_READ: Mapping[str, Callable[[_Made, str, str], None]] = {
    "tsconfig.json": _config,  # and others of its kind, with the path of each
    "go.mod": _go,
    "Cargo.toml": _cargo,
    "Package.swift": _swift,
    "pubspec.yaml": _dart,
    "composer.json": _composer,
    "package.json": _script,
}


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
