"""A private repository is cloned with a login that only its host sees, and that git leaves nowhere."""

import base64
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from processor.ports import Login
from runtime.faults import Fault
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench, QuietWatch

TOKEN = "canary-5f1c9a7be2d04c1f-of-no-known-shape"
SHOWN = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
LOGIN = Login("x-access-token", TOKEN)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(folder / "secret.git", [{"a.txt": "one\n"}, {"a.txt": "two\n"}], tags={"v1": 0})
    with GitServer(folder, passwords={"secret": {TOKEN}}) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    assert made.leftovers() == []
    made.workspace.close()


def read(bench: Bench, url: str, login: Login | None, ref: str | None = None) -> dict[str, bytes | None]:
    with bench.repositories.checkout(url, ref, QuietWatch(), login) as checkout:
        return {entry.path.decode(): checkout.read(entry.blob_id) for entry in checkout.entries(100)}


def code_of(bench: Bench, url: str, login: Login | None) -> str:
    with pytest.raises(Fault) as caught:
        read(bench, url, login)
    assert TOKEN not in repr(caught.value) + caught.value.message
    return caught.value.code


def test_a_private_repository_is_read_with_its_token(server: GitServer, bench: Bench) -> None:
    assert read(bench, server.url("secret"), LOGIN) == {"a.txt": b"two\n"}
    assert read(bench, server.url("secret"), LOGIN, "v1") == {"a.txt": b"one\n"}


def test_one_commit_of_a_private_repository_is_read_with_its_token(server: GitServer, bench: Bench) -> None:
    with bench.repositories.checkout(server.url("secret"), None, QuietWatch(), LOGIN) as checkout:
        commit = checkout.head.commit

    assert read(bench, server.url("secret"), LOGIN, commit) == {"a.txt": b"two\n"}


def test_private_and_missing_look_the_same_without_a_token(server: GitServer, bench: Bench) -> None:
    assert code_of(bench, server.url("secret"), None) == "repository_not_found"
    assert code_of(bench, server.url("missing"), None) == "repository_not_found"


def test_a_token_that_the_host_refuses_is_called_so(server: GitServer, bench: Bench) -> None:
    assert code_of(bench, server.url("secret"), Login("x-access-token", "wrong-" + TOKEN)) == "credential_refused"
    assert code_of(bench, server.url("missing"), LOGIN) == "repository_not_found"


def test_what_is_public_is_read_without_a_token_that_the_host_refuses(server: GitServer, bench: Bench) -> None:
    build_repository(server.folder / "public.git", [{"a.txt": "one\n"}])
    url = server.behave("public", Manner.NO_LOGIN)
    heads = []
    for login in (None, LOGIN):
        with bench.repositories.checkout(url, None, QuietWatch(), login) as checkout:
            heads.append(checkout.head)
            assert [checkout.read(entry.blob_id) for entry in checkout.entries(100)] == [b"one\n"]
        found = bench.repositories.look_up(url, [], QuietWatch(), login)
        assert found.head == checkout.head.commit

    assert [head.login_refused for head in heads] == [False, True]
    assert SHOWN in "".join(server.headers)


def test_a_host_that_the_repository_moved_to_is_shown_nothing(server: GitServer, bench: Bench, tmp_path: Path) -> None:
    with GitServer(tmp_path / "served") as elsewhere:
        server.target = elsewhere.url("secret")

        assert code_of(bench, server.behave("secret", Manner.REDIRECT), LOGIN) == "repository_moved"

    assert SHOWN in "".join(server.headers)
    assert elsewhere.requests == []


def arguments_of_children() -> list[str]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            found.append(" ".join(child.cmdline()))
    return found


def files_with_the_token(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            content = path.read_bytes()
            found += [str(path)] if TOKEN.encode() in content or SHOWN.encode() in content else []
    return found


def test_the_token_is_in_no_argument_and_no_file_while_git_runs(server: GitServer, bench: Bench) -> None:
    server.behave("secret", Manner.DRIP)  # so git is there to be looked at, until the server is closed
    seen: list[str] = []
    found: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            seen.extend(arguments_of_children())
            found.extend(files_with_the_token(bench.folder))

    watching = threading.Thread(target=watch)
    stopper = threading.Timer(2.0, server.closing.set)
    watching.start()
    stopper.start()
    try:
        with pytest.raises(Fault):
            read(bench, server.url("secret"), LOGIN)
    finally:
        ended.set()
        watching.join()
        stopper.cancel()

    assert len([arguments for arguments in seen if " ls-remote " in arguments]) > 3
    assert SHOWN in "".join(server.headers)
    assert not any(TOKEN in arguments or SHOWN in arguments for arguments in seen)
    assert found == []


def test_only_the_processes_that_talk_to_the_host_know_the_token(
    server: GitServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from processor.adapters import git_process

    known: dict[str, bool] = {}
    start = git_process._start

    def noting(ground: git_process.Ground, argv: list[str]) -> object:
        words = [word for word in argv if word in {"clone", "ls-remote", "ls-tree", "cat-file", "rev-parse", "config"}]
        known[words[0]] = SHOWN in "".join(ground.environment.values())
        assert SHOWN not in "".join(argv)
        return start(ground, argv)

    monkeypatch.setattr(git_process, "_start", noting)
    read(bench, server.url("secret"), LOGIN)

    assert {name for name, knows in known.items() if knows} == {"clone", "ls-remote"}
    assert {"cat-file", "ls-tree", "config", "rev-parse"} <= known.keys()
