"""The names that TypeScript's configuration gives to folders: `baseUrl` and `paths` of tsconfig.json. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Any, NamedTuple

_CONFIG = re.compile(r"(?:ts|js)config(?:[.-][\w.-]+)?\.json")
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*(?:.*?\*/|.*)', re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_MOST_STEPS = 8  # of one configuration that extends another
_MOST_NAMES = 500


class Pattern(NamedTuple):
    """`prefix*suffix`, or (not `is_open`) `prefix` alone, and the paths in the repository that it may stand for."""

    prefix: str
    suffix: str
    is_open: bool
    targets: tuple[str, ...]


class ScriptPaths(NamedTuple):
    """What holds in a folder and below: where bare names are looked for (None: nowhere), and the patterns."""

    base: str | None
    patterns: tuple[Pattern, ...]

    def candidates(self, module: str) -> Iterator[str]:
        """The paths that a module may mean, the likelier first: of the pattern with the longest beginning, then below
        the base.
        """
        fitting = [one for one in self.patterns if _fits(one, module)]
        if fitting:
            best = max(fitting, key=lambda one: (not one.is_open, len(one.prefix)))
            inner = module[len(best.prefix) : len(module) - len(best.suffix)] if best.is_open else ""
            yield from (target.replace("*", inner, 1) for target in best.targets)
        if self.base is not None:
            yield _within(self.base, module)


def is_config(path: str) -> bool:
    """Whether a file is such a configuration."""
    return _CONFIG.fullmatch(path.rpartition("/")[2]) is not None


def script_paths(configs: Mapping[str, str]) -> dict[str, ScriptPaths]:
    """Folder → what the configuration in it says, from the texts of all of them by their paths."""
    read = {path: _read(text) for path, text in configs.items()}
    found: dict[str, ScriptPaths] = {}
    for path in sorted(read):
        if path.rpartition("/")[2] not in {"tsconfig.json", "jsconfig.json"}:
            continue
        said = _said(path, read) or next(filter(None, (_said(other, read) for other in _references(path, read))), None)
        if said is not None:
            found.setdefault(dirname(path), said)
    return found


def _fits(pattern: Pattern, module: str) -> bool:
    if not pattern.is_open:
        return module == pattern.prefix
    long_enough = len(module) >= len(pattern.prefix) + len(pattern.suffix)
    return long_enough and module.startswith(pattern.prefix) and module.endswith(pattern.suffix)


def _read(text: str) -> dict[str, Any]:
    """JSON with comments and commas too many; empty where it is none."""
    try:
        said = json.loads(_COMMA.sub(r"\1", _COMMENT.sub(r"\1", text.lstrip("\ufeff"))))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _said(path: str, read: Mapping[str, dict[str, Any]]) -> ScriptPaths | None:
    """What a configuration and those that it extends say; the nearest one that says a thing is right."""
    base: str | None = None
    paths: dict[str, Any] | None = None
    paths_folder = ""
    todo = [path]
    for _ in range(_MOST_STEPS):
        if not todo:
            break
        here = todo.pop(0)
        options = read.get(here, {}).get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        if base is None and isinstance(options.get("baseUrl"), str):
            base = _within(dirname(here), options["baseUrl"])
        if paths is None and isinstance(options.get("paths"), dict):
            paths, paths_folder = options["paths"], dirname(here)
        todo += _extended(here, read)
    if base is None and paths is None:
        return None
    return ScriptPaths(base, tuple(_patterns(paths or {}, paths_folder if base is None else base)))


def _patterns(paths: Mapping[str, Any], folder: str) -> Iterator[Pattern]:
    for name, targets in list(paths.items())[:_MOST_NAMES]:
        if isinstance(targets, list):
            prefix, star, suffix = name.partition("*")
            inside = tuple(_within(folder, target) for target in targets if isinstance(target, str))
            yield Pattern(prefix, suffix, bool(star), inside)


def _extended(path: str, read: Mapping[str, dict[str, Any]]) -> list[str]:
    """The configurations of the repository that one extends, the last one first, as it counts most."""
    extends = read.get(path, {}).get("extends")
    named = [extends] if isinstance(extends, str) else extends if isinstance(extends, list) else []
    return [_config_at(path, name, read) for name in reversed(named) if isinstance(name, str) and name.startswith(".")]


def _references(path: str, read: Mapping[str, dict[str, Any]]) -> list[str]:
    named = read.get(path, {}).get("references")
    found = [one.get("path") for one in named if isinstance(one, dict)] if isinstance(named, list) else []
    return [_config_at(path, name, read) for name in found if isinstance(name, str)]


def _config_at(path: str, name: str, read: Mapping[str, dict[str, Any]]) -> str:
    written = _within(dirname(path), name)
    return next((one for one in (written, f"{written}.json", f"{written}/tsconfig.json") if one in read), "")


def _within(folder: str, path: str) -> str:
    """A path below a folder of the repository; what leads out of it begins with `..`, where no file is."""
    found = normpath(join(folder, path))
    return "" if found == "." else found
