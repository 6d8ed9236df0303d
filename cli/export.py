"""`repostream export`: all that is yours, as one archive."""

import zipfile
from pathlib import Path

from cli.api import broken_off, connect
from cli.exits import OK
from cli.files import arriving, require_absent
from cli.screen import Screen


def run_export(target: Path, *, as_json: bool) -> int:
    """The command; returns its exit code. What is there already is not written over; half a file does not stay."""
    require_absent(target)
    api = connect()
    try:
        with arriving(target) as file:
            api.download("/api/v1/me/export", file.write)
            file.flush()
            with zipfile.ZipFile(file.name) as archive:
                manifest = archive.read("manifest.json").decode()
    except zipfile.BadZipFile as error:
        raise broken_off("The archive came to no end: try again.") from error
    if as_json:
        print(manifest)
    else:
        Screen().say(f"Wrote {target}.")
    return OK
