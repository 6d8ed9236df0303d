"""A login that a host refuses keeps nobody from what is public, and is still named where the repository is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.adapters.git import GitRepositories
from processor.adapters.git_ground import GitPolicy
from processor.adapters.workspace import open_workspace
from processor.ports import Login, Refs
from runtime.faults import Fault
from tests.support.jobs import QuietWatch

LOGIN = Login("x-access-token", "expired-token-0123456789")
COMMIT = "a" * 40
# A git whose host knows the public repository alone, and no login at all.
GIT = """#!/bin/sh
echo asked "${GIT_CONFIG_COUNT:-nobody}" >> "@log"
if [ -n "$GIT_CONFIG_COUNT" ]; then echo "fatal: Authentication failed for 'https://h'" >&2; exit 128; fi
case "$*" in
  *private*) echo "fatal: could not read Username for 'https://h': terminal prompts disabled" >&2; exit 128;;
  *broken*) echo "fatal: unable to access 'https://h/': The requested URL returned error: 503" >&2; exit 128;;
esac
printf 'ref: refs/heads/main\\tHEAD\\n@commit\\tHEAD\\n@commit\\trefs/heads/main\\n'
"""


@pytest.fixture
def repositories(tmp_path: Path) -> Iterator[GitRepositories]:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(GIT.replace("@log", str(tmp_path / "log")).replace("@commit", COMMIT))
    (folder / "git").chmod(0o755)
    workspace = open_workspace(tmp_path / "work")
    policy = GitPolicy(frozenset({"github.com"}), "socks5h://127.0.0.1:9", path=f"{folder}:/usr/bin:/bin")
    yield GitRepositories(policy, workspace)
    workspace.close()


def look(repositories: GitRepositories, name: str, login: Login | None) -> Refs:
    return repositories.look_up(f"https://github.com/o/{name}", [], QuietWatch(), login)


def test_what_is_public_is_read_without_the_login_that_is_refused(
    repositories: GitRepositories, tmp_path: Path
) -> None:
    assert look(repositories, "public", LOGIN).head == COMMIT
    asked = (tmp_path / "log").read_text().splitlines()
    assert (asked[0], asked[-1]) == ("asked 1", "asked nobody")  # shown first, and not after it was refused


@pytest.mark.parametrize(
    ("name", "login", "code"),
    [
        ("private", LOGIN, "credential_refused"),
        ("private", None, "repository_not_found"),
        ("broken", LOGIN, "credential_refused"),
        ("broken", None, "host_unreachable"),
    ],
)
def test_what_is_not_public_fails_as_it_did_with_the_login(
    repositories: GitRepositories, name: str, login: Login | None, code: str
) -> None:
    with pytest.raises(Fault) as caught:
        look(repositories, name, login)

    assert caught.value.code == code
