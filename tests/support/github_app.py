"""A GitHub App's side of GitHub on this machine: who may see a repository, where the App is, tokens for one repository.

It checks what GitHub checks: the App's JWT by its public key, issuer and times; that a token is asked for repositories
of that installation; and it answers with the same shapes and statuses, a missing and a forbidden repository alike.
"""

import json
import threading
import time
from collections.abc import Container
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.git_server import GitServer


def new_key() -> str:
    """A private key as GitHub gives it out: PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@dataclass
class Hosted:
    """A repository: its number, who may see it (tokens), and the installation of the App that covers it."""

    id: int
    private: bool = True
    seen_by: Container[str] = field(default_factory=set)
    installation: int | None = None


@dataclass
class GithubAppStandIn:
    """Speaks for one App, whose key is `key`; tokens that it makes open the repository on `git`."""

    app_id: str
    key: str
    git: GitServer
    hosted: dict[str, Hosted] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)  # by path: a status instead, headers
    too_much: bool = False  # grant more than was asked for

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.made: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def is_app(self, token: str) -> bool:
        """Whether `token` is a JWT of the App that GitHub would take now."""
        try:
            claims = jwt.decode(
                token,
                serialization.load_pem_private_key(self.key.encode(), None).public_key(),  # type: ignore[arg-type]  # RSA
                algorithms=["RS256"],
                issuer=self.app_id,
                options={"require": ["iat", "exp", "iss"]},
            )
        except jwt.PyJWTError:
            return False
        return int(claims["exp"]) - time.time() <= 600

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request."""
        parts = path.strip("/").split("/")
        if method == "GET" and parts[0] == "repos" and parts[-1] == "installation":
            return self._installation("/".join(parts[1:-1]), token)
        if method == "GET" and parts[0] == "repos":
            return self._repository("/".join(parts[1:]), token)
        if method == "POST" and parts[:2] == ["app", "installations"] and parts[-1] == "access_tokens":
            return self._mint(int(parts[2]), token, body)
        return 404, {"message": "Not Found"}

    def _repository(self, name: str, token: str) -> tuple[int, dict[str, Any]]:
        if not any(token in hosted.seen_by for hosted in self.hosted.values()):
            return 401, {"message": "Bad credentials"}
        found = self.hosted.get(name)
        if found is None or (found.private and token not in found.seen_by):
            return 404, {"message": "Not Found"}
        return 200, {"id": found.id, "full_name": name, "private": found.private}

    def _installation(self, name: str, token: str) -> tuple[int, dict[str, Any]]:
        if not self.is_app(token):
            return 401, {"message": "A JSON web token could not be decoded"}
        found = self.hosted.get(name)
        if found is None or found.installation is None:
            return 404, {"message": "Not Found"}
        return 200, {"id": found.installation, "app_id": self.app_id}

    def _mint(self, installation: int, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if not self.is_app(token):
            return 401, {"message": "A JSON web token could not be decoded"}
        self.bodies.append(body)
        covered = {h.id: name for name, h in self.hosted.items() if h.installation == installation}
        if not body.get("repository_ids") or not set(body["repository_ids"]) <= covered.keys():
            return 422, {"message": "There is at least one repository that does not exist or is not accessible"}
        made = f"ghs_{self.app_id}_" + jwt.encode({"n": len(self.made), "pad": "x" * 120}, "k" * 32, algorithm="HS256")
        self.made.append(made)
        names = [covered[number] for number in body["repository_ids"]]
        for name in names:
            self.git.passwords.setdefault(name, set()).add(made)
        permissions = dict(body.get("permissions", {})) | ({"contents": "write"} if self.too_much else {})
        repositories = [{"id": self.hosted[name].id, "full_name": name} for name in names]
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3_600))
        return 201, {"token": made, "expires_at": expires, "permissions": permissions, "repositories": repositories}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: GithubAppStandIn


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing: tests read `requests`."""

    def _handle(self, method: str) -> None:
        owner = self.server.owner
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        owner.requests.append(f"{method} {self.path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, headers = owner.answers.get(self.path, (0, {}))
        said: dict[str, Any] = {"message": "instead"}
        if not status:
            status, said = owner.answer(method, self.path, token, json.loads(content) if content else {})
        reply = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(reply))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply)
