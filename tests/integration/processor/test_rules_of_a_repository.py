"""A repository's own rules, what is asked for in spite of them, the commit that was shown: through the clone job."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from events.artifacts import ArtifactKind, SourceRow, TreeRow
from events.processing import Stage, StageCompleted
from runtime.faults import Permanent
from runtime.parquet import read_rows
from tests.support.git_repositories import build_repository, git
from tests.support.git_server import GitServer
from tests.support.jobs import Bench, FakeRun, a_request, said

FILES = {
    ".gitattributes": "pkg/made/* linguist-generated\n",
    "pkg/.repostreamignore": "*.tmp\n",
    "pkg/inner/a.py": "x = 1\n",
    "pkg/inner/b.tmp": "x\n",
    "pkg/made/c.py": "x = 1\n",
    "pkg/inner/large.json": "[" + "1,\n" * 500_000 + "1]\n",
    "vendor/v.py": "x = 1\n",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(folder / "good.git", [{"old.py": "o = 0\n"}, FILES], branches={"moved": 1})
    with GitServer(folder) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    assert made.leftovers() == []
    made.workspace.close()


async def cloned(bench: Bench, url: str, ref: str | None = None, **more: Any) -> StageCompleted:
    return said(await bench.clone(a_request(Stage.CLONE, url, ref, **more), FakeRun()), StageCompleted)


async def rows_of(bench: Bench, completed: StageCompleted) -> dict[str, tuple[str | None, str]]:
    [tree] = [ref for ref in completed.artifacts if ref.kind is ArtifactKind.TREE]
    return {row.path: (row.skipped, row.rule) for row in read_rows(TreeRow, await bench.backends.fetch(tree))}


async def test_rules_of_the_folders_above_count_for_a_folder(server: GitServer, bench: Bench) -> None:
    completed = await cloned(bench, server.url("good"), folder="pkg/inner")
    whole = await rows_of(bench, await cloned(bench, server.url("good"), include=("*.py",)))

    assert await rows_of(bench, completed) == {
        "pkg/inner/a.py": (None, ""),
        "pkg/inner/b.tmp": ("ignored", "pkg/.repostreamignore:1"),
        "pkg/inner/large.json": ("too_large", ""),
    }
    assert completed.facts["rules"] == {"files": 2, "lines": 2}
    assert (whole["pkg/made/c.py"], whole["vendor/v.py"]) == ((None, "request"), (None, "request"))


async def test_a_large_file_is_fetched_only_where_it_is_asked_for(server: GitServer, bench: Bench) -> None:
    completed = await cloned(bench, server.url("good"), folder="pkg", include=("/pkg/inner/large.json",))
    rows = await rows_of(bench, completed)
    assert (rows["pkg/inner/large.json"], rows["pkg/made/c.py"]) == (
        (None, "request"),
        ("generated", ".gitattributes:1"),
    )
    [sources] = [ref for ref in completed.artifacts if ref.kind is ArtifactKind.SOURCES]
    texts = {row.path: row.content for row in read_rows(SourceRow, await bench.backends.fetch(sources))}
    assert texts["pkg/inner/large.json"] == FILES["pkg/inner/large.json"]


async def test_the_commit_that_was_shown_is_read_although_the_branch_has_moved(server: GitServer, bench: Bench) -> None:
    first, second = git(server.folder / "good.git", "rev-list", "--reverse", "main").decode().split()

    for commit, path in ((first, "old.py"), (second, "vendor/v.py")):
        completed = await cloned(bench, server.url("good"), "moved", commit=commit)
        assert (completed.facts["commit"], completed.facts["ref"]) == (commit, "moved")
        assert path in await rows_of(bench, completed)


async def test_a_commit_that_is_gone_is_refused_by_name(server: GitServer, bench: Bench) -> None:
    with pytest.raises(Permanent) as refused:
        await cloned(bench, server.url("good"), commit="d" * 40)

    assert refused.value.code == "commit_not_offered"
