import json
import subprocess
import time
from pathlib import Path

import pytest

from bench.localisation import TaskSet, grade_tasks, indexed, options_of, results_of, tables, task_sets
from bench.retrieval.cases import Stores
from bench.retrieval.cuts import Place
from bench.retrieval.histories import by_subject, history_tasks
from bench.retrieval.issues import issue_tasks
from bench.retrieval.kept import Kept
from bench.retrieval.measures import of_files
from bench.retrieval.question_sets import Asked, Task
from bench.retrieval.retrievers import RETRIEVERS

_OURS = {name: RETRIEVERS[name] for name in ("grep", "BM25 alone", "ours, lexical")}


def git(git_dir: Path, work: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={git_dir}", f"--work-tree={work}", "-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def doors(tmp_path: Path) -> tuple[Path, list[str]]:
    """A bare repository `owner+doors/repo` of three commits, and their hashes, the oldest first."""
    git_dir, work = tmp_path / "mirror" / "owner+doors" / "repo", tmp_path / "work"
    work.mkdir()
    git_dir.mkdir(parents=True)
    git(git_dir, work, "init", "-q")
    trees = [
        {"door.py": "def shut_the_door():\n    return 1\n", "paint.py": "def mix_colours():\n    return 2\n"},
        {"door.py": "def shut_the_door():\n    return 3\n"},
        {"paint.py": "def mix_colours():\n    return 4\n", "notes.md": "Colours\n"},
    ]
    subjects = ["Doors and paint", "Shut the door without any noise", "Mix colours in the right order (#7)"]
    commits = []
    for files, subject in zip(trees, subjects, strict=True):
        for path, text in files.items():
            (work / path).write_text(text)
        git(git_dir, work, "add", ".")
        git(git_dir, work, "commit", "-q", "-m", subject)
        commits.append(git(git_dir, work, "rev-parse", "HEAD"))
    return git_dir, commits


def an_issue(name: str, repository: str, commit: str, *changed: str, **more: object) -> str:
    patch = "".join(f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n" for path in changed)
    told = {"instance_id": name, "repo": repository, "base_commit": commit, "problem_statement": f"{name} is wrong"}
    return json.dumps({**told, "patch": patch, **more}) + "\n"


def test_a_commit_is_asked_of_the_tree_before_it(doors: tuple[Path, list[str]]) -> None:
    git_dir, commits = doors

    tasks = history_tasks(git_dir, "owner/doors", "HEAD", 9, by_subject)

    assert [(task.name, task.revision, task.asked.text, task.asked.files) for task in tasks] == [
        (commits[1], commits[0], "Shut the door without any noise", frozenset({"door.py"})),
        (commits[2], commits[1], "Mix colours in the right order", frozenset({"paint.py"})),
    ]


def test_an_earlier_tree_is_asked_only_if_the_right_files_are_in_it_as_they_are_in_their_own(
    doors: tuple[Path, list[str]],
) -> None:
    git_dir, commits = doors
    of_door, of_paint = history_tasks(git_dir, "owner/doors", "HEAD", 9, by_subject)
    of_both = Task("both", "owner/doors", git_dir, commits[1], Asked("both", frozenset({"door.py", "paint.py"})))

    def trees(*tasks: Task, shared: int) -> int:
        return len({id(index) for _, index in list(indexed(tasks, shared))})

    assert trees(of_door, of_paint, shared=1) == 2
    assert trees(of_door, of_paint, shared=2) == 1  # its own tree has another door, and the same paint
    assert trees(of_door, of_both, shared=2) == 2
    assert trees(of_paint, of_both, shared=1) == 1  # the same tree


def test_issues_are_found_in_a_repository_of_the_same_name_and_ordered_by_time(
    doors: tuple[Path, list[str]], tmp_path: Path
) -> None:
    git_dir, commits = doors
    file = tmp_path / "public.jsonl"
    file.write_text(
        an_issue("late", "Else/Doors", commits[1], "paint.py", "notes.md")
        + an_issue("early", "else/doors", commits[0], "door.py")
        + an_issue("gone", "else/doors", "0" * 40, "door.py")
        + an_issue("other", "else/windows", commits[0], "door.py")
        + an_issue("told", "else/doors", commits[2], "door.py", gold_override="['notes.md']")
        + an_issue("listed", "else/doors", commits[2], "door.py", gold_override=["notes.md"])
        + an_issue("words", "else/doors", commits[2], "notes.md")
    )

    tasks, absent = issue_tasks(file, git_dir.parent.parent)

    assert absent == 2
    assert [(task.name, set(task.asked.files)) for task in tasks if task.repository == "else/doors"] == [
        ("early", {"door.py"}),
        ("listed", {"notes.md"}),
        ("told", {"notes.md"}),
        ("words", {"notes.md"}),
    ]
    assert [(task.name, set(task.asked.files)) for task in tasks if task.repository == "Else/Doors"] == [
        ("late", {"paint.py"})
    ]
    assert {task.git_dir for task in tasks} == {git_dir}


def test_a_run_goes_on_where_the_one_before_ended(doors: tuple[Path, list[str]], tmp_path: Path) -> None:
    git_dir, _ = doors
    chosen = TaskSet("doors", history_tasks(git_dir, "owner/doors", "HEAD", 9, by_subject))
    stores, file = Stores({}, tmp_path / "cache"), tmp_path / "kept.jsonl"

    whole = grade_tasks(chosen, stores, _OURS, Kept(file), commit="one", until=time.monotonic())
    assert not whole
    assert len(file.read_text().splitlines()) == 1
    again = Kept(file)
    assert grade_tasks(chosen, stores, _OURS, again, commit="two", until=time.monotonic() + 60)

    assert len(file.read_text().splitlines()) == 2
    assert again.commits == {"one", "two"}
    found = results_of(chosen, list(_OURS), Kept(file))["ours, lexical"]["owner/doors"]
    assert [values["Acc@1"] for values in found] == [1.0, 1.0]
    told = "\n".join(tables(chosen, list(_OURS), again))
    assert "2 of 2 graded" in told
    assert "| owner/doors | 2 |" in told


def test_what_not_all_retrievers_have_graded_is_not_compared(doors: tuple[Path, list[str]], tmp_path: Path) -> None:
    git_dir, _ = doors
    chosen = TaskSet("doors", history_tasks(git_dir, "owner/doors", "HEAD", 9, by_subject))
    kept = Kept(tmp_path / "kept.jsonl")
    kept.add(chosen.tasks[0], "one", {"grep": of_files([], frozenset({"a.py"}))})

    assert results_of(chosen, ["grep", "BM25 alone"], kept) == {"grep": {}, "BM25 alone": {}}
    assert list(tables(chosen, ["grep", "BM25 alone"], kept)) == []


def test_a_change_of_what_is_right_is_another_question(doors: tuple[Path, list[str]]) -> None:
    git_dir, _ = doors
    one, two = (
        Task("same", "owner/doors", git_dir, "HEAD", asked)
        for asked in (task.asked for task in history_tasks(git_dir, "owner/doors", "HEAD", 9, by_subject))
    )

    assert one.key != two.key
    assert one.key == Task("else", one.repository, git_dir, one.revision, one.asked).key


def test_only_the_repositories_that_were_asked_for(doors: tuple[Path, list[str]], tmp_path: Path) -> None:
    git_dir, commits = doors
    file = tmp_path / "public.jsonl"
    file.write_text(an_issue("a", "owner/doors", commits[0], "door.py"))
    told = ["--repositories", str(git_dir.parent.parent), "--kept", str(tmp_path / "k"), "--public", str(file)]

    assert [len(one.tasks) for one in task_sets(options_of(told))] == [1]
    assert [len(one.tasks) for one in task_sets(options_of([*told, "--only", "Owner/Doors"]))] == [1]
    assert [len(one.tasks) for one in task_sets(options_of([*told, "--only", "owner/windows"]))] == [0]


def test_all_right_files_have_to_be_among_the_first() -> None:
    found = [Place(path, 1, 9, 100) for path in ("a.py", "c.py", "b.py")]

    values = of_files(found, frozenset({"a.py", "b.py"}))

    assert (values["R@1"], values["Acc@1"], values["Acc@5"]) == (1.0, 0.0, 1.0)
    assert of_files(found, frozenset({"a.py", "z.py"}))["Acc@10"] == 0.0
    assert of_files(found, frozenset())["Acc@10"] == 0.0
