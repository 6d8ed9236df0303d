"""What commits say, read from git's list and summed up: hostile names and dates, renames, people, pairs."""

from datetime import UTC, datetime

import pytest

from events.artifacts import TreeRow
from processor.stages.read_history import Change, Commit, read_history
from processor.stages.summarise_history import MOST_LISTED, MOST_TOGETHER, History, is_bot, summarise_history

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_commit(*changes: str | Change, author: str = "Ada", merge: bool = False) -> Commit:
    made = tuple(Change(change) if isinstance(change, str) else change for change in changes)
    return Commit(author, NOON, merge, made)


def a_tree(*paths: str) -> list[TreeRow]:
    return [TreeRow(path=path, blob_id="", mode="100644", size=1, lines=3, file_class="code") for path in paths]


def spots(history: History) -> dict[str, int]:
    listed = history.facts["hot_spots"]
    assert isinstance(listed, list)
    return {spot["path"]: spot["commits"] for spot in listed}


LISTED = (
    b"commit 1767268800 c1 p1\x1fAda\x1fMend it\n\ncommit 1 of \x1f three\n\0"
    b"\n:100644 100644 a b M\0app.py\0:100644 100644 a a R100\0old.py\0new.py\0"
    b"commit 1767268700 c2 p1 p2\x1fGrace\x1f\0"
    b"commit x c3 \x1fEve\n\x1b[31m\xff\x1f:100644 is how it begins\0"
    b"\n:000000 160000 0 s A\0module\0:000000 100644 0 b A\0:odd\ncommit 1 \0"
)


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_commits_are_read_however_the_output_is_cut(size: int) -> None:
    blocks = [LISTED[start : start + size] for start in range(0, len(LISTED), size)]

    renamed = (Change("app.py"), Change("new.py", "old.py"))
    assert list(read_history(blocks)) == [
        Commit("Ada", NOON, False, renamed, "c1", "Mend it\n\ncommit 1 of \x1f three\n"),
        Commit("Grace", datetime(2026, 1, 1, 11, 58, 20, tzinfo=UTC), True, (), "c2"),
        Commit("Eve [31m\ufffd", None, False, (Change(":odd\ncommit 1 "),), "c3", ":100644 is how it begins"),
    ]


@pytest.mark.parametrize("seconds", [b"99999999999999999999", b"-99999999999999", b"", b"now"])
def test_a_date_that_is_nonsense_is_none(seconds: bytes) -> None:
    [commit] = read_history([b"commit " + seconds + b" p\x1fAda\0"])

    assert commit.authored_at is None


def test_commits_count_for_the_present_path_of_a_file_and_not_for_those_that_are_gone() -> None:
    newest_first = [
        a_commit("src/app.py"),
        a_commit(Change("src/app.py", "lib/app.py")),
        a_commit("lib/app.py", "gone.py"),
        a_commit(Change("lib/app.py", "app.py")),
        a_commit("app.py"),
    ]

    assert spots(summarise_history(newest_first, a_tree("src/app.py", "never.py"), 10)) == {"src/app.py": 5}


def test_renames_in_a_circle_end() -> None:
    circle = [a_commit(Change("a", "b")), a_commit(Change("b", "a")), a_commit("a")]

    assert spots(summarise_history(circle, a_tree("c"), 10)) == {}


def test_one_commit_more_than_was_asked_for_says_that_there_is_more() -> None:
    commits = [a_commit("a")] * 4

    assert [summarise_history(commits, a_tree("a"), depth).facts["complete"] for depth in (3, 4, 5)] == [
        False,
        True,
        True,
    ]
    assert spots(summarise_history(commits, a_tree("a"), 3)) == {"a": 3}


def test_what_is_listed_is_bounded_and_ordered() -> None:
    paths = [f"{n:03}" for n in range(100)]
    history = summarise_history((a_commit(path, author=path) for path in paths * 2), a_tree(*paths), 1_000)
    facts = history.facts

    assert list(spots(history)) == paths[:MOST_LISTED]
    assert [(row.path, row.commits, row.authors) for row in history.churn] == [(path, 2, 1) for path in paths]
    assert len(facts["top_contributors"]) == MOST_LISTED  # type: ignore[arg-type]  # a list
    assert (facts["contributors"], facts["files_changed"]) == (100, 100)


def test_a_pair_needs_three_commits_and_no_sweep() -> None:
    sweep = a_commit(*(f"{n}.py" for n in range(MOST_TOGETHER + 1)))
    twice = [a_commit("a.py", "b.py")] * 2
    tree = a_tree("a.py", "b.py", *(f"{n}.py" for n in range(MOST_TOGETHER + 1)))

    assert summarise_history([*twice, sweep, sweep, sweep], tree, 9).facts["co_changes"] == []
    facts = summarise_history([*twice, a_commit("a.py", "b.py"), a_commit("a.py"), sweep], tree, 9).facts
    assert facts["co_changes"] == [{"paths": ["a.py", "b.py"], "commits": 3, "share": 1.0}]
    assert facts["sweeps"] == 1


def test_a_merge_counts_for_nobody() -> None:
    history = summarise_history([a_commit("a", merge=True), a_commit("a")], a_tree("a"), 9)

    assert (history.facts["commits"], history.facts["merges"], spots(history)) == (2, 1, {"a": 1})


@pytest.mark.parametrize(
    ("name", "bot"),
    [
        ("dependabot[bot]", True),
        ("renovate", True),
        ("pre-commit-ci", True),
        ("some-bot", True),
        ("GitHub Actions", True),
        ("Ada Abbot", False),
        ("Bot Marley", False),
        ("Renovation Bob", False),
    ],
)
def test_programs_are_told_by_their_names(name: str, bot: bool) -> None:
    assert is_bot(name) is bot
