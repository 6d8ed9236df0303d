"""The process that reads an archive, seen from its parent: started, listened to, ended. Its words are not trusted."""

import json
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from processor.archives.limits import ArchiveLimits
from processor.ports import Watch
from runtime.faults import Permanent

_ROOT = Path(__file__).resolve().parents[2]
_ENTRY = "processor.adapters.archive_child"
_LOOK_SECONDS = 0.2
_READ = 1 << 18
_MAX_FRAME = 1 << 16
_OUT_OF_MEMORY = ("MemoryError", "Cannot allocate memory", "failed to map segment")


class ArchiveProcess:
    """A running child that reads `archive`. Made by `reading`."""

    def __init__(self, process: "subprocess.Popen[bytes]", words: IO[bytes], seconds: float, watch: Watch) -> None:
        self._process = process
        self._words = words
        self._watch = watch
        self._until = time.monotonic() + seconds
        self._waiting = bytearray()

    def frame(self) -> dict[str, Any]:
        """The next frame. Raises Permanent where the child ended, or takes too long; Cancelled."""
        (length,) = struct.unpack(">I", self.exactly(4))
        if length > _MAX_FRAME:
            raise self.crashed()
        try:
            frame = json.loads(self.exactly(length))
        except ValueError:
            raise self.crashed() from None
        if not isinstance(frame, dict):
            raise self.crashed()
        return frame

    def exactly(self, count: int) -> bytes:
        """So many bytes of what it writes. Raises as `frame`."""
        while len(self._waiting) < count:
            self._waiting += self._some()
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        return taken

    def _some(self) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  # a pipe was asked for
        while True:
            self._watch.check()
            if time.monotonic() > self._until:
                raise _too_slow()
            if select.select([stdout], [], [], _LOOK_SECONDS)[0]:
                piece = os.read(stdout.fileno(), _READ)
                if not piece:
                    raise self._cause_of_death()
                return piece

    def _cause_of_death(self) -> Permanent:
        status = self._process.wait()
        self._words.seek(max(0, self._words.seek(0, os.SEEK_END) - 4_096))
        said = self._words.read().decode("utf-8", "replace")
        if any(sign in said for sign in _OUT_OF_MEMORY):
            return Permanent("archive_memory", "Reading the archive takes too much memory: pack it anew.")
        return _too_slow() if status in {-signal.SIGXCPU, -signal.SIGKILL} else self.crashed()

    @staticmethod
    def crashed() -> Permanent:
        """What is said of a child that says what it should not."""
        return Permanent("archive_damaged", "The archive ends the process that reads it: pack it anew and upload that.")


def _too_slow() -> Permanent:
    return Permanent("archive_timeout", "Reading the archive takes too long: pack it anew, or upload a part of it.")


@contextmanager
def reading(archive: IO[bytes], limits: ArchiveLimits, watch: Watch) -> Iterator[ArchiveProcess]:
    """Start a child that reads `archive` from its beginning, and end it on leaving."""
    archive.seek(0)
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", _ENTRY, json.dumps(limits.to_json()), str(os.getpid())],
            stdin=archive,
            stdout=subprocess.PIPE,
            stderr=words,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
            start_new_session=True,
        )
        try:
            yield ArchiveProcess(process, words, limits.seconds, watch)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
