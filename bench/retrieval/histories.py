"""Questions that any history gives: the subject of a commit, and the source files that it changed.

Asked of the tree of the commit's parent. Left out: merges, commits that change no or more than five files of code that
were there before, subjects of fewer than three words, and those about releases, versions, styles and documents.

Of commits that name an issue also what they say of it: subject and description, twenty words and more, without numbers,
addresses and names of people. The issues' own texts are not in a history.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.retrieval.question_sets import Asked, Task
from processor.languages.detect import file_class_of, language_of
from rag_manager.stages.noise import noise_of

MAX_FILES = 5
_DULL = re.compile(
    r"\b(bump|release|version|changelog|readme|docs?|documentation|typos?|lint|format(ting)?|whitespace|copyright|"
    r"licen[cs]e|merge|revert|pre-commit|dependabot|deps?|upgrade|spelling|prettier|gofmt|rubocop|ruff|black)\b"
    r"|\bv?\d+\.\d+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s*\((?:#\d+|gh-\d+)\)\s*$|\s*#\d+\s*$", re.IGNORECASE)
_HEAD = re.compile(r"^(?:feat|fix|refactor|perf|chore|test|build|ci|style)(?:\([^)]*\))?!?:\s*", re.IGNORECASE)
_ISSUE = re.compile(
    r"\b(?:fix(?:es|ed)?|clos(?:e|es|ed)|resolv(?:e|es|ed)|refs?|see|issue|bug|gh)\b[ :]*(?:issue )?"
    r"(?:[\w.-]+/[\w.-]+)?#\d+[.,]?|https?://\S+/issues/\d+\S*",
    re.IGNORECASE,
)
_TRAILER = re.compile(r"^(?:[A-Z][\w-]+-by:|PR |-{3,}|\* [A-Z]\w+ \w+ <).*$", re.MULTILINE)
_ADDRESS = re.compile(r"https?://\S+|\(?#\d+\)?|\S+@\S+")
_FEWEST, _MOST = 20, 300  # words of what is said of an issue; what is longer is a copied thread
_LOG = "%x1e%H%x1f%P%x1f%s%x1f%b%x1f"


def history_tasks(
    git_dir: Path, name: str, revision: str, count: int, asked_by: Callable[[str, str], str | None]
) -> list[Task]:
    """The newest `count` usable commits before `revision`, the oldest first, each asked of the tree before it.

    `asked_by` says what is asked by a subject and a description, or None.
    """
    command = ["git", f"--git-dir={git_dir}", "log", "--no-merges", "--name-status", "--no-renames"]
    command += [f"--format={_LOG}", revision]
    log = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")
    found: list[Task] = []
    for entry in log.split("\x1e")[1:]:
        commit, parents, subject, description, changes = entry.split("\x1f", 4)
        text = asked_by(subject, description)
        if text and parents and (files := changed_files(changes)):
            found.append(Task(commit, name, git_dir, parents.split()[0], Asked(text, files)))
            if len(found) == count:
                break
    return found[::-1]


def by_subject(subject: str, description: str) -> str | None:
    """What the subject alone asks."""
    del description
    return question_of(subject)


def by_issue(subject: str, description: str) -> str | None:
    """What a commit says of the issue that it names; None where it names none, or says little."""
    said = f"{subject}\n{description}"
    if question_of(subject) is None or not _ISSUE.search(said):
        return None
    text = " ".join(_ADDRESS.sub(" ", _TRAILER.sub(" ", _ISSUE.sub(" ", said))).split())
    return text if _FEWEST <= len(text.split()) <= _MOST else None


def question_of(subject: str) -> str | None:
    """What a subject says, without its kind and its number; None where that tells nothing about code."""
    text = _HEAD.sub("", _TAIL.sub("", subject)).strip()
    return None if len(text.split()) < 3 or _DULL.search(text) else text


def changed_files(changes: str) -> frozenset[str]:
    """The code of `git log --name-status` that was changed, but for tests, examples and the like; empty if too much."""
    pairs = [line.split("\t", 1) for line in changes.strip().splitlines() if "\t" in line]
    code = {path for status, path in pairs if status in {"M", "D"} and is_code(path)}
    return frozenset(code) if len(code) <= MAX_FILES else frozenset()


def is_code(path: str) -> bool:
    """Whether a file does the work: no test, example, document, data or the like."""
    language = language_of(path, "")
    return file_class_of(path, language, "") == "code" and noise_of(path, "code") is None
