"""What earlier commits say of files: present paths, without secrets, addresses and trailers, bounded."""

import pytest

from processor.stages.read_history import MAX_MESSAGE, Commit, read_history
from processor.stages.summarise_history import summarise_history
from processor.stages.tell_commits import MOST_FILES, MOST_TOLD, what_is_said
from tests.unit.processor.test_history import a_commit, a_tree


def saying(commit: Commit, message: str) -> Commit:
    return commit._replace(message=message, commit="c")


def test_a_commit_tells_of_the_files_that_are_there_by_their_present_paths() -> None:
    newest_first = [
        saying(a_commit("new.py"), "Say it shorter"),
        saying(a_commit(*(f"{n}.py" for n in range(MOST_FILES + 1))), "Sweep"),
        saying(a_commit("x", merge=True), "Merge branch 'x'"),
        read_one(b"commit 1 c p\x1fAda\x1fRename it\0\n:1 1 a a R100\0old.py\0new.py\0"),
        saying(a_commit("gone.py"), "What is gone"),
        saying(a_commit("old.py", "gone.py"), "Begin\n\nAnd why."),
        saying(a_commit("new.py"), " \n\n "),
    ]
    tree = a_tree("new.py", *(f"{n}.py" for n in range(MOST_FILES + 1)))

    told = summarise_history(newest_first, tree, 100).told

    assert [(row.subject, row.message, row.paths) for row in told] == [
        ("Say it shorter", "", ["new.py"]),
        ("Rename it", "", ["new.py"]),
        ("Begin", "And why.", ["new.py"]),
    ]
    assert [row.number for row in told] == sorted({row.number for row in told})


def read_one(listed: bytes) -> Commit:
    [commit] = read_history([listed])
    return commit


def test_messages_of_the_newest_commits_alone_are_kept_and_each_is_bounded() -> None:
    commits = [saying(a_commit("a.py"), f"Step {n}") for n in range(MOST_TOLD + 5)]

    told = summarise_history(commits, a_tree("a.py"), MOST_TOLD + 10).told

    assert [row.subject for row in told] == [f"Step {n}" for n in range(MOST_TOLD)]
    long = read_one(b"commit 1 c p\x1fAda\x1f" + b"word " * 10_000 + b"\0")
    assert len(long.message) == MAX_MESSAGE
    subject, message = what_is_said(f"{long.message}\n\n{long.message}")
    assert (len(subject), len(message)) == (299, 499)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Mend\x00 it\x1b[31m", ("Mend it [31m", "")),
        ("One\nsubject\n\nof two\n\nparts", ("One subject", "of two parts")),
        ("Mend\n\nWhy.\n\nSigned-off-by: Ada <ada@example.org>\nCo-Authored-By: G <g@x.org>", ("Mend", "Why.")),
        ("Tell ada.b+c@mail.example.org of it", ("Tell of it", "")),
        ("@app.route and a@b stay", ("@app.route and a@b stay", "")),
        ("Drop AKIA" + "IOSFODNN7EXAMPLQ", ("Drop [redacted]", "")),
        ("", ("", "")),
    ],
)
def test_a_message_is_told_without_what_is_nobodys_business(message: str, said: tuple[str, str]) -> None:
    assert what_is_said(message) == said
