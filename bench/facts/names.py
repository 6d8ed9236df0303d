"""Names that are used without being called, against what Python itself says they mean (`named.py`)."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from bench.facts.project import Project

_ASKED = Path(__file__).with_name("named.py")
_ANSWER = '{"verdicts"'  # what a project's modules print while they are imported stands before it


class Graded(NamedTuple):
    """Verdicts on our links; what Python found, and what of that we found; examples of what is wrong and missed."""

    verdicts: Counter[str]
    there: int
    found: int
    wrong: list[dict[str, Any]]
    missed: list[tuple[str, ...]]


def graded(project: Project, python: str) -> Graded:
    """Compare the links of a project's own modules, below `src` or else anywhere but in its tests."""
    files = [path for path, language in project.languages.items() if language == "python"]
    inside = [path for path in files if path.startswith("src/")]
    files = inside or [path for path in files if not path.startswith(("tests/", "docs/"))]
    links = [row for row in project.links() if row["kind"] == "use" and row["path"] in set(files)]
    ends = ("path", "source", "line", "target_path", "target")
    definitions = [
        (one["path"], one["qualified_name"])
        for one in project.symbols
        if one["path"] in set(files) and one["kind"] in {"class", "function", "method"}
    ]
    question = {
        "root": str(project.root),
        "files": files,
        "links": [[row[end] for end in ends] for row in links],
        "definitions": definitions,
    }
    place = os.pathsep.join((str(project.root / "src"), str(project.root)))
    said = subprocess.run(
        [python, str(_ASKED)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": place},
    ).stdout
    answer = json.loads(said[said.index(_ANSWER) :])
    ours = {(row["path"], row["source"], row["target_path"], row["target"]) for row in project.links()}
    there = {tuple(one) for one in answer["found"] if one[:2] != one[2:]}
    wrong = [row for row, verdict in zip(links, answer["verdicts"], strict=True) if verdict == "wrong"]
    return Graded(Counter(answer["verdicts"]), len(there), len(there & ours), wrong, sorted(there - ours))
