"""What hosts say of a repository's size, over real sockets and through the egress proxy."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from processor.adapters.egress import EgressProxy, EgressRules
from processor.adapters.forges import KINDS, Forges, read_forges

ANSWERS: dict[str, tuple[int, bytes]] = {
    "/api/v1/repos/o/good": (200, json.dumps({"size": 2_048}).encode()),
    "/api/v1/repos/o/empty": (200, b'{"size": 0}'),
    "/api/v1/repos/o/odd": (200, b'{"size": "much"}'),
    "/api/v1/repos/o/list": (200, b"[1]"),
    "/api/v1/repos/o/broken": (200, b"<html>"),
    "/api/v1/repos/o/moved": (302, b""),
    "/api/v1/repos/o/limited": (403, b"{}"),
}


class Api(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, body = ANSWERS.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Location", "/api/v1/repos/o/good")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    asked: list[tuple[str, str | None]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Api,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def egress() -> Iterator[EgressProxy]:
    proxy = EgressProxy(EgressRules(frozenset(), loopback=True))
    proxy.start()
    yield proxy
    proxy.close()


def test_a_size_is_told_in_bytes_and_no_login_is_shown(
    api: tuple[str, list[tuple[str, str | None]]], egress: EgressProxy
) -> None:
    authority, asked = api
    forges = Forges({authority: "gitea"}, lambda: egress.port)

    assert forges.size_of(f"http://{authority}/o/good") == 2_048 * 1_024
    assert asked == [("/api/v1/repos/o/good", None)]


@pytest.mark.parametrize("name", ["empty", "odd", "list", "broken", "moved", "limited", "missing"])
def test_whatever_else_is_answered_there_is_no_size_and_no_redirect_is_followed(
    api: tuple[str, list[tuple[str, str | None]]], egress: EgressProxy, name: str
) -> None:
    authority, asked = api

    assert Forges({authority: "gitea"}, lambda: egress.port).size_of(f"http://{authority}/o/{name}") is None
    assert len(asked) == 1


def test_where_the_egress_proxy_does_not_let_through_nobody_is_asked(
    api: tuple[str, list[tuple[str, str | None]]], egress: EgressProxy
) -> None:
    authority, asked = api

    assert Forges({"git.example": "gitea"}, lambda: egress.port).size_of("https://git.example/o/good") is None
    assert Forges({}, lambda: egress.port).size_of(f"http://{authority}/o/good") is None
    assert asked == []


def test_each_kind_of_host_has_its_own_question_and_answer() -> None:
    told = {
        kind: (forge.host, forge.path("o/r"), forge.read({"size": 3, "statistics": {"repository_size": 5}}), forge.unit)
        for kind, forge in KINDS.items()
    }

    assert told == {
        "github": ("api.github.com", "/repos/o/r", 3, 1_024),
        "gitea": (None, "/api/v1/repos/o/r", 3, 1_024),
        "bitbucket": ("api.bitbucket.org", "/2.0/repositories/o/r", 3, 1),
        "gitlab": (None, "/api/v4/projects/o%2Fr?statistics=true", 5, 1),
    }
    assert read_forges(" GitHub.com=github, git.example=gitea,") == {"github.com": "github", "git.example": "gitea"}
    with pytest.raises(ValueError, match="REPOSTREAM_INTAKE_FORGES"):
        read_forges("git.example=svn")
