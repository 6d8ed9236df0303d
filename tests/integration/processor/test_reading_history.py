"""The history stage over a real wire: the same numbers as git's own on a clone with everything, within its limits."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from events.artifacts import ArtifactKind, ChurnRow, CommitRow, TreeRow
from events.processing import Stage, StageCompleted
from processor.adapters.git_process import GitLimits
from processor.jobs.history import History
from runtime.faults import Cancelled, Fault, Permanent
from runtime.parquet import write_rows
from tests.support.git_pasts import churn_by_hand, eventful, people_by_hand
from tests.support.git_repositories import git
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench, FakeRun, QuietWatch, a_request, said


@pytest.fixture
def past(tmp_path: Path) -> tuple[Path, str]:
    target = tmp_path / "served" / "past.git"
    return target, eventful(target)


@pytest.fixture
def server(past: tuple[Path, str]) -> Iterator[GitServer]:
    with GitServer(past[0].parent) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    assert made.leftovers() == []
    made.workspace.close()


async def read(bench: Bench, past: tuple[Path, str], url: str, depth: int) -> StageCompleted:
    repository, commit = past
    listed = git(repository, "ls-tree", "-r", "-z", "--name-only", commit).decode().split("\0")
    rows = [TreeRow(path=path, blob_id="", mode="100644", size=1) for path in listed if path]
    tree = await bench.backends.store(ArtifactKind.TREE, 0, write_rows(TreeRow, rows), len(rows))
    request = a_request(Stage.HISTORY, url, inputs=(tree,), commit=commit, history=depth)
    return said(await History(bench.backends, bench.pasts, 1_000)(request, FakeRun()), StageCompleted)


@pytest.mark.parametrize("depth", [1, 5, 12, 21, 33, 500])
async def test_the_numbers_are_those_of_git_log_and_shortlog(
    bench: Bench, past: tuple[Path, str], server: GitServer, depth: int
) -> None:
    completed = await read(bench, past, server.url("past"), depth)
    facts: dict[str, Any] = completed.facts
    repository, commit = past
    churn = churn_by_hand(repository, commit, depth)
    churn["package/new_name.py"] += churn.pop("old_name.py", 0)
    there = set(git(repository, "ls-tree", "-r", "-z", "--name-only", commit).decode().split("\0"))
    whole = int(git(repository, "rev-list", "--count", commit))

    assert {spot["path"]: spot["commits"] for spot in facts["hot_spots"]} == {
        path: n for path, n in churn.items() if n and path in there
    }
    [churned, _] = completed.artifacts
    rows = await bench.backends.rows(ChurnRow, churned)
    assert {row.path: row.commits for row in rows} == {path: n for path, n in churn.items() if n and path in there}
    named = {person["name"]: person["commits"] for person in facts["top_contributors"]}
    assert named == people_by_hand(repository, commit, depth)
    assert (facts["commits"], facts["complete"]) == (min(depth, whole), depth >= whole)
    oldest = git(repository, "log", f"-{depth}", "--format=%at", commit).split()[-1]
    assert facts["oldest_at"].startswith(_day(int(oldest)))


async def test_what_commits_say_is_told_of_files_that_are_there_and_of_nobody(
    bench: Bench, past: tuple[Path, str], server: GitServer
) -> None:
    completed = await read(bench, past, server.url("past"), 500)
    [told] = [ref for ref in completed.artifacts if ref.kind == ArtifactKind.COMMITS]
    rows = await bench.backends.rows(CommitRow, told)

    listed = git(past[0], "log", "--no-merges", "--format=%H", past[1]).decode().split()
    assert [row.commit for row in rows] == [listed[row.number] for row in rows]
    assert {path for row in rows for path in row.paths} == {
        spot["path"]
        for spot in completed.facts["hot_spots"]
        if not spot["path"].startswith("swept/")  # type: ignore[attr-defined]  # a list of dicts
    }
    [long] = [row for row in rows if row.subject != "ok"]
    assert (long.subject, long.message) == ("Say größe once and no more", ":100644 is no change.")
    assert long.paths == ["package/new_name.py"]
    assert "@" not in "".join(row.model_dump_json() for row in rows)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


async def test_people_are_called_by_the_mailmap_and_no_address_is_kept(
    bench: Bench, past: tuple[Path, str], server: GitServer
) -> None:
    completed = await read(bench, past, server.url("past"), 500)

    people = {person["name"]: person["bot"] for person in completed.facts["top_contributors"]}  # type: ignore[attr-defined]  # a list of dicts
    assert people == {"Ada Example": False, "Grace Example": False, "dependabot[bot]": True}
    assert (completed.facts["contributors"], completed.facts["bot_commits"]) == (2, 4)
    assert "@" not in completed.model_dump_json()
    assert "facts" in type(completed).private


async def test_files_that_change_together_are_paired_and_sweeps_are_not(
    bench: Bench, past: tuple[Path, str], server: GitServer
) -> None:
    facts: dict[str, Any] = (await read(bench, past, server.url("past"), 500)).facts

    assert facts["co_changes"] == [{"paths": ["app.py", "test_app.py"], "commits": 13, "share": 1.0}]
    assert (facts["sweeps"], facts["merges"]) == (4, 2)


async def test_no_content_of_a_file_is_fetched_but_the_mailmap(
    bench: Bench, past: tuple[Path, str], server: GitServer, tmp_path: Path
) -> None:
    kept: list[str] = []
    with bench.pasts.commits(server.url("past"), past[1], 10, QuietWatch()) as commits:
        assert next(commits).author == "Ada Example"
        [folder] = bench.leftovers()
        found = git(folder / "history.git", "cat-file", "--batch-all-objects", "--batch-check").decode()
        kept = [line.split()[0] for line in found.splitlines() if line.split()[1] == "blob"]

    assert kept == [git(past[0], "rev-parse", "main:.mailmap").decode().strip()]


@pytest.mark.parametrize(
    ("manner", "limits", "code"),
    [
        (Manner.MISSING, GitLimits(), "repository_not_found"),
        (Manner.CUT, GitLimits(), "host_unreachable"),
        (Manner.DRIP, GitLimits(seconds=2), "clone_timeout"),
        (Manner.SERVE, GitLimits(folder_bytes=2_000, file_bytes=2_000), "repository_too_large"),
    ],
)
async def test_a_history_that_cannot_be_read_is_a_fault_with_a_name(
    past: tuple[Path, str], server: GitServer, tmp_path: Path, manner: Manner, limits: GitLimits, code: str
) -> None:
    bench = Bench(tmp_path / "small", git_limits=limits)
    with pytest.raises(Fault) as caught:
        await read(bench, past, server.behave("past", manner), 500)

    assert caught.value.code == code
    assert bench.leftovers() == []


async def test_a_run_that_is_cancelled_stops_git_and_leaves_nothing(
    bench: Bench, past: tuple[Path, str], server: GitServer
) -> None:
    watch = QuietWatch(stop=True)
    with pytest.raises(Cancelled), bench.pasts.commits(server.url("past"), past[1], 10, watch):
        raise AssertionError("nothing is read")


async def test_a_history_without_a_commit_is_refused(bench: Bench, server: GitServer) -> None:
    request = a_request(Stage.HISTORY, server.url("past"), history=5)
    with pytest.raises(Permanent) as caught:
        await History(bench.backends, bench.pasts, 10)(request, FakeRun())

    assert caught.value.code == "invalid_request"
