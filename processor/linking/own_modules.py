"""What a repository calls its own modules, from the manifests that say it. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from posixpath import dirname

from processor.linking.meanings import Known

_GO_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_MOST_BYTES = 200_000


def is_wanted(path: str) -> bool:
    """Whether a file names a module of the repository."""
    return path.rpartition("/")[2] in {"go.mod", "package.json"}


def known_of(manifests: Iterable[tuple[str, str]], dependencies: Mapping[str, frozenset[str]]) -> Known:
    """What the manifests (path, text) say, beside the dependencies."""
    go_modules: dict[str, str] = {}
    packages: dict[str, str] = {}
    for path, content in manifests:
        folder, name = dirname(path), path.rpartition("/")[2]
        if name == "go.mod":
            if module := _GO_MODULE.search(content[:_MOST_BYTES]):
                go_modules[folder] = module.group(1)
        elif package := _package_name(content):
            packages.setdefault(package, folder)
    nested_first = dict(sorted(go_modules.items(), key=lambda item: -len(item[1])))
    return Known(dependencies, nested_first, packages)


def _package_name(content: str) -> str:
    if len(content) > _MOST_BYTES:
        return ""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    name = said.get("name") if isinstance(said, dict) else None
    return name if isinstance(name, str) else ""
