"""What makes the row of a file in a tree, besides the file and the repository's rules: our code and the limits.

Two processes with the same recipe choose, class and count the same file alike, and write the same rows as the same
bytes. Another recipe takes nothing over.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from platform import python_version

import pyarrow as pa

from events.artifacts import SourceRow, TreeRow
from processor.stages.take_sources import SourceLimits

_PACKAGE = Path(__file__).resolve().parents[1]
_CODE = ("languages", "rules", "stages")  # more than it needs: too much only means that a release reads everything anew
_FILES = ("ports.py", "adapters/git_tree.py", "jobs/clone.py", "jobs/known_sources.py")


@cache
def intake_recipe(limits: SourceLimits) -> str:
    """A digest of all that."""
    digest = sha256(f"{python_version()}\n{pa.__version__}\n{limits}\n".encode())
    for row in (SourceRow, TreeRow):
        digest.update(repr([(name, str(field.annotation)) for name, field in row.model_fields.items()]).encode())
    found = [file for folder in _CODE for file in (_PACKAGE / folder).rglob("*.py")]
    for file in sorted([*found, *(_PACKAGE / name for name in _FILES)]):
        digest.update(f"{file.relative_to(_PACKAGE)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
