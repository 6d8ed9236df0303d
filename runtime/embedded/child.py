"""Child processes that never outlive us, and the small files a server's folder keeps: port, password, pid."""

import contextlib
import ctypes
import fcntl
import json
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

# Below the ephemeral ports of Linux and macOS: a client that redials a server that is down cannot be given
# the very port it dials and so connect to itself, and no outgoing connection can take the port meanwhile.
_PORTS = range(15_000, 32_000)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartError(Exception):
    """A server or service could not be started. Its text is one sentence for a person that says what to do."""


def tied_to_parent(sign: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `sign` to the child when the thread that started it ends.

    Only the main thread may start such a child, since no other is sure to live as long as the process: RuntimeError
    elsewhere. Only Linux has this; on other systems the pid file finds what was left, at the next start.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child that is tied to its parent must be started in the main thread")
    parent = os.getpid()

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, sign, 0, 0, 0)
            if os.getppid() != parent:  # it died before the call above
                os._exit(1)

    return tie


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server may listen there. A connection that lingers in TIME_WAIT does not count."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(avoid: Iterable[int] = ()) -> int:
    """A port nobody listens on, outside the ephemeral range. Raises StartError where there is none."""
    taken = set(avoid)
    for candidate in random.sample(_PORTS, 500):
        if candidate not in taken and port_is_free(candidate):
            return candidate
    raise StartError("No free port was found between 15000 and 32000 on 127.0.0.1.")


@contextlib.contextmanager
def choosing_ports() -> Iterator[None]:
    """While in it, no other process of our user is: between a look at a port and `hold_port`, two could choose one."""
    name = Path(tempfile.gettempdir()) / f"repostream-ports-{os.getuid()}.lock"
    try:
        lock = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:  # somebody else's file, or no place for ours: then without
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def hold_port(port: int, host: str = "127.0.0.1") -> socket.socket | None:
    """Keep a port from everybody but `shared_listener`s of our own user, until the socket is closed.

    It does not listen: who connects while nobody does is refused. None where the port is taken, or the system has no
    such thing.
    """
    try:
        return _bound_and_shared(port, host, is_reused=False)
    except OSError:
        return None


def shared_listener(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A socket to listen on, bound to a port that `hold_port` keeps for us. Raises OSError."""
    return _bound_and_shared(port, host, is_reused=True)


def _bound_and_shared(port: int, host: str, *, is_reused: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(is_reused))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Make `folder`. Raises StartError with the reason in words where that is not possible."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path`, readable by its owner alone, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}.") from error


def read_text(path: Path) -> str:
    """What `path` says, stripped; empty where it is not there."""
    try:
        return path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}.") from error


def _new_secret() -> str:
    return secrets.token_urlsafe(24)


def remembered_secret(path: Path, make: Callable[[], str] = _new_secret) -> str:
    """The secret in `path`; a new one (of 192 bits), kept there with mode 0600, where there is none."""
    if not (secret := read_text(path)):
        secret = make()
        write_private(path, secret)
    return secret


def remembered_port(path: Path) -> int:
    """The port in `path` where it is free, else a new one, kept there."""
    text = read_text(path)
    if text.isdigit() and port_is_free(int(text)):
        return int(text)
    port = free_port()
    write_private(path, str(port))
    return port


def record_pid(path: Path, pid: int) -> None:
    """Keep `pid` together with the moment its process began, so that a reused number is not taken for it."""
    write_private(path, json.dumps({"pid": pid, "began": psutil.Process(pid).create_time()}))


def recorded_process(path: Path) -> psutil.Process | None:
    """The process of `record_pid`, where it still runs."""
    with contextlib.suppress(ValueError, KeyError, TypeError, psutil.Error):
        record = json.loads(read_text(path))
        process = psutil.Process(record["pid"])
        if process.create_time() == record["began"] and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def end_stray(path: Path, sign: int, timeout: float = 10.0) -> None:
    """End the process of `record_pid`, left over by a supervisor that was killed: `sign` first, then SIGKILL."""
    process = recorded_process(path)
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(sign)
        try:
            process.wait(timeout)
        except psutil.TimeoutExpired:
            kill_tree(process.pid)


def kill_tree(pid: int, timeout: float = 5.0) -> None:
    """SIGKILL a process and all its descendants, and wait until they are gone."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not all(_is_gone(process) for process in family):
        time.sleep(0.005)


def kill_group(group: int) -> None:
    """SIGKILL what is left of a process group, whose leader may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def size_of(path: Path) -> int:
    """The size of a file in bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def text_since(path: Path, start: int, most: int = 8_000) -> str:
    """The text of a log from byte `start`, its last `most` bytes; from its beginning where it was truncated since."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, start if start <= end else 0, end - most))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def reason_in(log: str) -> str:
    """Why a server ended, in words, as far as its log tells."""
    lowered = log.lower()
    if "no space left on device" in lowered or "disk is full" in lowered:
        return "there is no space left on the disk"
    if "read-only file system" in lowered:
        return "the file system is read-only"
    if "address already in use" in lowered:
        return "its port is taken"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"its log ends with “{lines[-1][:300]}”" if lines else "it said nothing"
