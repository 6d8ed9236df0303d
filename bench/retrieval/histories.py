"""Questions that any history gives: the subject of a commit, and the source files that it changed.

Asked of the tree of the commit's parent. Left out: merges, commits that change no or more than five files of code that
were there before, subjects of fewer than three words, and those about releases, versions, styles and documents.
"""

import re
import subprocess
from pathlib import Path

from bench.retrieval.question_sets import Asked, QuestionSet
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
_LOG = "%x1e%H%x1f%P%x1f%s%x1f"


def history_sets(git_dir: Path, name: str, revision: str, count: int) -> list[QuestionSet]:
    """The newest `count` usable commits before `revision`, a set of one question each."""
    command = ["git", f"--git-dir={git_dir}", "log", "--no-merges", "--name-status", "--no-renames"]
    command += [f"-n{60 * count}", f"--format={_LOG}", revision]
    log = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8", "replace")
    found: list[QuestionSet] = []
    for entry in log.split("\x1e")[1:]:
        _, parents, subject, changes = entry.split("\x1f")
        text, files = question_of(subject), changed_files(changes)
        if text and files and parents:
            found.append(QuestionSet(name, "", parents.split()[0], "", (Asked(text, files),)))
            if len(found) == count:
                break
    return found


def question_of(subject: str) -> str | None:
    """What a subject says, without its kind and its number; None where that tells nothing about code."""
    text = _HEAD.sub("", _TAIL.sub("", subject)).strip()
    return None if len(text.split()) < 3 or _DULL.search(text) else text


def changed_files(changes: str) -> frozenset[str]:
    """The code of `git log --name-status` that was changed, but for tests, examples and the like; empty if too much."""
    pairs = [line.split("\t", 1) for line in changes.strip().splitlines() if "\t" in line]
    code = {path for status, path in pairs if status in {"M", "D"} and _is_code(path)}
    return frozenset(code) if len(code) <= MAX_FILES else frozenset()


def _is_code(path: str) -> bool:
    language = language_of(path, "")
    return file_class_of(path, language, "") == "code" and noise_of(path, "code") is None
