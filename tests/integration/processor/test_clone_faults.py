"""Each way in which a repository cannot be read is a named fault, soon, and leaves nothing behind."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from processor.adapters.git_process import GitLimits
from runtime.faults import Cancelled, Fault, Permanent
from tests.support.git_repositories import Submodule, build_repository, commit_tree, empty_repository, git, write_object
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench, QuietWatch


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(folder / "good.git", [{"a.txt": "one\n"}, {"a.txt": "two\n"}], tags={"v1": 0}, branches={"dev": 0})
    with GitServer(folder) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made, before = Bench(tmp_path / "home"), git_children()
    yield made
    assert made.leftovers() == []
    assert git_children() <= before
    made.workspace.close()


def git_children() -> set[int]:
    """Processes of ours that lead a session of their own: git as the adapter starts it, not the server's."""
    return {child.pid for child in psutil.Process().children() if session_of(child.pid) == child.pid}


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def read(bench: Bench, url: str, ref: str | None = None, watch: QuietWatch | None = None) -> dict[str, bytes | None]:
    with bench.repositories.checkout(url, ref, watch or QuietWatch()) as checkout:
        return {entry.path.decode(): checkout.read(entry.blob_id) for entry in checkout.entries(100)}


def fault_of(bench: Bench, url: str, ref: str | None = None) -> Fault:
    with pytest.raises(Fault) as caught:
        read(bench, url, ref)
    assert url not in caught.value.message
    assert str(bench.folder) not in caught.value.message
    return caught.value


def test_branch_tag_commit_and_the_default_branch_are_read(server: GitServer, bench: Bench) -> None:
    first = git(server.folder / "good.git", "rev-parse", "v1").decode().strip()

    assert read(bench, server.url("good")) == {"a.txt": b"two\n"}
    assert read(bench, server.url("good.git"), "main") == {"a.txt": b"two\n"}
    assert read(bench, server.url("good"), "refs/heads/dev") == {"a.txt": b"one\n"}
    assert read(bench, server.url("good"), "v1") == {"a.txt": b"one\n"}
    with bench.repositories.checkout(server.url("good"), first, QuietWatch()) as checkout:
        assert (checkout.head.commit, checkout.head.ref, checkout.head.default_branch) == (first, first, "main")
        assert (checkout.head.subject, checkout.head.authored_at is not None) == ("Commit 1", True)


@pytest.mark.parametrize("ref", ["nope", "abc1234", "--upload-pack=touch x", "a..b", "v1^{tree}", "HEAD~1"])
def test_a_ref_that_does_not_exist(server: GitServer, bench: Bench, ref: str) -> None:
    fault = fault_of(bench, server.url("good"), ref)

    assert (fault.kind, fault.code) == ("permanent", "ref_not_found")


@pytest.mark.parametrize("manner", [Manner.MISSING, Manner.ASK_PASSWORD])
def test_a_missing_and_a_private_repository_look_the_same(server: GitServer, bench: Bench, manner: Manner) -> None:
    fault = fault_of(bench, server.behave("good", manner))

    assert (fault.kind, fault.code) == ("permanent", "repository_not_found")
    assert fault.message == fault_of(bench, server.url("absent")).message


def test_a_redirect_is_not_followed(server: GitServer, bench: Bench, tmp_path: Path) -> None:
    with GitServer(server.folder) as elsewhere:
        server.target = elsewhere.url("good")
        fault = fault_of(bench, server.behave("good", Manner.REDIRECT))

        assert (fault.kind, fault.code) == ("permanent", "repository_moved")
        assert elsewhere.requests == []


@pytest.mark.parametrize("manner", [Manner.BROKEN, Manner.CUT])
def test_a_server_that_breaks_is_tried_again_later(server: GitServer, bench: Bench, manner: Manner) -> None:
    fault = fault_of(bench, server.behave("good", manner))

    assert (fault.kind, fault.code) == ("transient", "host_unreachable")


def test_a_port_that_nobody_listens_on(bench: Bench) -> None:
    fault = fault_of(bench, "http://127.0.0.1:9/nobody")

    assert (fault.kind, fault.code) == ("transient", "host_unreachable")


@pytest.mark.parametrize("manner", [Manner.DRIP, Manner.SILENT])
def test_a_server_that_hangs_meets_the_deadline(server: GitServer, tmp_path: Path, manner: Manner) -> None:
    bench = Bench(tmp_path / "home", git_limits=GitLimits(seconds=2.0))
    server.behave("good", manner)
    began, before = time.monotonic(), git_children()

    fault = fault_of(bench, server.url("good"))

    assert (fault.kind, fault.code) == ("transient", "clone_timeout")
    assert time.monotonic() - began < 6
    assert bench.leftovers() == []
    assert git_children() <= before


@pytest.mark.parametrize("manner", [Manner.DRIP, Manner.SILENT])
def test_a_cancelled_run_kills_git_within_two_seconds(server: GitServer, bench: Bench, manner: Manner) -> None:
    watch, before = QuietWatch(), git_children()
    cancelled_at: list[float] = []

    def cancel() -> None:
        while git_children() <= before:
            time.sleep(0.02)
        time.sleep(0.5)
        cancelled_at.append(time.monotonic())
        watch.stop = True

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        read(bench, server.behave("good", manner), watch=watch)
    thread.join()

    assert time.monotonic() - cancelled_at[0] < 2
    assert git_children() <= before


def test_an_empty_repository(server: GitServer, bench: Bench) -> None:
    empty_repository(server.folder / "empty.git")

    assert fault_of(bench, server.url("empty")).code == "repository_empty"
    assert fault_of(bench, server.url("empty"), "main").code == "ref_not_found"


def test_a_head_that_names_no_branch(server: GitServer, bench: Bench) -> None:
    (server.folder / "good.git" / "HEAD").write_text("ref: refs/heads/gone\n")

    assert fault_of(bench, server.url("good")).code == "ref_not_found"
    assert read(bench, server.url("good"), "main") == {"a.txt": b"two\n"}


def test_a_ref_that_is_no_commit(server: GitServer, bench: Bench) -> None:
    repository = server.folder / "good.git"
    blob = write_object(repository, "blob", b"not a commit")
    (repository / "refs" / "tags" / "blob").parent.mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "tags" / "blob").write_text(f"{blob}\n")

    assert fault_of(bench, server.url("good"), "blob").code in {"ref_not_found", "repository_damaged"}
    assert fault_of(bench, server.url("good"), blob).code in {"ref_not_found", "repository_damaged"}


@pytest.mark.parametrize("name", [b".git", b"..", b".GIT", b"a/b"])
def test_a_tree_that_git_itself_refuses(server: GitServer, bench: Bench, name: bytes) -> None:
    repository = empty_repository(server.folder / "evil.git")
    blob = write_object(repository, "blob", b"x\n")
    tree = write_object(repository, "tree", b"100644 " + name + b"\0" + bytes.fromhex(blob))
    commit_tree(repository, tree)

    assert fault_of(bench, server.url("evil")).code == "repository_damaged"


def test_a_submodule_whose_address_is_an_option(server: GitServer, bench: Bench) -> None:
    modules = '[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/never\n'
    build_repository(server.folder / "evil.git", [{".gitmodules": modules, "x": Submodule()}])

    assert fault_of(bench, server.url("evil")).code == "repository_damaged"


def test_a_pack_larger_than_the_limit(server: GitServer, tmp_path: Path) -> None:
    build_repository(server.folder / "large.git", [{f"f{number}": os.urandom(400_000) for number in range(10)}])
    bench = Bench(tmp_path / "home", git_limits=GitLimits(file_bytes=1_000_000))

    assert fault_of(bench, server.url("large")).code == "repository_too_large"
    assert bench.leftovers() == []


def test_a_clone_larger_than_its_folder_may_be(server: GitServer, tmp_path: Path) -> None:
    build_repository(server.folder / "large.git", [{f"f{number}": os.urandom(400_000) for number in range(10)}])
    bench = Bench(tmp_path / "home", git_limits=GitLimits(folder_bytes=1_000_000))

    assert fault_of(bench, server.url("large")).code == "repository_too_large"
    assert bench.leftovers() == []


def test_a_full_disk(server: GitServer, tmp_path: Path) -> None:
    """git that says what it says when the disk is full: nothing here may fill a real one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").write_text('#!/bin/sh\necho "fatal: write error: No space left on device" >&2\nexit 128\n')
    (programs / "git").chmod(0o755)
    bench = Bench(tmp_path / "home")
    bench.repositories._policy = _with_path(bench, f"{programs}:/usr/bin:/bin")

    fault = fault_of(bench, server.url("good"))

    assert (fault.kind, fault.code) == ("resource", "disk_full")


def _with_path(bench: Bench, path: str) -> "object":
    from dataclasses import replace

    return replace(bench.repositories._policy, path=path)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/o/n",
        "file:///etc",
        "ext::sh -c id",
        "ssh://me@github.com/o/n",
        "ssh://git@evil.example/o/n",
        "https://user:hunter2@github.com/o/n",
        "http://10.0.0.1/o/n",
        "/etc/passwd",
        "--upload-pack=x",
    ],
)
def test_an_address_that_was_never_checked_is_refused_here_as_well(bench: Bench, url: str) -> None:
    with pytest.raises(Permanent) as caught:
        read(bench, url)

    assert "hunter2" not in str(caught.value)


def test_loopback_is_refused_where_the_settings_do_not_allow_it(server: GitServer, bench: Bench) -> None:
    from dataclasses import replace

    bench.repositories._policy = replace(bench.repositories._policy, loopback=False)

    with pytest.raises(Permanent):
        read(bench, server.url("good"))
    assert server.requests == []


def test_no_secret_of_this_process_reaches_git_or_the_server(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git, replaced by a program that writes down what it was given, then does the work."""
    canary = "ghp_canary0123456789canary0123456789"
    for name in ("GITHUB_TOKEN", "GIT_TRACE", "http_proxy", "GIT_CONFIG_PARAMETERS", "LC_ALL", "GIT_ASKPASS"):
        monkeypatch.setenv(name, canary)
    programs = tmp_path / "bin"
    programs.mkdir()
    seen = tmp_path / "seen"
    (programs / "git").write_text(f'#!/bin/sh\n{{ env; echo "$@"; }} >> {seen}\nexec /usr/bin/git "$@"\n')
    (programs / "git").chmod(0o755)
    bench = Bench(tmp_path / "home")
    bench.repositories._policy = _with_path(bench, f"{programs}:/usr/bin:/bin")

    assert read(bench, server.url("good")) == {"a.txt": b"two\n"}

    said = seen.read_text()
    assert "GIT_TERMINAL_PROMPT=0" in said
    assert canary not in said
    assert not any(canary in headers for headers in server.headers)
    assert not any("authorization" in headers.lower() for headers in server.headers)
