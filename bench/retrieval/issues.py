"""Questions that public sets ask: the text of an issue, and the files that were changed for it.

In:  lines of JSON as SWE-bench, Loc-Bench and their like have them: `instance_id`, `repo`, `base_commit`,
     `problem_statement`, `patch`, and maybe `gold_override`, the files that count in place of the patch's.
Out: tasks, in the order of repositories and of the time of their commits; instances whose commit is not at hand.

Right are the files of code that the patch changes and that were there before; where it changes none, all such files.
"""

import ast
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.retrieval.histories import is_code
from bench.retrieval.question_sets import Asked, Task

_CHANGED = re.compile(r"^--- a/(.+?)\t?$", re.MULTILINE)


def issue_tasks(file: Path, repositories: Path) -> tuple[list[Task], int]:
    """The tasks whose tree is in one of `repositories`, and how many others there are."""
    rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    dated: list[tuple[str, int, Task]] = []
    for row in rows:
        found = _find(repositories, row["repo"], row["base_commit"])
        files = _files(row)
        if found is not None and files:
            git_dir, time = found
            asked = Asked(row["problem_statement"], files)
            dated.append((row["repo"], time, Task(row["instance_id"], row["repo"], git_dir, row["base_commit"], asked)))
    ordered = sorted(dated, key=lambda one: (one[0], one[1], one[2].name))
    return [task for _, _, task in ordered], len(rows) - len(dated)


def _files(row: Mapping[str, Any]) -> frozenset[str]:
    instead = row.get("gold_override")
    if instead:
        return frozenset(ast.literal_eval(instead) if isinstance(instead, str) else instead)
    changed = frozenset(_CHANGED.findall(row["patch"]))
    return frozenset(filter(is_code, changed)) or changed


def _find(repositories: Path, name: str, commit: str) -> tuple[Path, int] | None:
    """The repository, or another of its name, that has a commit, and when that was made (seconds)."""
    owner, _, short = name.lower().partition("/")
    same = [folder for folder in repositories.iterdir() if folder.name.lower().endswith(f"+{short}")]
    for folder in sorted(same, key=lambda folder: (folder.name.lower() != f"{owner}+{short}", folder.name)):
        asked = ["git", f"--git-dir={folder / 'repo'}", "show", "-s", "--format=%ct", f"{commit}^{{commit}}"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False)
        if said.returncode == 0:
            return folder / "repo", int(said.stdout)
    return None
