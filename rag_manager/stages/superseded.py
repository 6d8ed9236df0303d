"""Find the files of an older major version that is kept beside the current one: `v3/` beside `v4/`, `v1/` that mirrors.

In:  all paths of an analysis.
Out: the numbers of those that are superseded.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

MIRRORED = 3  # files of the same name in the parent folder: from here on `v1/` is its past, not an interface of its own

_VERSION = re.compile(r"(?:^|/)v(\d+)(?=/)", re.IGNORECASE)


def superseded_files(paths: Sequence[str]) -> frozenset[int]:
    """Return the numbers of files in a folder `vN` that a higher-numbered sibling, or its parent, replaced. Pure."""
    versions: dict[str, dict[int, list[int]]] = {}
    for file, path in enumerate(paths):
        for match in _VERSION.finditer(path):
            versions.setdefault(path[: match.start()], {}).setdefault(int(match[1]), []).append(file)
    names: dict[str, set[str]] = {}
    for path in paths:
        pure = PurePosixPath(path)
        names.setdefault("" if str(pure.parent) == "." else str(pure.parent), set()).add(pure.name)
    old: set[int] = set()
    for parent, found in versions.items():
        newest = max(found)
        for version, files in found.items():
            mirrored = {PurePosixPath(paths[file]).name for file in files} & names.get(parent, set())
            if version < newest or len(mirrored - {"__init__.py", "index.ts", "index.js"}) >= MIRRORED:
                old.update(files)
    return frozenset(old)
