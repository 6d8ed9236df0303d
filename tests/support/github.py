"""A GitHub for sign-ins, on loopback and on the real wire: single-use codes, PKCE, errors with status 200.

Answers of its token endpoint are form-encoded unless JSON is asked for, scopes joined by commas, `name` and `email`
null where a person shows none, as the real one's are.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

CLIENT_ID = "Iv1.stand-in"
CLIENT_SECRET = "stand-in-client-secret-4be1"  # the stand-in's own
BAD_CODE = {"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Grant:
    """A code that was given out, and what it was bound to."""

    challenge: str
    redirect_uri: str
    scope: str


@dataclass
class GitHubStandIn:
    """Signs in `user` at once; `faults` answer a path instead of it, and `served` counts what was asked."""

    user: dict[str, Any] = field(
        default_factory=lambda: {"id": 583231, "login": "octocat", "name": None, "email": None}
    )
    organisations: dict[str, str] = field(default_factory=dict)  # name → state of the membership
    faults: dict[str, Callable[[], Reply]] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    denies: bool = False
    shows_page: bool = False  # a page with a button, as people see it, in place of an immediate answer
    life: int = 0  # seconds that tokens live, as those of a GitHub App do; 0: for ever, as those of an OAuth app
    word: str = "gho_"  # how tokens begin
    refreshes: dict[str, str] = field(default_factory=dict)  # refresh token → scope; each is good once
    git: str = ""  # the address of a git server for all other paths

    def __enter__(self) -> "GitHubStandIn":
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                status, headers, content = stand_in.answer(self.command, self.path, dict(self.headers.items()), body)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        address = urlsplit(target)
        self.served.append(address.path)
        if address.path in self.faults:
            return self.faults[address.path]()
        given = {name.lower(): value for name, value in headers.items()}
        if (method, address.path) == ("GET", "/login/oauth/authorize"):
            return self._authorize(dict(parse_qsl(address.query)))
        if (method, address.path) == ("POST", "/login/oauth/access_token"):
            return self._access_token(dict(parse_qsl(body.decode())), given.get("accept", ""))
        if method == "GET" and address.path.startswith("/api/v3/"):
            return self._api(address.path.removeprefix("/api/v3"), given.get("authorization", ""))
        if self.git:
            return self._from_git(method, target, given, body)
        return _json(404, {"message": "Not Found"})

    def _from_git(self, method: str, target: str, given: dict[str, str], body: bytes) -> Reply:
        names = ("authorization", "content-type", "content-encoding", "git-protocol", "accept")
        sent = {name: given[name] for name in names if name in given}
        reply = httpx.request(method, f"{self.git}{target}", content=body, headers=sent, trust_env=False)
        told = ("content-type", "www-authenticate", "cache-control")
        return reply.status_code, {name: reply.headers[name] for name in told if name in reply.headers}, reply.content

    def _authorize(self, asked: dict[str, str]) -> Reply:
        back = asked.get("redirect_uri", "")
        if asked.get("client_id") != CLIENT_ID or asked.get("code_challenge_method") != "S256":
            return _json(404, {"message": "Not Found"})
        if self.denies:
            told = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": asked["state"]}
        else:
            code = self.code_for(asked["code_challenge"], back, asked.get("scope", ""))
            told = {"code": code, "state": asked["state"]}
        to = f"{back}?{urlencode(told)}"
        if self.shows_page:
            page = f'<title>GitHub stand-in</title><a id="authorize" href="{to.replace("&", "&amp;")}">Authorize</a>'
            return 200, {"content-type": "text/html"}, page.encode()
        return 302, {"location": to}, b""

    def code_for(self, challenge: str, redirect_uri: str, scope: str = "read:user") -> str:
        """A code as somebody gets it who says yes."""
        code = secrets.token_hex(10)
        self.grants[code] = Grant(challenge, redirect_uri, scope)
        return code

    def _access_token(self, asked: dict[str, str], accept: str) -> Reply:
        if asked.get("grant_type") == "refresh_token":
            return self._refreshed(asked)
        grant = self.grants.pop(asked.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            told = {"error": "incorrect_client_credentials", "error_description": "The client_id is not valid."}
        elif grant is None or proof.rstrip(b"=").decode() != grant.challenge:
            told = BAD_CODE
        elif asked.get("redirect_uri") != grant.redirect_uri:
            told = {"error": "redirect_uri_mismatch", "error_description": "The redirect_uri must match."}
        else:
            told = self._token(grant.scope)
        if "json" in accept:
            return _json(200, told)
        return 200, {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, urlencode(told).encode()

    def _token(self, scope: str) -> dict[str, Any]:
        token = f"{self.word}{secrets.token_hex(18)}"
        self.tokens[token] = scope
        told: dict[str, Any] = {"access_token": token, "token_type": "bearer", "scope": ",".join(scope.split())}
        if self.life:
            refresh = f"{self.word}refresh_{secrets.token_hex(38)}"
            self.refreshes[refresh] = scope
            told |= {"expires_in": self.life, "refresh_token": refresh, "refresh_token_expires_in": 15_897_600}
        return told

    def _refreshed(self, asked: dict[str, str]) -> Reply:
        scope = self.refreshes.pop(asked.get("refresh_token", ""), None)
        if scope is None or (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _json(200, {"error": "bad_refresh_token", "error_description": "The refresh token is incorrect."})
        self.tokens.clear()  # the one before is good no more
        return _json(200, self._token(scope))

    def _api(self, path: str, authorization: str) -> Reply:
        scope = self.tokens.get(authorization.partition(" ")[2])
        if scope is None:
            return _json(401, {"message": "Bad credentials"})
        if path == "/user":
            return _json(200, self.user)
        organisation = path.removeprefix("/user/memberships/orgs/")
        if "read:org" not in scope:
            return _json(403, {"message": "Resource not accessible by integration"})
        if organisation in self.organisations:
            return _json(200, {"state": self.organisations[organisation], "organization": {"login": organisation}})
        return _json(404, {"message": "Not Found"})


def _json(status: int, body: object) -> Reply:
    return status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode()


def html(status: int) -> Callable[[], Reply]:
    """An answer in HTML, as from something in between."""
    return lambda: (status, {"content-type": "text/html"}, b"<html><h1>Unicorn!</h1></html>")


def told(status: int, body: object, **headers: str) -> Callable[[], Reply]:
    """An answer in JSON; `_` in a header's name stands for `-`."""
    status_, basic, content = _json(status, body)
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: (status_, {**basic, **more}, content)


def elsewhere(url: str) -> Callable[[], Reply]:
    """A redirect."""
    return lambda: (302, {"location": url}, b"")


def slow(seconds: float) -> Callable[[], Reply]:
    """An answer that comes too late."""

    def answer() -> Reply:
        time.sleep(seconds)
        return _json(200, BAD_CODE)

    return answer
