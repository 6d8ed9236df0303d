"""What the three embedded servers have in common: a folder, a port, a process, and a URL that survives a restart."""

import contextlib
import os
import subprocess
import time
from abc import abstractmethod
from pathlib import Path

from runtime.embedded.child import (
    StartError,
    end_stray,
    make_folder,
    port_is_free,
    read_text,
    reason_in,
    record_pid,
    remembered_port,
    size_of,
    text_since,
    write_private,
)
from runtime.embedded.process import Managed, wait_until

START_SECONDS = 30.0  # recovery after a crash is the long case
STOP_SECONDS = 20.0


class EmbeddedServer(Managed):
    """A server we run ourselves, out of one folder.

    `spawn` begins and `wait_ready` waits, so that several servers can start at once; `start` does both.
    Once started, the port never changes while the object lives: others hold the URL.
    """

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        super().__init__()
        self.folder = folder.absolute()
        self.log = log or self.folder / "server.log"
        self.port = 0
        self._password = ""  # kept in the folder where the server has one
        self._settled = False  # whether others were told the URL
        self._answered = True  # whether the last start came to an answer
        self._log_start = 0

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect. Raises StartError before the first start."""

    @abstractmethod
    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        """Prepare the data and start the process, its output going to the file descriptor `log`."""

    @abstractmethod
    def _serves(self) -> bool:
        """Whether the server takes work now. Does not raise."""

    def _mend(self, _log: str) -> bool:
        """Called with the log of a start that failed: whether something was done that makes another worth it."""
        return False

    def answers(self) -> bool:
        """Whether the server takes work now. Does not raise."""
        if self.running and self._serves():
            self._answered = self._settled = True
            return True
        return False

    def spawn(self) -> None:
        """Start the process and return at once. Raises StartError. In the main thread."""
        if self.running:
            return
        if not self._answered:
            self._mend(self._said())
        make_folder(self.folder)
        end_stray(self.folder / "pid", self.stop_signal)
        self._settle_port()
        self._answered = False
        log = self._open_log()
        self._log_start = size_of(self.log)
        try:
            self._process = self._launch(log)
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"{self.name} cannot be started: {error}.") from error
        finally:
            os.close(log)
        with contextlib.suppress(OSError, LookupError, ValueError):
            record_pid(self.folder / "pid", self._process.pid)

    def wait_ready(self, timeout: float = START_SECONDS) -> str:
        """Wait until the server takes work; return its URL. Raises StartError, and leaves nothing running then."""
        if wait_until(self.answers, lambda: self.running, time.monotonic() + timeout):
            return self.url
        died = not self.running
        self.kill()
        if died and (self._mend(self._said()) or self._lost_its_port()):
            self._answered = True
            return self.start(timeout)
        reason = reason_in(self._said()) if died else f"it did not answer within {timeout:.0f} s"
        raise StartError(f"{self.name} did not start: {reason} (log: {self.log}).")

    def _lost_its_port(self) -> bool:
        """Whether somebody took the port between our look and the server's: the next start chooses another."""
        return not self._settled and not port_is_free(self.port)

    def start(self, timeout: float = START_SECONDS) -> str:
        """Start the server where it is not running; return its URL when it takes work. Raises StartError."""
        self.spawn()
        return self.wait_ready(timeout)

    def remembered_url(self) -> str:
        """The URL of the last start, by what the folder keeps, for one who did not start it; empty where none was."""
        port = read_text(self.folder / "port")
        if not port.isdigit():
            return ""
        self.port, self._password = int(port), read_text(self.folder / "password")
        return self.url

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Ask the server to end and wait; SIGKILL after `timeout` seconds. Nothing where it is not running."""
        self.ask_to_stop()
        self.wait_stopped(timeout)

    def _forget(self) -> None:
        super()._forget()
        (self.folder / "pid").unlink(missing_ok=True)

    def _said(self) -> str:
        return text_since(self.log, self._log_start)

    def _settle_port(self) -> None:
        """The remembered port, or a free one. A server that ran before keeps its port, whatever its folder says."""
        path = self.folder / "port"
        if not self._settled:
            self.port = remembered_port(path)
        elif read_text(path) != str(self.port):
            write_private(path, str(self.port))
