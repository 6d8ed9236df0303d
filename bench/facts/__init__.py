"""Facts about code against independent truth: definitions, imports and Python calls.

    python -m bench facts definitions FOLDER…
    python -m bench facts imports FOLDER…
    python -m bench facts record FOLDER --python PYTHON     (runs its tests under the recorder)
    python -m bench facts calls FOLDER…
    python -m bench facts names FOLDER… --python PYTHON

A folder is a checked out project. `record` writes `<folder>.seen.json` beside it, which `calls` reads; PYTHON is that
of an environment in which its tests run (`names`: in which its modules are importable). `--show N` prints
examples of what differs.
"""

import argparse
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.facts import calls, definitions, imports, names
from bench.facts.project import Project


def seen_file(folder: Path) -> Path:
    """Where the calls that were seen are written."""
    return folder.with_name(f"{folder.name}.seen.json")


def record(folder: Path, python: str) -> None:
    """Run the tests of a project under the recorder."""
    found = {**os.environ, "FACTS_ROOT": str(folder), "FACTS_OUT": str(seen_file(folder).resolve())}
    found["PYTHONPATH"] = os.pathsep.join((str(folder / "src"), str(folder), str(Path(__file__).parent)))
    command = [python, "-m", "pytest", "-q", "-p", "recorder", "-p", "no:cacheprovider", "tests"]
    subprocess.run(command, cwd=folder, env=found, check=False)  # tests that fail have called, too


def of_definitions(folders: list[Path], show: int) -> Iterator[str]:
    """A row for each language of each project."""
    yield "| project | language | ctags' definitions | found | share |"
    yield "|---|---|---|---|---|"
    tags, found = Counter[str](), Counter[str]()
    for folder in folders:
        there, ours, missed = definitions.compared(Project(folder))
        tags, found = tags + there, found + ours
        for language, number in sorted(there.items()):
            yield _row(folder.name, language, number, ours[language])
        yield from _examples(missed, show)
    for language, number in sorted(tags.items()):
        yield _row("**all**", language, number, found[language])


_RESOLVERS = (
    ("importlib", imports.python_imports),
    ("Node", imports.script_imports),
    ("packages and names, read", imports.jvm_imports),
)


def of_imports(folders: list[Path], show: int) -> Iterator[str]:
    """A row for each project and resolver."""
    yield "| project | resolver | imports | same answer | share |"
    yield "|---|---|---|---|---|"
    for folder in folders:
        project = Project(folder)
        for name, compare in _RESOLVERS:
            agreement = compare(project)
            if agreement.asked:
                yield _row(folder.name, name, agreement.asked, agreement.same)
                yield from _examples([(_said(row), answer) for row, answer in agreement.other], show)


def _said(row: dict[str, Any]) -> str:
    return f"{row['path']}:{row['line']} {row['module']} {row['name']} → {row['target'] or row['resolution']}"


def of_calls(folders: list[Path], show: int) -> Iterator[str]:
    """Precision by level, then recall by how a call is written."""
    yield "| project | measure | of | right | share |"
    yield "|---|---|---|---|---|"
    totals = [Counter[str]() for _ in range(4)]
    for folder in folders:
        sources = calls.Sources(folder)
        scored = calls.score(Project(folder), calls.seen_in(seen_file(folder), sources), sources)
        for total, of_one in zip(totals, scored[:4], strict=True):
            total.update(of_one)
        yield from _scores(folder.name, *scored[:4])
        yield from _examples(scored.wrong, show)
        yield from _examples(scored.missed, show)
    yield from _scores("**all**", *totals)


def of_names(folders: list[Path], show: int, python: str) -> Iterator[str]:
    """Precision of links that name without calling, and recall of what Python finds."""
    yield "| project | measure | of | right | share |"
    yield "|---|---|---|---|---|"
    totals = Counter[str]()
    for folder in folders:
        one = names.graded(Project(folder), python)
        right, judged = one.verdicts["right"], one.verdicts["right"] + one.verdicts["wrong"]
        totals.update(right=right, judged=judged, found=one.found, there=one.there)
        yield _row(folder.name, "precision", judged, right)
        yield _row(folder.name, "recall", one.there, one.found)
        yield from _examples(one.wrong, show)
        yield from _examples(one.missed, show)
    yield _row("**all**", "precision", totals["judged"], totals["right"])
    yield _row("**all**", "recall", totals["there"], totals["found"])


def _scores(
    project: str, judged: Counter[str], right: Counter[str], visible: Counter[str], found: Counter[str]
) -> Iterator[str]:
    for level in ("exact", "inferred", "overloaded", "named", "all"):
        if judged[level]:
            yield _row(project, f"precision, {level}", judged[level], right[level])
    words = {"named": "visible by scopes", "value": "asked of a value", "all": "all that is written"}
    for how, word in words.items():
        if visible[how]:
            yield _row(project, f"recall, {word}", visible[how], found[how])


def _row(project: str, what: str, number: int, right: int) -> str:
    return f"| {project} | {what} | {number:,} | {right:,} | {right / max(1, number):.4f} |"


def _examples(found: list[Any], show: int) -> Iterator[str]:
    for one in random.Random(1).sample(found, min(show, len(found))):  # a choice of examples
        yield f"    {one}"


def main() -> None:
    """Grade, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["definitions", "imports", "record", "calls", "names"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--python", default="python3")
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    folders = [folder.resolve() for folder in arguments.folders]
    if arguments.what == "record":
        for folder in folders:
            record(folder, arguments.python)
        return
    if arguments.what == "names":
        for line in of_names(folders, arguments.show, arguments.python):
            print(line, flush=True)
        return
    graded = {"definitions": of_definitions, "imports": of_imports, "calls": of_calls}[arguments.what]
    for line in graded(folders, arguments.show):
        print(line, flush=True)
