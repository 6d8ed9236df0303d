"""The home folder: one installation, one `up` at a time, and a note that says where it answers."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runtime.embedded.child import StartError, make_folder, read_text, write_private

LEAST_FREE = 256_000_000  # bytes: the servers' empty data and the models need about as much


@dataclass(frozen=True)
class Running:
    """Where a running installation answers; `services` are the addresses of all, by their names."""

    pid: int
    page: str
    api: str
    services: dict[str, str] = field(default_factory=dict)


class AlreadyRunningError(Exception):
    """Another `up` holds the home folder; `running` says where, as far as it is known yet."""

    def __init__(self, running: Running | None) -> None:
        super().__init__("already running")
        self.running = running


class Home:
    """The folder `path`, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock = -1

    @property
    def logs(self) -> Path:
        """Where each server and service writes its log."""
        return self.path / "logs"

    def take(self) -> None:
        """Hold the folder until `release` or the end of the process, however that ends.

        Raises AlreadyRunningError, and StartError where the folder cannot be used.
        """
        make_folder(self.path)
        try:
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartError(
                f"The folder {self.path} cannot be written: {error.strerror}. Set REPOSTREAM_HOME to another."
            ) from error
        if not _lock(self._lock):
            os.close(self._lock)
            raise AlreadyRunningError(self._note())
        (self.path / "running.json").unlink(missing_ok=True)
        self._require_space()

    def announce(self, running: Running) -> None:
        """Write down where this installation answers."""
        write_private(self.path / "running.json", json.dumps(asdict(running)))

    def release(self) -> None:
        """Let go of the folder."""
        if self._lock >= 0:
            with contextlib.suppress(OSError):
                (self.path / "running.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def running(self) -> Running | None:
        """The installation that runs on this folder; None where none does, or it has not come up yet."""
        return self._note() if self._is_held() else None

    def _is_held(self) -> bool:
        try:
            lock = os.open(self.path / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def _note(self) -> Running | None:
        with contextlib.suppress(ValueError, TypeError, StartError):
            return Running(**json.loads(read_text(self.path / "running.json")))
        return None

    def _require_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE:
            self.release()
            raise StartError(
                f"The disk of {self.path} is full: {free / 1e6:.0f} MB are free and {LEAST_FREE / 1e6:.0f} MB are "
                "needed to start. Free some, or set REPOSTREAM_HOME to another folder."
            )


def _lock(descriptor: int) -> bool:
    """Lock for us alone; a moment's patience, for `running` looks by locking too."""
    for _ in range(10):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False
