"""What was graded already, kept line by line, so that a long run can be taken in parts.

In:  a file with a line of JSON a task that was graded: its key and name, commit of the code, values by retriever.
Out: the values of a task by retriever; later lines add to earlier ones.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from bench.retrieval.measures import Values
from bench.retrieval.question_sets import Task


class Kept:
    """The lines of one file. `commits` are those of the code that graded them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._values: dict[str, dict[str, Values]] = {}
        self.commits: set[str] = set()
        for line in file.read_text().splitlines() if file.is_file() else ():
            row = json.loads(line)
            self._take(row["key"], row["commit"], row["values"])

    def of(self, task: Task) -> Mapping[str, Values]:
        """Retriever → values; empty where it was not graded."""
        return self._values.get(task.key, {})

    def add(self, task: Task, commit: str, values: Mapping[str, Values]) -> None:
        """Keep what one task is worth, at once."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as lines:
            lines.write(json.dumps({"key": task.key, "name": task.name, "commit": commit, "values": values}) + "\n")
        self._take(task.key, commit, values)

    def _take(self, key: str, commit: str, values: Mapping[str, Values]) -> None:
        self._values.setdefault(key, {}).update(values)
        self.commits.add(commit)
