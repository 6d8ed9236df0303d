"""A git server on this machine: smart HTTP through `git http-backend`, well-behaved or not.

For people: `python -m tests.support.git_server FOLDER --port 9418` serves every bare repository in FOLDER (its direct
subfolders and symbolic links, with or without `.git`), so that the product can be tried without a network.
"""

import argparse
import base64
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from tests.support.git_repositories import CLEAN_ENVIRONMENT

_CONFIG = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "safe.directory": "*",
    "safe.bareRepository": "all",
}
_BLOCK = 65_536


class Manner(StrEnum):
    """How the server behaves towards one repository."""

    SERVE = "serve"
    NO_FILTER = "no_filter"  # like a server that does not know partial clones
    ASK_PASSWORD = "ask_password"  # 401, as GitHub does for what is private or missing
    NO_LOGIN = "no_login"  # 401 to whoever shows a login, as GitHub does of public ones where the token expired
    MISSING = "missing"  # 404
    REDIRECT = "redirect"  # 302 to `target`
    BROKEN = "broken"  # 500
    DRIP = "drip"  # one byte of the pack a second
    CUT = "cut"  # the connection ends in the middle of the pack
    SILENT = "silent"  # accepts and never answers


@dataclass
class GitServer:
    """Serves the bare repositories of `folder` while it is entered. `requests` are the paths that were asked for."""

    folder: Path
    port: int = 0
    manners: dict[str, Manner] = field(default_factory=dict)
    target: str = "http://127.0.0.1:9/elsewhere"
    requests: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    passwords: dict[str, set[str]] = field(default_factory=dict)  # by private repository: those that are accepted

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def closing(self) -> threading.Event:
        """Set once the server is being stopped."""
        return self._closing

    def url(self, name: str) -> str:
        """The address of the repository `name` (without `.git`)."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def behave(self, name: str, manner: Manner) -> str:
        """From now on treat `name` so; returns its address."""
        self.manners[name] = manner
        return self.url(name)

    def lets_in(self, name: str, authorization: str) -> bool:
        """Whether the `Authorization` header opens `name`, whatever the user is called."""
        if name not in self.passwords:
            return True
        shown = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")[2]
        return shown in self.passwords[name]

    def find(self, name: str) -> Path | None:
        """The bare repository called `name`, with or without `.git` on either side."""
        for candidate in (self.folder / f"{name}.git", self.folder / name, self.folder / name / "repo"):
            if (candidate / "HEAD").exists():
                return candidate
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: GitServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self._body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing: tests read `requests`."""

    def _handle(self, body: bytes) -> None:
        owner = self.server.owner
        owner.requests.append(self.path)
        owner.headers.append(str(self.headers))
        parts = urlsplit(self.path)
        name, service = _split(parts.path)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._behave(owner.manners.get(name, Manner.SERVE), name, service, parts.query, body)

    def _behave(self, manner: Manner, name: str, service: str, query: str, body: bytes) -> None:
        owner = self.server.owner
        repository, shown = owner.find(name), self.headers.get("Authorization", "")
        is_refused = manner is Manner.ASK_PASSWORD or (manner is Manner.NO_LOGIN and shown)
        if manner is Manner.SILENT:
            owner.closing.wait(60)
            self.close_connection = True
        elif is_refused or not owner.lets_in(name, shown):
            self._plain(401, {"WWW-Authenticate": 'Basic realm="git"'})
        elif manner is Manner.REDIRECT:
            self._plain(302, {"Location": f"{owner.target}{service}?{query}"})
        elif manner is Manner.BROKEN:
            self._plain(500, {})
        elif manner is Manner.MISSING or repository is None or not service:
            self._plain(404, {})
        else:
            self._serve(manner, repository, service, query, body)

    def _plain(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve(self, manner: Manner, repository: Path, service: str, query: str, body: bytes) -> None:
        config = {**_CONFIG, "uploadpack.allowFilter": "false"} if manner is Manner.NO_FILTER else _CONFIG
        environment = {
            **CLEAN_ENVIRONMENT,
            **{f"GIT_CONFIG_KEY_{i}": key for i, key in enumerate(config)},
            **{f"GIT_CONFIG_VALUE_{i}": value for i, value in enumerate(config.values())},
            "GIT_CONFIG_COUNT": str(len(config)),
            "GIT_PROJECT_ROOT": str(repository.parent.resolve()),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository.name}{service}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        process = subprocess.Popen(
            ["git", "http-backend"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            threading.Thread(target=_feed, args=(process.stdin, body), daemon=True).start()
            self._answer(process.stdout, manner if service.endswith("/git-upload-pack") else Manner.SERVE)
        finally:
            process.stdout.close()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _answer(self, output: IO[bytes], manner: Manner) -> None:
        status, headers = 200, []
        while line := output.readline().strip():
            key, _, value = line.decode("latin-1").partition(":")
            if key.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((key, value.strip()))
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._stream(output, manner)

    def _stream(self, output: IO[bytes], manner: Manner) -> None:
        size = 1 if manner is Manner.DRIP else _BLOCK
        while block := output.read(size):
            if manner is Manner.CUT and b"packfile" in block:
                self._chunk(block[: block.index(b"packfile") + 100])
                self.close_connection = True
                return
            self._chunk(block)
            if manner is Manner.DRIP and self.server.owner.closing.wait(1.0):
                self.close_connection = True
                return
        self._chunk(b"")

    def _chunk(self, block: bytes) -> None:
        self.wfile.write(b"%x\r\n" % len(block) + block + b"\r\n")


def _split(path: str) -> tuple[str, str]:
    """`/a/b.git/info/refs` → (`a/b`, `/info/refs`)."""
    for service in ("/info/refs", "/git-upload-pack"):
        if path.endswith(service):
            return path.removesuffix(service).strip("/").removesuffix(".git"), service
    return path.strip("/").removesuffix(".git"), ""


def _feed(stdin: IO[bytes], body: bytes) -> None:
    with suppress(OSError), stdin:
        stdin.write(body)


def main() -> None:
    """Serve a folder until interrupted."""
    parser = argparse.ArgumentParser(description="Serve bare git repositories over http on this machine.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=9418)
    arguments = parser.parse_args()
    with GitServer(arguments.folder, arguments.port) as server, suppress(KeyboardInterrupt):
        for entry in sorted(arguments.folder.iterdir()):
            name = entry.name.removesuffix(".git")
            if server.find(name) is not None:
                print(server.url(name), flush=True)  # noqa: T201  # what this command is for
        while True:
            time.sleep(3_600)


if __name__ == "__main__":
    main()
