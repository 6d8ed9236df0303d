"""Folders for clones, which are gone afterwards, whatever happens.

Each process has one folder under `root`, with a lock that the system releases when the process ends. Whoever starts
next removes the folders whose lock is free, so a kill -9 leaves nothing for longer than that.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runtime.faults import Permanent, ResourceExhausted

_LOCK = ".lock"


class Workspace:
    """The folder of this process. Made by `open_workspace`."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    @contextmanager
    def folder_for(self, name: str) -> Iterator[Path]:
        """An empty folder that is removed on leaving. Raises ResourceExhausted where the disk is full."""
        try:
            made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        except OSError as error:
            raise _fault(error) from error
        try:
            yield made
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise _fault(error) from error
            raise
        finally:
            _remove(made)

    def close(self) -> None:
        """Remove the folder of this process."""
        _remove(self.folder)

        with suppress(OSError):
            os.close(self._lock)


def open_workspace(root: Path) -> Workspace:
    """A new folder under `root`, after removing those of processes that are gone."""

    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix="processor-", dir=root))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Workspace(folder, lock)


def _sweep(folder: Path) -> None:

    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return  # being made at this moment, or not ours
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    except OSError:
        return  # its process lives
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _fault(error: OSError) -> Permanent | ResourceExhausted:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return ResourceExhausted("disk_full", "The disk of the worker is full: free some space and retry.")
    return Permanent("work_folder_unusable", "The processor cannot write to its work folder.")
