"""What the three embedded servers have in common: a folder, a port, a process, and a URL that survives a restart."""

import contextlib
import os
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from runtime.embedded.child import (
    StartError,
    end_stray,
    kill_tree,
    make_folder,
    read_text,
    reason_in,
    record_pid,
    remembered_port,
    tail,
    wait_until,
    write_private,
)

START_SECONDS = 30.0  # recovery after a crash is the long case
STOP_SECONDS = 20.0


class EmbeddedServer(ABC):
    """A server we run ourselves, out of one folder. Not for more than one thread or process at a time.

    `spawn` begins and `wait_ready` waits, so that several servers can start at once; `start` does both.
    Once started, the port never changes while the object lives: others hold the URL.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[int]

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.log = log or self.folder / "server.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect. Raises StartError before the first start."""

    @abstractmethod
    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        """Prepare the data and start the process, its output going to the file descriptor `log`."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server takes work now. Does not raise."""

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; 0 where nothing runs."""
        return self._process.pid if self._process is not None and self.running else 0

    def spawn(self) -> None:
        """Start the process and return at once. Raises StartError. In the main thread: see `tied_to_parent`."""
        if self.running:
            return
        make_folder(self.folder)
        make_folder(self.log.parent)
        end_stray(self.folder / "pid", self.stop_signal)
        self._settle_port()
        try:
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StartError(f"{self.log} cannot be written: {error.strerror}.") from error
        try:
            self._process = self._launch(log)
        except OSError as error:
            raise StartError(f"{self.name} cannot be started: {error.strerror or error}.") from error
        finally:
            os.close(log)
        with contextlib.suppress(ProcessLookupError):
            record_pid(self.folder / "pid", self._process.pid)

    def wait_ready(self, timeout: float = START_SECONDS) -> str:
        """Wait until the server takes work; return its URL. Raises StartError, and leaves nothing running then."""
        deadline = time.monotonic() + timeout
        if wait_until(self._answers, lambda: self.running, deadline):
            self._was_ready = True
            return self.url
        died = not self.running
        self.kill()
        reason = reason_in(tail(self.log)) if died else f"it did not answer within {timeout:.0f} s"
        raise StartError(f"{self.name} did not start: {reason} (log: {self.log}).")

    def start(self, timeout: float = START_SECONDS) -> str:
        """Start the server where it is not running; return its URL when it takes work. Raises StartError."""
        if not self.running:
            self.spawn()
        return self.wait_ready(timeout)

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Ask the server to end and wait; SIGKILL after `timeout` seconds. Nothing where it is not running."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL the server and all its processes, as a crash would. `start` brings it back with its data."""
        if self._process is None:
            return
        kill_tree(self._process.pid)
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self._process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def _settle_port(self) -> None:
        """The remembered port, or a free one. A server that ran before keeps its port, whatever its folder says."""
        path = self.folder / "port"
        if not self._was_ready:
            self.port = remembered_port(path)
        elif read_text(path) != str(self.port):
            write_private(path, str(self.port))
