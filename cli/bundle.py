"""`repostream bundle`: one analysis as one file, and such a file taken over."""

import os
from pathlib import Path

from cli.api import connect
from cli.exits import OK, USAGE, leave
from cli.screen import Screen


def run_export(analysis: str, target: Path) -> int:
    """Write the bundle of an analysis; returns the exit code. What is there is not written over. Raises ApiError."""
    if target.exists():
        leave(USAGE, f"{target} is there already: name another file, or remove it.")
    partial = target.with_name(f"{target.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # the repository may be private
    try:
        with os.fdopen(descriptor, "wb") as file:
            connect().download(f"/api/v1/analyses/{analysis.removeprefix('analysis/')}/bundle", file.write)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    Screen().print(f"Wrote {target}: {target.stat().st_size:,} bytes.", markup=False, highlight=False)
    return OK


def run_import(source: Path, *, as_json: bool) -> int:
    """Import a bundle; returns the exit code. Raises ApiError."""
    if not source.is_file():
        leave(USAGE, f"{source} is no file.")
    with source.open("rb") as file:
        taken = connect().bundles_take_over(file)
    if as_json:
        print(taken.model_dump_json())
        return OK
    said = f"Analysis {taken.analysis_id}; watch it with `repostream status {taken.analysis_id}`."
    Screen().print(said, markup=False, highlight=False, soft_wrap=True)
    return OK
