"""Files that commands write."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.exits import USAGE, leave


def require_absent(path: Path) -> None:
    """End with USAGE where something is there already, for nothing is written over, or nothing can be written there."""
    if path.exists():
        leave(USAGE, f"{path} is there already: name another file, or remove it.")
    if not os.access(path.parent, os.W_OK):
        leave(USAGE, f"{path.parent} is no folder that can be written to: name a file elsewhere.")


@contextmanager
def arriving(path: Path) -> Iterator[IO[bytes]]:
    """A file that becomes `path` once it is whole, and is gone where it does not; only its owner may read it.

    Raises OSError.
    """
    partial = tempfile.NamedTemporaryFile(prefix=f".{path.name}.", dir=path.parent, delete=False)  # noqa: SIM115  # renamed
    try:
        with partial as file:
            yield file
        Path(partial.name).rename(path)
    finally:
        Path(partial.name).unlink(missing_ok=True)


def write_new(path: Path, text: str) -> None:
    """Write `text` to a file that is not there yet. Raises OSError."""
    require_absent(path)
    path.write_text(text, "utf-8")
