"""The way out, with real git: what leads elsewhere gets no packet, whatever resolves or redirects to it.

The tests stand in for the internet with 127.0.0.1, and for a private network with 127.0.0.2, where a canary listens.
"""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from processor.adapters import egress
from processor.adapters import git_recipe as recipe
from processor.adapters.egress import EgressProxy, EgressRules
from processor.adapters.git import GitRepositories
from processor.adapters.git_ground import GitPolicy
from processor.adapters.upstream import Upstream
from processor.adapters.workspace import open_workspace
from runtime.addresses import Resolve
from runtime.faults import Fault
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import QuietWatch

OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"
NAME = "code.example"


@dataclass
class Listener:
    """Counts connections to an address, and answers each with `answer`."""

    address: str
    answer: bytes = b""
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.create_server((self.address, 0))
        self.port = int(self.socket.getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self.socket.accept()
                with peer:
                    self.heard.append(peer.recv(4_096) if self.answer else b"")
                    peer.sendall(self.answer)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def canary() -> Iterator[Listener]:
    made = Listener(INSIDE)
    yield made
    made.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(folder / "good.git", [{"a.txt": "one\n"}])
    with GitServer(folder) as running:
        yield running


@dataclass
class Names:
    """A resolver whose answers change: the last one stays."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise OSError("no such name")
        return found


def a_proxy(
    resolver: Resolve, *ports: int, upstream: Upstream | None = None, names: tuple[str, ...] = (NAME,)
) -> EgressProxy:
    rules = EgressRules(frozenset(names), ports=frozenset(ports), allowed=lambda a: a == OUTSIDE, upstream=upstream)
    proxy = EgressProxy(rules, resolver=resolver)
    proxy.start()
    return proxy


def git(proxy: EgressProxy, folder: Path, *arguments: str, follow: bool = False) -> subprocess.CompletedProcess[str]:
    """A git that is allowed http and, where it is to `follow`, all redirects: nothing but the proxy holds it back."""
    options = recipe.config(recipe.Route("http", proxy.url)) | {"http.followRedirects": str(follow).lower()}
    environment = recipe.environment(folder, scheme="http", path="/usr/local/bin:/usr/bin:/bin")
    command = recipe.command(options, *arguments)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_a_repository_is_cloned_through_it_by_name(server: GitServer, tmp_path: Path) -> None:
    names = Names([[OUTSIDE]])
    proxy = a_proxy(names, server.port)

    done = git(proxy, tmp_path, "clone", "--bare", f"http://{NAME}:{server.port}/good", str(tmp_path / "x"))
    proxy.close()

    assert done.returncode == 0, done.stderr
    assert set(names.asked) == {NAME}


def test_a_name_that_is_rebound_between_two_connections_leads_nowhere(
    server: GitServer, canary: Listener, tmp_path: Path
) -> None:
    names = Names([[OUTSIDE], [INSIDE]])
    proxy = a_proxy(names, server.port, canary.port)
    address = f"http://{NAME}:{server.port}/good"

    first = git(proxy, tmp_path, "ls-remote", address)
    second = git(proxy, tmp_path, "ls-remote", f"http://{NAME}:{canary.port}/good")
    proxy.close()

    assert (first.returncode, second.returncode) == (0, 128)
    assert "(2)" in second.stderr
    assert len(names.asked) == 2
    assert canary.heard == []


@pytest.mark.parametrize("addresses", [[INSIDE], [OUTSIDE, INSIDE], [INSIDE, OUTSIDE], ["::1"], ["::ffff:127.0.0.2"]])
def test_every_address_of_a_name_must_be_outside(canary: Listener, tmp_path: Path, addresses: list[str]) -> None:
    proxy = a_proxy(Names([addresses]), canary.port)

    done = git(proxy, tmp_path, "ls-remote", f"http://{NAME}:{canary.port}/good")
    proxy.close()

    assert done.returncode == 128
    assert "(2)" in done.stderr
    assert not any(address in done.stderr for address in addresses)
    assert canary.heard == []


@pytest.mark.parametrize("target", [f"http://{INSIDE}", "http://inside.example", "http://localhost"])
def test_a_redirect_that_git_follows_is_stopped_at_the_next_hop(
    server: GitServer, canary: Listener, tmp_path: Path, target: str
) -> None:
    names = Names([[OUTSIDE]])
    proxy = a_proxy(names, server.port, canary.port)
    server.target = f"{target}:{canary.port}/x"
    server.behave("good", Manner.REDIRECT)

    done = git(proxy, tmp_path, "ls-remote", f"http://{NAME}:{server.port}/good", follow=True)
    proxy.close()

    assert server.requests  # it was told to go there
    assert done.returncode == 128
    assert names.asked == [NAME]
    assert canary.heard == []


def test_a_name_that_is_not_listed_is_not_even_resolved(canary: Listener, tmp_path: Path) -> None:
    names = Names([[OUTSIDE]])
    proxy = a_proxy(names, 443)

    for address in ("http://other.example:443/x", f"http://{NAME}:22/x", f"http://{INSIDE}:{canary.port}/x"):
        assert "(2)" in git(proxy, tmp_path, "ls-remote", address).stderr
    proxy.close()

    assert names.asked == []
    assert canary.heard == []


def test_an_unknown_name_and_a_closed_port_look_the_same(tmp_path: Path) -> None:
    with socket.create_server((OUTSIDE, 0)) as once:
        port = int(once.getsockname()[1])
    said = []
    for answer in ([], [OUTSIDE]):
        proxy = a_proxy(Names([answer]), port)
        said.append(git(proxy, tmp_path, "ls-remote", f"http://{NAME}:{port}/x").stderr)
        proxy.close()

    assert said[0] == said[1]
    assert "(4)" in said[0]


@pytest.mark.parametrize(("answer", "code"), [([], "host_unreachable"), (["10.0.0.1"], "host_not_allowed")])
def test_a_checkout_says_it_by_name(tmp_path: Path, answer: list[str], code: str) -> None:
    proxy = EgressProxy(EgressRules(frozenset({"github.com"})), resolver=Names([answer]))
    proxy.start()
    workspace = open_workspace(tmp_path / "work")
    repositories = GitRepositories(GitPolicy(frozenset({"github.com"}), proxy.url), workspace)

    with pytest.raises(Fault) as caught, repositories.checkout("https://github.com/o/n", None, QuietWatch()):
        pass
    workspace.close()
    proxy.close()

    assert caught.value.code == code
    assert "10.0.0.1" not in caught.value.message


def test_an_operators_proxy_is_gone_through_and_resolves_in_our_place(tmp_path: Path) -> None:
    names = Names([[INSIDE]])
    theirs = Listener(OUTSIDE, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    proxy = a_proxy(names, 443, upstream=Upstream(OUTSIDE, theirs.port, "user:word"))

    done = git(proxy, tmp_path, "ls-remote", f"http://{NAME}:443/x")
    refused = git(proxy, tmp_path, "ls-remote", "http://other.example:443/x")
    proxy.close()
    theirs.close()

    assert ("(4)" in done.stderr, "(2)" in refused.stderr) == (True, True)
    assert [head.split(b"\r\n")[0] for head in theirs.heard] == [f"CONNECT {NAME}:443 HTTP/1.1".encode()]
    assert b"Proxy-Authorization: Basic dXNlcjp3b3Jk" in theirs.heard[0]
    assert names.asked == []


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00",
        b"\x05\x01\x02",
        b"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x02\x00\x50",
        b"\x05\x01\x00\x05\x03\x00\x01\x7f\x00\x00\x02\x00\x50",
        b"\x05\x01\x00\x05\x01\x00\x09",
        b"\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50",
        b"\x05\x01\x00\x05\x01\x00\x03\x04\xff\xfe\x00\x0a\x00\x50",
        b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x02\x00\x50",
        b"\x05\x01\x00\x05\x01\x00\x04" + bytes(15) + b"\x01\x00\x50",
    ],
)
def test_what_is_no_proper_request_gets_no_connection_and_disturbs_nobody(
    server: GitServer, tmp_path: Path, said: bytes
) -> None:
    names = Names([[OUTSIDE]])
    proxy = a_proxy(names, server.port)
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=5) as peer:
        peer.sendall(said)
        peer.shutdown(socket.SHUT_WR)
        heard = b"".join(iter(lambda: peer.recv(100), b""))

    assert heard in {b"", b"\x05\x00"} or heard[:2] == b"\x05\x00"
    assert heard[2:4] in {b"", b"\x05\x02", b"\x05\x07"}
    assert names.asked == []
    assert git(proxy, tmp_path, "ls-remote", f"http://{NAME}:{server.port}/good").returncode == 0
    proxy.close()


def tunnel(proxy: EgressProxy, port: int) -> socket.socket:
    """A connection through the proxy that has been granted."""
    peer = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    peer.sendall(b"\x05\x01\x00\x05\x01\x00\x03" + bytes((len(NAME),)) + NAME.encode() + port.to_bytes(2))
    assert peer.recv(2) + peer.recv(10, socket.MSG_WAITALL) == b"\x05\x00" + b"\x05\x00\x00\x01" + bytes(6)
    return peer


def far_end(serve: Callable[[socket.socket], None]) -> tuple[socket.socket, threading.Thread]:
    """A server for one connection."""
    listener = socket.create_server((OUTSIDE, 0))

    def run() -> None:
        peer, _ = listener.accept()
        with peer, listener, suppress(OSError):
            peer.settimeout(5)
            serve(peer)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return listener, thread


def received(peer: socket.socket) -> bytes:
    return b"".join(iter(lambda: peer.recv(65_536), b""))


@pytest.mark.parametrize("upwards", [False, True])
def test_a_transfer_one_way_goes_on_for_longer_than_the_silence_that_ends_it(
    monkeypatch: pytest.MonkeyPatch, upwards: bool
) -> None:
    monkeypatch.setattr(egress, "_IDLE_SECONDS", 0.2)
    heard: list[bytes] = []

    def send(peer: socket.socket) -> None:
        for _ in range(12):
            peer.sendall(b"x" * 1_000)
            time.sleep(0.05)
        peer.shutdown(socket.SHUT_WR)

    listener, thread = far_end(lambda peer: heard.append(received(peer)) if upwards else send(peer))
    proxy = a_proxy(Names([[OUTSIDE]]), port := listener.getsockname()[1])
    with tunnel(proxy, port) as peer:
        if upwards:
            send(peer)
            thread.join(5)
        else:
            heard.append(received(peer))
    proxy.close()

    assert heard == [b"x" * 12_000]


def test_what_comes_after_one_side_has_said_its_last_is_carried_to_the_end() -> None:
    def answer(peer: socket.socket) -> None:
        asked = received(peer)
        peer.sendall(asked * 3)

    listener, thread = far_end(answer)
    proxy = a_proxy(Names([[OUTSIDE]]), port := listener.getsockname()[1])
    with tunnel(proxy, port) as peer:
        peer.sendall(b"y" * 100_000)
        peer.shutdown(socket.SHUT_WR)
        heard = received(peer)
    thread.join(5)
    proxy.close()

    assert heard == b"y" * 300_000


def test_a_connection_on_which_nobody_says_anything_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "_IDLE_SECONDS", 0.2)
    ended: list[bytes] = []
    listener, thread = far_end(lambda peer: ended.append(received(peer)))
    proxy = a_proxy(Names([[OUTSIDE]]), port := listener.getsockname()[1])
    began = time.monotonic()
    with tunnel(proxy, port) as peer:
        heard = received(peer)
        thread.join(5)
    waited = time.monotonic() - began
    proxy.close()

    assert (heard, ended) == (b"", [b""])
    assert waited < 4  # by the proxy, not by a limit of the ends


def test_closing_it_ends_what_runs_through_it(server: GitServer, tmp_path: Path) -> None:
    proxy = a_proxy(Names([[OUTSIDE]]), server.port)
    server.behave("good", Manner.SILENT)
    ended: list[int] = []
    address = f"http://{NAME}:{server.port}/good"
    waiting = threading.Thread(target=lambda: ended.append(git(proxy, tmp_path, "ls-remote", address).returncode))
    waiting.start()
    while not server.requests:
        waiting.join(0.02)

    proxy.close()
    waiting.join(10)

    assert ended == [128]
