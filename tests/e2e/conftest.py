"""A host with real and with hostile repositories, and the whole system beside it."""

from collections.abc import Iterator

import pytest

from tests.support.git_repositories import build_from_archives, build_repository, empty_repository
from tests.support.git_server import GitServer, Manner
from tests.support.source_archives import source_archive
from tests.support.system import System


@pytest.fixture(scope="package")
def git_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    """Serves flask and jpype1 (`real/…`), and repositories that cannot be analysed."""
    folder = tmp_path_factory.mktemp("repositories")
    for project in ("flask", "jpype1"):
        build_from_archives(folder / "real" / f"{project}.git", [source_archive(project)])
    empty_repository(folder / "odd" / "empty.git")
    build_repository(folder / "odd" / "binary.git", [{"logo.png": b"\x89PNG\r\n\x1a\n\x00\x00" * 50}])
    sound = "class Dog:\n    def bark(self) -> str:\n        return 'woof'\n\n\n"
    files = {"sound.py": sound, "broken.py": sound * 20 + "def (:\n", "README": "A dog.\n", "logo.png": b"\x89PNG\0"}
    build_repository(folder / "odd" / "mixed.git", [files])
    with GitServer(folder) as server:
        server.behave("odd/private", Manner.ASK_PASSWORD)
        yield server


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`repostream up` in an empty home."""
    with System(tmp_path_factory.mktemp("installation") / "home") as running:
        yield running
