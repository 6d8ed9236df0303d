"""The layout is the architecture: it stays as it was meant to be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ai_engine", "cli", "events", "migrations", "orchestrator", "processor", "rag_manager", "runtime", "web_ui")
FOLDERS = {*PACKAGES, "bench", "docs", "k8s", "requirements", "tests"}
LONGEST, LONGEST_TEST = 300, 500
GENERATED = {"runtime/client/shapes.py", "runtime/client/operations.py"}  # as long as the API is, and read by nobody


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_the_root_holds_the_agreed_folders_and_no_others() -> None:
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}

    assert found - {"build", "dist"} == FOLDERS


@pytest.mark.parametrize("folder", [*PACKAGES, "bench"])
def test_no_file_has_grown_beyond_one_subject(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in sources(folder)
        if (n := len(path.read_text().splitlines())) > LONGEST
    }

    assert not set(long) - GENERATED, long


def test_no_test_file_has_grown_beyond_one_subject() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in sources("tests")
        if (n := len(path.read_text().splitlines())) > LONGEST_TEST
    }

    assert not long


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "a module's docstring says what a stranger finds in it"


def test_nothing_publishes_past_the_log() -> None:
    # `broker.publish` and `@publisher` would send what no transaction holds.
    spoken = [
        path for path in sources(*PACKAGES) if "broker.publish(" in path.read_text() or "@publisher" in path.read_text()
    ]

    assert not spoken
