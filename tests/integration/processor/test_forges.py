"""What hosts say of a repository's size, over real sockets and through the egress proxy."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from processor.adapters.egress import EgressProxy, EgressRules
from processor.adapters.forge_api import Answer, Quiet, authorization_of
from processor.adapters.forges import KINDS, Forges, read_forges
from processor.ports import Ahead, Login

ANSWERS: dict[str, tuple[int, bytes]] = {
    "/api/v1/repos/o/good": (200, json.dumps({"size": 2_048}).encode()),
    "/api/v1/repos/o/empty": (200, b'{"size": 0}'),
    "/api/v1/repos/o/odd": (200, b'{"size": "much"}'),
    "/api/v1/repos/o/list": (200, b"[1]"),
    "/api/v1/repos/o/broken": (200, b"<html>"),
    "/api/v1/repos/o/moved": (302, b""),
    "/api/v1/repos/o/limited": (403, b"{}"),
}
BASE, HEAD = "a" * 40, "b" * 40
_COMPARE = f"compare/{BASE}...{HEAD}"
_HASHES = [{"hash": "c" * 40}] * 3
ANSWERS |= {
    f"/api/v1/repos/o/good/{_COMPARE}": (200, b'{"total_commits": 12, "commits": []}'),
    f"/api/v1/repos/o/none/{_COMPARE}": (200, b'{"total_commits": 0}'),
    f"/api/v1/repos/o/odd/{_COMPARE}": (200, b'{"total_commits": true}'),
    f"/api/v1/repos/o/list/{_COMPARE}": (200, b"[1, 2]"),
    f"/api/v1/repos/o/deep/{_COMPARE}": (200, b"[" * 100_000),
    f"/api/v1/repos/o/long/{_COMPARE}": (200, b'{"total_commits": 1, "x": "' + b"x" * 1_000_000 + b'"}'),
    f"/api/v1/repos/o/moved/{_COMPARE}": (302, b""),
    f"/api/v1/repos/o/secret/{_COMPARE}": (403, b"{}"),
    f"/api/v1/repos/o/limited/{_COMPARE}": (429, b"{}"),
    f"/api/v4/projects/o%2Fgood/repository/commits?ref_name={BASE}..{HEAD}&per_page=100": (
        200,
        json.dumps(_HASHES).encode(),
    ),
    f"/api/v4/projects/o%2Fmany/repository/commits?ref_name={BASE}..{HEAD}&per_page=100": (
        200,
        json.dumps(_HASHES * 33 + _HASHES[:1]).encode(),
    ),
    f"/api/v4/projects/o%2Fobject/repository/commits?ref_name={BASE}..{HEAD}&per_page=100": (200, b'{"a": 1}'),
}


class Api(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, body = ANSWERS.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Location", "/api/v1/repos/o/good")
        if "many" in self.path:
            self.send_header("X-Next-Page", "2")
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


LOGIN = Login("x-access-token", "canary-token")


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("gitea", "good", Ahead(12)),
        ("gitlab", "good", Ahead(3)),
        ("gitlab", "many", Ahead(100, is_least=True)),
        *(("gitea", name, None) for name in ("none", "odd", "list", "deep", "long", "moved", "secret", "missing")),
        ("gitlab", "object", None),
    ],
)
def test_a_host_says_how_many_commits_were_added_and_whatever_else_it_says_is_no_number(
    api: tuple[str, list[tuple[str, str | None]]], egress: EgressProxy, kind: str, name: str, told: Ahead | None
) -> None:
    authority, asked = api
    forges = Forges({authority: kind}, lambda: egress.port)

    assert forges.ahead(f"http://{authority}/o/{name}", BASE, HEAD, LOGIN) == told
    assert [shown for _, shown in asked] == ["Bearer canary-token"]


def test_a_host_that_says_it_is_too_much_is_left_alone_by_whom_it_said_so_to(
    api: tuple[str, list[tuple[str, str | None]]], egress: EgressProxy
) -> None:
    authority, asked = api
    forges = Forges({authority: "gitea"}, lambda: egress.port)
    limited, good = f"http://{authority}/o/limited", f"http://{authority}/o/good"

    assert forges.ahead(limited, BASE, HEAD, LOGIN) is None
    assert forges.ahead(good, BASE, HEAD, LOGIN) is None
    assert len(asked) == 1
    assert forges.ahead(good, BASE, HEAD) == Ahead(12)


def test_a_host_is_left_alone_for_as_long_as_it_says_but_no_longer_than_an_hour() -> None:
    now = [1_000.0]
    quiet = Quiet(lambda: now[0])
    waits = {"a": {"retry-after": "120"}, "b": {"x-ratelimit-reset": "5300"}, "c": {}, "d": {"retry-after": "999999"}}
    for host, headers in waits.items():
        quiet.keep(host, "", headers, at=5_000.0)

    def still() -> str:
        return "".join(host for host in waits if quiet.holds(host, ""))

    assert still() == "abcd"
    assert not quiet.holds("a", "Bearer x")
    for seconds, left in {61: "abd", 121: "bd", 301: "d", 3_601: ""}.items():
        now[0] = 1_000.0 + seconds
        assert still() == left


def test_a_login_goes_to_the_repositorys_host_or_the_api_of_its_name_and_to_no_other() -> None:
    """An installation that calls its own host a GitHub must not have its tokens sent to github.com."""
    tried: list[int] = []

    def proxy() -> int:
        tried.append(1)
        raise ConnectionRefusedError

    kinds = {"git.example": "github", "github.com": "github"}

    assert Forges(kinds, proxy).ahead("https://git.example/o/good", BASE, HEAD, LOGIN) is None
    assert tried == []
    assert Forges(kinds, proxy).ahead("https://github.com/o/good", BASE, HEAD, LOGIN) is None
    assert tried == [1]
    assert authorization_of(Login("somebody", "secret")) == "Basic c29tZWJvZHk6c2VjcmV0"
    assert authorization_of(None) == ""


def test_each_kind_of_host_is_asked_for_commits_in_its_own_way() -> None:
    asked = {kind: forge.between("o/r", "x", "y") for kind, forge in KINDS.items()}

    assert asked == {
        "github": "/repos/o/r/compare/x...y?per_page=1&page=2",
        "gitea": "/api/v1/repos/o/r/compare/x...y",
        "bitbucket": "/2.0/repositories/o/r/commits/y?exclude=x&pagelen=100&fields=next,values.hash",
        "gitlab": "/api/v4/projects/o%2Fr/repository/commits?ref_name=x..y&per_page=100",
    }
    assert KINDS["github"].count(Answer({"ahead_by": 7}, {})) == Ahead(7)
    assert KINDS["bitbucket"].count(Answer({"values": [1, 2], "next": "https://…"}, {})) == Ahead(2, is_least=True)
    assert KINDS["bitbucket"].count(Answer({"values": [1, 2]}, {})) == Ahead(2)
