"""One folder of a repository, through the whole clone job; and the refs that name one thing alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from events.artifacts import ArtifactKind, TreeRow
from events.processing import ProcessingStarted, Stage, StageCompleted
from runtime.faults import Permanent
from runtime.parquet import read_rows
from tests.support.git_repositories import build_repository, git
from tests.support.git_server import GitServer
from tests.support.jobs import Bench, FakeRun, QuietWatch, a_request, said

FILES = {
    "README.md": "# All\n",
    "src/app.py": "x = 1\n",
    "src/sub dir/größe.py": "y = 2\n",
    "srcs/not.py": "z = 3\n",
    "docs/*/star.md": "s\n",
    "docs/a/a.md": "a\n",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(folder / "good.git", [{"old.py": "o = 0\n"}, FILES], branches={"v1": 1}, tags={"v1": 0})
    with GitServer(folder) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    assert made.leftovers() == []
    made.workspace.close()


async def paths_of(bench: Bench, completed: StageCompleted) -> set[str]:
    [tree] = [ref for ref in completed.artifacts if ref.kind is ArtifactKind.TREE]
    return {row.path for row in read_rows(TreeRow, await bench.backends.fetch(tree))}


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("src", {"src/app.py", "src/sub dir/größe.py"}),
        ("src/sub dir", {"src/sub dir/größe.py"}),
        ("docs/*", {"docs/*/star.md"}),
        ("", set(FILES)),
    ],
)
async def test_only_what_is_below_the_folder_is_read_and_the_rest_is_counted(
    server: GitServer, bench: Bench, folder: str, inside: set[str]
) -> None:
    result = await bench.clone(a_request(Stage.CLONE, server.url("good"), folder=folder), FakeRun())

    begun, completed = said(result, ProcessingStarted), said(result, StageCompleted)
    assert await paths_of(bench, completed) == inside
    assert begun.folder == completed.facts.get("folder", "") == folder
    assert completed.facts.get("out_of_scope", 0) == len(FILES) - len(inside)


@pytest.mark.parametrize("folder", ["nope", "src/app.py", "SRC", "src/sub", "sr", "--help", ":(top)src", "docs/?"])
async def test_a_folder_that_is_not_there_is_refused_by_name(server: GitServer, bench: Bench, folder: str) -> None:
    with pytest.raises(Permanent) as caught:
        await bench.clone(a_request(Stage.CLONE, server.url("good"), folder=folder), FakeRun())

    assert caught.value.code == "folder_not_found"


async def test_the_limit_of_entries_counts_below_the_folder_alone(server: GitServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home", tree_entries=2)

    within = said(
        await bench.clone(a_request(Stage.CLONE, server.url("good"), folder="src"), FakeRun()), StageCompleted
    )
    whole = said(await bench.clone(a_request(Stage.CLONE, server.url("good")), FakeRun()), StageCompleted)

    assert (within.facts["tree_cut"], whole.facts["tree_cut"]) == (False, True)
    bench.workspace.close()


def test_a_full_name_means_that_ref_where_a_short_one_would_mean_another(server: GitServer, bench: Bench) -> None:
    tag, branch = git(server.folder / "good.git", "rev-parse", "refs/tags/v1", "refs/heads/v1").decode().split()
    git(server.folder / "good.git", "update-ref", "refs/pull/7/head", tag)

    def commit_of(ref: str) -> str:
        with bench.repositories.checkout(server.url("good"), ref, QuietWatch()) as checkout:
            return checkout.head.commit

    assert tag != branch
    assert [commit_of(ref) for ref in ("refs/tags/v1", "refs/heads/v1", "v1", "refs/pull/7/head")] == [
        *(tag, branch, branch, tag)
    ]


def test_a_tag_with_a_message_is_the_commit_it_is_on(server: GitServer, bench: Bench) -> None:
    repository = server.folder / "good.git"
    commit = git(repository, "rev-parse", "main").decode().strip()
    git(repository, "-c", "user.name=Ada", "-c", "user.email=a@b.c", "tag", "-a", "-m", "said", "v2", commit)
    own_id = git(repository, "rev-parse", "refs/tags/v2").decode().strip()

    assert own_id != commit
    for ref in ("v2", "refs/tags/v2", own_id):
        with bench.repositories.checkout(server.url("good"), ref, QuietWatch()) as checkout:
            assert checkout.head.commit == commit


@pytest.mark.parametrize(
    ("ref", "code"),
    [("nope", "ref_not_found"), ("refs/heads/nope", "ref_not_found"), ("0" * 40, "commit_not_offered")],
)
def test_a_ref_that_the_host_does_not_have_is_refused_by_name(
    server: GitServer, bench: Bench, ref: str, code: str
) -> None:
    with pytest.raises(Permanent) as caught, bench.repositories.checkout(server.url("good"), ref, QuietWatch()):
        pass

    assert caught.value.code == code
