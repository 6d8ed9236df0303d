"""The files that share one system are handed to one worker; every other file by itself."""

from pathlib import Path

import pytest

from tests.support.together import Together


@pytest.mark.parametrize(
    ("test", "handed_out_with"),
    [
        ("tests/e2e/test_main_job.py::test_doctor_finds_nothing_wrong", "tests/e2e/"),
        ("tests/e2e/test_departure.py::test_nothing[a::b]", "tests/e2e/"),
        ("tests/browser/test_needs.py::test_x[tests/e2e/]", "tests/browser/test_needs.py"),
    ],
)
def test_a_test_is_handed_out_with_those_that_share_its_system(test: str, handed_out_with: str) -> None:
    scheduling = Together.__new__(Together)  # which needs workers otherwise

    assert scheduling._split_scope(test) == handed_out_with


def test_what_tests_of_a_folder_share_ends_with_the_folder() -> None:
    """A fixture of a package lasts to the end of the run where the folder is none."""
    tests = Path(__file__).parents[2]
    shared = {path.parent for path in tests.rglob("*.py") if 'scope="package"' in path.read_text("utf-8")}
    shared.discard(Path(__file__).parent)
    assert shared >= {tests / "browser", tests / "e2e"}
    assert [folder for folder in shared if not (folder / "__init__.py").exists()] == []
