"""Tables of real projects: what the running system finds, beside what a person or the ecosystem's own tool finds.

    python -m bench projects --repositories FOLDER --work FOLDER [--typescript FOLDER]
        [--only NAME …] [--again] [--show N]

FOLDER of `--repositories` has the bare repositories by name (`flask.git`, …). They are served on loopback and analysed
by a system of their own; what the API says of them is kept in `--work`, where they are checked out as well. `--again`
analyses nothing and compares what is kept. TypeScript's compiler is looked for in `node_modules` below `--typescript`.
Wanted besides: git, universal-ctags, cloc, licensecheck, go, cargo, npm, cmake, g++.
"""

import argparse
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.projects.analysed import Analysed, analyse
from bench.projects.compared import Row, judged
from bench.projects.person import PERSONS, SHARED
from bench.projects.tools import commit_of

RESULTS = Path(__file__).parent.parent / "results" / "projects.md"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--typescript", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(PERSONS), default=list(PERSONS))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    compiler = arguments.typescript / "node_modules" / "typescript" if arguments.typescript else None
    roots = {name: _checked_out(arguments.repositories, arguments.work, name) for name in arguments.only}
    if not arguments.again:
        with tempfile.TemporaryDirectory(prefix="bench-projects-") as folder:
            for project in analyse(arguments.repositories, roots, Path(folder)):
                project.keep(arguments.work / f"{project.name}.json")
    parts = []
    for name, root in roots.items():
        project = Analysed.kept(name, root, arguments.work / f"{name}.json")
        assert project.view["commit"] == commit_of(root), f"{name}: another commit is kept"
        rows = list(judged(project, PERSONS[name], compiler))
        parts.append(_section(project, rows))
        print(parts[-1], *_examples(rows, arguments.show), sep="\n", flush=True)
    if arguments.only == list(PERSONS):
        RESULTS.write_text("\n".join([_head(), *parts]))


def _checked_out(repositories: Path, work: Path, name: str) -> Path:
    root = (work / name).resolve()
    if not root.is_dir():
        source = next(path for path in (repositories / f"{name}.git", repositories / name) if path.exists())
        subprocess.run(["git", "clone", "-q", "--shared", str(source.resolve()), str(root)], check=True)
    return root


def _section(project: Analysed, rows: Iterable[Row]) -> str:
    person = PERSONS[project.name]
    title = f"## {project.name}: {person.what}\n\nCommit {project.view['commit'][:12]}, by {project.by[:12]}.\n"
    table = ["| what | found | beside | same | by | why they differ |", "|---|---|---|---|---|---|"]
    for row in rows:
        why = "" if row.is_same else person.explained.get(row.what, SHARED.get(row.what, "not explained"))
        table.append(f"| {row.what} | {row.found:,} | {row.beside:,} | {row.same:,} | {row.by} | {why} |")
    return "\n".join([title, *table, ""])


def _examples(rows: Iterable[Row], show: int) -> Iterable[str]:
    for row in rows:
        if row.differing and show:
            yield f"{row.what}: {len(row.differing)}"
            yield from (f"    {one}" for one in row.differing[:show])


def _head() -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return f"""# Real projects beside their own tools

`python -m bench projects` on {datetime.now(UTC):%-d %B %Y}, {machine}: each analysed by the running system from a git
server on loopback, and read back through the API. *Found* is what the API says, *beside* what somebody else finds,
*same* what both say; the commit is that of the project, `by` that of the code which analysed it.
"""
