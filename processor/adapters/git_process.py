"""Run git as a child process that ends when it is told to, takes too long, or grows too large.

GitPython starts the process (`Git.execute` with our own arguments and environment, nothing higher); reading, deadlines
and killing are ours, because `Git.execute` kills neither git's own children nor at a moment's notice.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from processor.adapters.git_errors import fault_of, timed_out, too_large
from processor.ports import Watch
from runtime.faults import Fault, Permanent

_LAUNCHER = Path(__file__).with_name("git_launch.py")
_LOOK_SECONDS = 0.1
_MEASURE_SECONDS = 0.5
_SAID_KEPT = 65_536
_BLOCK = 262_144


@dataclass(frozen=True)
class GitLimits:
    """What one git process may use. `folder_bytes` is the whole clone, `file_bytes` its largest file (the pack)."""

    seconds: float = 300.0
    folder_bytes: int = 500_000_000
    file_bytes: int = 500_000_000
    memory_bytes: int = 2_000_000_000
    cpu_seconds: int = 120


@dataclass(frozen=True)
class Ground:
    """Where git works: its environment, its limits, the folder it may fill, and when all must be done (monotonic)."""

    environment: dict[str, str]
    limits: GitLimits
    folder: Path
    deadline: float
    watch: Watch


class GitFailed(Exception):
    """git ended with a `status` other than 0, having `said` something on standard error."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"git ended with status {status}")
        self.status = status
        self.said = said

    @property
    def fault(self) -> Fault:
        """What that means."""
        return fault_of(self.status, self.said)


class GitProcess:
    """One git command at work, in a process group of its own. Leaving it kills whatever is left of the group."""

    def __init__(self, ground: Ground, argv: Sequence[str], on_line: Callable[[str], None] | None = None) -> None:
        self._ground = ground
        self._on_line = on_line
        self._said = bytearray()
        self._rest = b""
        self._buffer = bytearray()
        self._measured = time.monotonic()
        self._process = _start(ground, argv)
        self._out, self._err = _pipe(self._process.stdout), _pipe(self._process.stderr)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._out, self._err):
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def output(self) -> Iterator[bytes]:
        """Standard output as it comes, to the end. Raises GitFailed, a Fault for a limit, and Cancelled."""
        while (block := self._block()) is not None:
            if block:
                yield block
        self.finish()

    def ask(self, line: bytes) -> None:
        """Write one line to standard input."""
        if self._process.stdin is None:
            raise ValueError("the process has no standard input")
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            self.finish()
            raise GitFailed(0, self.said) from None

    def read_line(self) -> bytes:
        """One line of standard output, without its newline."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._fill()
        return self._cut(end, 1)

    def read_exactly(self, size: int) -> bytes:
        """So many bytes of standard output; the newline after them is dropped."""
        while len(self._buffer) < size + 1:
            self._fill()
        return self._cut(size, 1)

    @property
    def said(self) -> str:
        """The end of what git wrote to standard error."""
        return self._said.decode("utf-8", "replace")

    def finish(self) -> None:
        """Wait for the end. Raises GitFailed where the status is not 0."""
        while self._process.poll() is None:
            self._look()
            self._hear()
            time.sleep(_LOOK_SECONDS / 10)
        while self._hear():
            pass
        if self._process.returncode != 0:
            raise GitFailed(self._process.returncode, self.said)

    def _cut(self, size: int, drop: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[: size + drop]
        return taken

    def _fill(self) -> None:
        block = self._block()
        if block is None:
            self.finish()
            raise GitFailed(0, self.said)
        self._buffer += block

    def _block(self) -> bytes | None:
        """What standard output has now, which may be nothing; None at its end."""
        self._look()
        for key, _ in self._selector.select(_LOOK_SECONDS):
            if key.fd == self._err:
                self._hear()
            elif block := os.read(self._out, _BLOCK):
                return block
            else:
                return None
        return b""

    def _hear(self) -> bool:
        """Take what standard error has; False where that is nothing."""
        try:
            heard = os.read(self._err, _BLOCK)
        except BlockingIOError:
            return False
        if not heard:
            with suppress(KeyError):
                self._selector.unregister(self._err)
            return False
        self._said = (self._said + heard)[-_SAID_KEPT:]
        *lines, self._rest = (self._rest + heard).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-_SAID_KEPT:]
        for line in lines:
            if self._on_line is not None:
                self._on_line(line.decode("utf-8", "replace"))
        return True

    def _look(self) -> None:
        """Raise where there is a reason to stop."""
        ground, now = self._ground, time.monotonic()
        ground.watch.check()
        if now > ground.deadline:
            raise timed_out(ground.limits.seconds)
        if now - self._measured > _MEASURE_SECONDS:
            self._measured = now
            if folder_bytes(ground.folder) > ground.limits.folder_bytes:
                raise too_large()


def run_git(ground: Ground, argv: Sequence[str], on_line: Callable[[str], None] | None = None) -> bytes:
    """The output of a git command, at most a megabyte of it. Raises as `GitProcess.output`."""
    kept = bytearray()
    with GitProcess(ground, argv, on_line) as process:
        for block in process.output():
            kept += block[: max(0, 1_000_000 - len(kept))]
    return bytes(kept)


def folder_bytes(folder: Path) -> int:
    """The size of all files under `folder`; what vanishes meanwhile counts nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118  # walked twice a second
    return total


def _pipe(stream: object) -> int:
    if stream is None or not hasattr(stream, "fileno"):
        raise ValueError("git was started without pipes")
    number: int = stream.fileno()
    return number


def _start(ground: Ground, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        from git.cmd import Git
    except ImportError as error:  # GitPython looks for git when it is imported
        raise Permanent("git_missing", "git is not installed where the processor runs.") from error
    limits = ground.limits
    order = {
        "parent": os.getpid(),
        "keep": list(ground.environment),
        "limits": {
            "file_bytes": limits.file_bytes,
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": limits.cpu_seconds,
        },
    }
    started = Git(str(ground.folder)).execute(
        [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(order), *argv],
        env=ground.environment,
        as_process=True,
        istream=subprocess.PIPE,
        start_new_session=True,
    )
    process: subprocess.Popen[bytes] | None = started.proc
    if process is None:
        raise Permanent("git_missing", "git could not be started.")
    started.proc = None  # else GitPython ends the process itself, when the garbage collector comes by
    return process
