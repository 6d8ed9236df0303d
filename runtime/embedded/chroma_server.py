"""Chroma's Rust server, which starts anew when it keeps too much of what was deleted from it.

    python -m runtime.embedded.chroma_server FOLDER HOST PORT

Of a dropped collection the server keeps the folder for ever, and its memory and four open files until it ends
(chroma-core/chroma#5259, #3296). What no collection has is removed before it starts; when too much of that has gathered
since, it ends in order and begins again, as the same process (docs/decisions/0444).

`chroma run` is a thin Python front that imports the whole client first; the server itself is one call into the compiled
bindings, so that call alone is made here.
"""

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from runtime.embedded.child import size_of

MOST_FOLDERS = 50  # of dropped collections: four open files each
MOST_BYTES = 256_000_000  # of the same; their memory is twice as much
_LOOK = 60.0  # seconds between two looks
_OPEN_FILES = 65_536  # many systems allow 1,024 where nobody asks: 250 collections


def left_over(folder: Path) -> set[Path]:
    """The folders of collections that were dropped; none where nobody can tell."""
    # Folders before rows: one that is made after this list was read has had its row before.
    folders = {entry for entry in folder.iterdir() if entry.is_dir() and _is_id(entry.name)}
    try:
        with contextlib.closing(sqlite3.connect(f"{(folder / 'chroma.sqlite3').as_uri()}?mode=ro", uri=True)) as rows:
            segments = {name for (name,) in rows.execute("SELECT id FROM segments")}
    except sqlite3.Error:
        return set()
    return {entry for entry in folders if entry.name not in segments}


def clear(folder: Path) -> set[Path]:
    """Remove what is left over, while no server runs; return what could not be removed."""
    for entry in left_over(folder):
        shutil.rmtree(entry, ignore_errors=True)
    return left_over(folder)


def is_too_much(folders: Iterable[Path]) -> bool:
    """Whether a server that keeps these should be started anew."""
    listed = list(folders)
    files = (file for entry in listed for file in entry.glob("*"))
    return len(listed) > MOST_FOLDERS or sum(map(size_of, files)) > MOST_BYTES


def main(folder: Path, host: str, port: int) -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever presses it in a terminal means the supervisor
    _allow_open_files()
    too_much = threading.Event()
    threading.Thread(target=_watch, args=(folder, clear(folder), too_much), daemon=True).start()
    import chromadb_rust_bindings  # 60 MB, not for those that only look

    chromadb_rust_bindings.cli(["chroma", "run", "--path", str(folder), "--host", host, "--port", str(port)])
    if too_much.is_set():
        # No exit: a supervisor counts those, and starts again the later the more there were.
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # ourselves, as we were started


def _watch(folder: Path, irremovable: set[Path], too_much: threading.Event) -> None:
    """End the server in order when it is time; what was there from the beginning would be there after that, too."""
    while not is_too_much(left_over(folder) - irremovable):
        time.sleep(_LOOK)
    sys.stderr.write("Starting anew: too much of what was deleted is still held.\n")
    too_much.set()
    os.kill(os.getpid(), signal.SIGTERM)


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    with contextlib.suppress(ValueError, OSError):  # then as many as there are
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
