"""A process we look after: started, asked whether it is ready, stopped, killed. Servers and services alike."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.embedded.child import StartError, kill_group, kill_tree, make_folder, tied_to_parent

_CHILD_ENVIRONMENT = {
    "ANONYMIZED_TELEMETRY": "False",  # Chroma's client
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # its own pool keeps memory of tables that are gone
    "MALLOC_ARENA_MAX": "2",  # glibc's default of 8 a core keeps memory that threads have long given back
    "OPENBLAS_NUM_THREADS": "1",  # a product of a millisecond shared by threads: most of it is waiting for each other
    "PYTHONUNBUFFERED": "1",
}


class Managed(ABC):
    """One process with a name and a log. Not for more than one thread or process at a time.

    `spawn` in the main thread: the kernel ties the child to the thread that started it (see `tied_to_parent`).
    """

    name: str
    log: Path
    stop_signal: int = signal.SIGTERM

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def spawn(self) -> None:
        """Start the process and return at once; nothing where it runs. Raises StartError."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes work now. Does not raise, and takes a second at the most."""

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; 0 where nothing runs."""
        return self._process.pid if self._process is not None and self.running else 0

    @property
    def ending(self) -> str:
        """How the process ended, in words; empty where it runs or was never started."""
        if self._process is None or (code := self._process.poll()) is None:
            return ""
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def ask_to_stop(self) -> None:
        """Send the signal that ends it in order, and return at once."""
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.stop_signal)

    def wait_stopped(self, timeout: float) -> None:
        """Wait until it ended; SIGKILL after `timeout` seconds."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL it and all its processes, as a crash would."""
        if self._process is None:
            return
        kill_tree(self._process.pid)
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self._process = None

    def _open_log(self) -> int:
        """A descriptor that appends to the log, so that truncating it while it is written is safe."""
        make_folder(self.log.parent)
        try:
            return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StartError(f"{self.log} cannot be written: {error.strerror}.") from error


class Command(Managed):
    """A Python module of ours that is handed its environment once the servers are known.

    So it may begin to import at once: it calls `pass_gate`, which reads one line of JSON, before it does anything else.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, ready: Callable[[], bool]) -> None:
        super().__init__()
        self.name, self.log = name, log
        self._arguments, self._ready = tuple(arguments), ready
        self._environment: dict[str, str] | None = None
        self._open = False

    def spawn(self) -> None:
        """Start it; where the gate was opened before, it is open at once."""
        if self.running:
            return
        if self._process is not None:
            kill_group(self._process.pid)  # children that a killed service left
        log = self._open_log()
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
                [sys.executable, "-P", "-m", *self._arguments],  # -P: the folder we are called in is not ours
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **_CHILD_ENVIRONMENT},
                start_new_session=True,
                preexec_fn=tied_to_parent(signal.SIGKILL),  # noqa: PLW1509  # one prctl call, nothing that locks
            )
        except OSError as error:
            raise StartError(f"{self.name} cannot be started: {error.strerror or error}.") from error
        finally:
            os.close(log)
        self._open = False
        if self._environment is not None:
            self.open_gate(self._environment)

    def open_gate(self, environment: Mapping[str, str]) -> None:
        """Hand over the environment, now and at each start to come."""
        self._environment = dict(environment)
        if self._open or self._process is None or self._process.stdin is None:
            return
        self._open = True
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(self._environment).encode() + b"\n")

    @property
    def succeeded(self) -> bool:
        """Whether it ended with exit code 0."""
        return self._process is not None and self._process.poll() == 0

    def answers(self) -> bool:
        """Whether it is ready, as far as it was let go."""
        return self._open and self._ready()

    def wait_stopped(self, timeout: float) -> None:
        """As every process; what is left of its group is killed then."""
        group = self._process.pid if self._process is not None else 0
        super().wait_stopped(timeout)
        if group:
            kill_group(group)


def pass_gate() -> None:
    """In the child: wait for the environment on standard input, and take it over."""
    line = sys.stdin.readline()
    if not line:  # whoever started us is gone
        os._exit(1)
    os.environ.update(json.loads(line))


def wait_until(ready: Callable[[], bool], alive: Callable[[], bool], deadline: float) -> bool:
    """Poll `ready` every 10 ms until it holds (True), `alive` does not, or `deadline` (monotonic) passed (False)."""
    while time.monotonic() < deadline:
        if ready():
            return True
        if not alive():
            return False
        time.sleep(0.01)
    return False
