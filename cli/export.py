"""`repostream export`: all that is yours, as one archive."""

import os
import zipfile
from pathlib import Path

from cli.api import broken_off, connect
from cli.exits import OK
from cli.files import require_absent
from cli.screen import Screen


def run_export(target: Path, *, as_json: bool) -> int:
    """The command; returns its exit code. What is there already is not written over; half a file does not stay."""
    require_absent(target)
    api = connect()
    partial = target.with_name(f"{target.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it is somebody's own
    try:
        with os.fdopen(descriptor, "wb") as file:
            api.download("/api/v1/me/export", file.write)
        with zipfile.ZipFile(partial) as archive:
            manifest = archive.read("manifest.json").decode()
        partial.rename(target)
    except zipfile.BadZipFile as error:
        raise broken_off("The archive came to no end: try again.") from error
    finally:
        partial.unlink(missing_ok=True)
    if as_json:
        print(manifest)
    else:
        Screen().say(f"Wrote {target}.")
    return OK
