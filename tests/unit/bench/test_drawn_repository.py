"""Repositories that are drawn for measuring: as many files as asked for, no two of them the same."""

from pathlib import Path

from bench.drawn_repository import draw, renamed
from tests.support.git_repositories import build_repository, git

FILES = {
    "read.py": "def read_line(source):\n    return source.first_line\n",
    "web/app.ts": "export const readLine = (x: string) => x.trim();\n",
    "logo.png": b"\x89PNG\0\0",
}


def _drawn(folder: Path, name: str, files: int) -> dict[str, str]:
    repository = folder / "source.git"
    if not repository.exists():
        build_repository(repository, [FILES])
    draw([repository], files, folder / name)
    listed = git(folder / name, "ls-tree", "-r", "HEAD").decode().splitlines()
    return {line.split("\t")[1]: line.split()[2] for line in listed}


def test_a_repository_of_any_size_is_drawn_without_two_files_that_are_the_same(tmp_path: Path) -> None:
    drawn = _drawn(tmp_path, "one", 7)

    assert len(drawn) == len(set(drawn.values())) == 7
    assert not [path for path in drawn if path.endswith("logo.png")]
    assert _drawn(tmp_path, "other", 7) == drawn


def test_a_small_one_is_the_beginning_of_a_large_one(tmp_path: Path) -> None:
    small, large = _drawn(tmp_path, "small", 3), _drawn(tmp_path, "large", 6)

    assert small.items() < large.items()


def test_compound_names_are_others_and_words_of_the_language_stay() -> None:
    text = b"static_cast<int>(readLine(first_line)); return Widget();"

    assert renamed(text, b"c7") == b"static_cast<int>(readLinec7(first_line_c7)); return Widget();"
