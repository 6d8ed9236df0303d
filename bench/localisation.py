"""How often search finds the files that a commit or an issue changed, asked of the tree before it.

    python -m bench localisation --repositories FOLDER --kept FILE [--sets histories,…] [--public FILE …]
        [--commits 150] [--only owner/name,…] [--seconds 280] [--full] [--past] [--peers] [--write FILE]

`--repositories` holds bare clones, `<owner>+<name>/repo`. Sets: the newest commits of histories by their subjects, or
by what they say of the issue that they name. `--public` are sets as lines of JSON (SWE-bench, Loc-Bench, SWE-bench
Multilingual), which are no part of this repository. Every question has a tree of its own, so this takes long: what is
graded is kept in `--kept`, a run ends after `--seconds`, and the next one goes on from there.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from bench.retrieval import Results, by_repository, load_embedders, load_whole, say, table
from bench.retrieval.cases import FEWEST, HELD_OUT, TUNED, Stores, git_dir_of
from bench.retrieval.histories import by_issue, by_subject, history_tasks
from bench.retrieval.issues import issue_tasks
from bench.retrieval.kept import Kept
from bench.retrieval.measures import LOCALISED, MEASURES, of_files
from bench.retrieval.past import earlier_at
from bench.retrieval.question_sets import Asked, Task
from bench.retrieval.repository_index import Indexer, RepositoryIndex, tree
from bench.retrieval.retrievers import Retriever, Search, usable
from rag_manager.stages.rank import Weights
from runtime.settings import HomeSettings

HISTORIES: Mapping[str, tuple[str, Mapping[str, str], Callable[[str, str], str | None]]] = {
    "histories": ("Commit → files, tuned on", TUNED, by_subject),
    "histories-held-out": ("Commit → files, never tuned on", HELD_OUT, by_subject),
    "issues": ("Issue as its commit tells it → files, tuned on", TUNED, by_issue),
    "issues-held-out": ("Issue as its commit tells it → files, never tuned on", HELD_OUT, by_issue),
}


@dataclass(frozen=True)
class TaskSet:
    """`absent`: how many questions have no tree at hand. Public ones are reported as their makers do, in one heap.

    `shared`: how many questions in a row may be asked of one tree, if the files that are right are in it as they are in
    the question's own. They are in the order of time, so that it is an earlier tree: nothing of an answer is in it.
    """

    title: str
    tasks: Sequence[Task]
    absent: int = 0
    public: bool = False
    shared: int = 1


def grade_tasks(
    chosen: TaskSet, stores: Stores, retrievers: Mapping[str, Retriever], kept: Kept, *, commit: str, until: float
) -> bool:
    """Grade what is not kept yet, until a time of `time.monotonic()`. Returns whether all of it is graded."""
    todo = [task for task in chosen.tasks if not retrievers.keys() <= kept.of(task).keys()]
    for git_dir, group in groupby(todo, key=lambda task: task.git_dir):
        tasks = list(group)
        cases = stores.cases(f"trees-{git_dir.parent.name}", tasks[0].repository, indexed(tasks, chosen.shared))
        for task, case in zip(tasks, cases, strict=True):
            known = {"others": case.others, "earlier": earlier_at(task.git_dir, task.revision)}
            search = Search(task.asked.text, case.index, case.similar, Weights(), **known)
            values = {name: of_files(ask(search), task.asked.files) for name, ask in retrievers.items()}
            kept.add(task, commit, values)
            if time.monotonic() > until:
                cases.close()
                return task is todo[-1]
    return True


def indexed(tasks: Sequence[Task], shared: int) -> Iterator[tuple[Asked, RepositoryIndex]]:
    """Each question with the index of its tree, or of the one before where that may be (see `TaskSet`)."""
    indexer = Indexer(tasks[0].git_dir)
    index, left = None, 0
    blobs: Mapping[str, str] = {}
    for task in tasks:
        own = dict(tree(task.git_dir, task.revision))
        alike = all(blobs.get(path) == own.get(path) for path in task.asked.files)
        if index is None or (own != blobs and not (alike and left)):
            index, blobs, left = indexer.index(task.revision), own, shared
        left -= 1
        yield task.asked, index


def results_of(chosen: TaskSet, retrievers: Sequence[str], kept: Kept, *, pooled: bool = False) -> Results:
    """What is graded by all of the retrievers; `pooled`: as if all questions were of one repository."""
    results: Results = {name: {} for name in retrievers}
    for task in chosen.tasks:
        values = kept.of(task)
        if values.keys() >= results.keys():
            for name in retrievers:
                results[name].setdefault("all" if pooled else task.repository, []).append(values[name])
    return results


def task_sets(options: argparse.Namespace) -> Iterator[TaskSet]:
    """The sets that were asked for, of the repositories that were."""
    only = {name.lower() for name in options.only.split(",")} if options.only else None
    for name in options.sets.split(",") if options.sets else ():
        title, revisions, asked_by = HISTORIES[name]
        dirs = {repository: git_dir_of(options.repositories, repository) for repository in revisions}
        found = [
            history_tasks(dirs[repository], repository, revision, options.commits, asked_by)
            for repository, revision in revisions.items()
            if dirs[repository].is_dir() and (only is None or repository.lower() in only)
        ]
        enough = [task for tasks in found if len(tasks) >= FEWEST for task in tasks]
        yield TaskSet(title, enough, shared=options.shared)
    for file in options.public:
        tasks, absent = issue_tasks(file, options.repositories)
        kept = [task for task in tasks if only is None or task.repository.lower() in only]
        yield TaskSet(f"{file.stem}: issue → files", kept, absent, public=True)


def tables(chosen: TaskSet, retrievers: Sequence[str], kept: Kept) -> Iterator[str]:
    """What is graded of a set: all measures, and each repository."""
    results = results_of(chosen, retrievers, kept)
    graded = sum(map(len, next(iter(results.values())).values()))
    if not graded:
        return
    yield f"## {chosen.title}\n\n{graded} of {len(chosen.tasks)} graded; {chosen.absent} have no tree at hand."
    if chosen.public:
        yield table("All questions in one heap", results_of(chosen, retrievers, kept, pooled=True), LOCALISED)
        yield f"Acc@5:\n\n{by_repository(results, 'Acc@5')}"
    else:
        yield table("Means of the repositories' means", results, MEASURES)
        yield f"MRR:\n\n{by_repository(results, 'MRR')}"


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    home = HomeSettings().home
    parser = argparse.ArgumentParser(prog="python -m bench localisation", description=__doc__)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument(
        "--kept", type=Path, required=True, help="where graded questions are kept; one file for one ranking"
    )
    parser.add_argument("--models", type=Path, default=home / "models")
    parser.add_argument("--cache", type=Path, default=home / "cache" / "bench")
    parser.add_argument("--sets", help=f"of histories, by commas: {', '.join(HISTORIES)}")
    parser.add_argument("--public", type=Path, nargs="*", default=[], help="public sets, lines of JSON")
    parser.add_argument("--only", help="these repositories, by commas")
    parser.add_argument("--commits", type=int, default=150, help="of each history")
    parser.add_argument("--shared", type=int, default=20, help="commits in a row that may be asked of one tree")
    parser.add_argument("--seconds", type=float, default=280.0, help="after which a run ends")
    parser.add_argument("--full", action="store_true", help="with the full model, too: a long time for large trees")
    parser.add_argument("--past", action="store_true", help="also as where the history was asked for")
    parser.add_argument("--peers", action="store_true", help="beside other systems' passages and maps, same vectors")
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    return parser.parse_args(arguments)


def report(options: argparse.Namespace) -> Iterator[str]:
    """Grade for as long as was asked for; then the parts of the result."""
    until = time.monotonic() + options.seconds
    said = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False)
    commit = said.stdout.strip() or "unknown"
    embedders = load_embedders(options.models)
    chosen = {kind: model for kind, model in embedders.items() if options.full or kind == "quick"}
    peers = load_whole(options.models) if options.peers else None
    retrievers = usable(chosen, peers=peers is not None, past=options.past)
    stores = Stores(chosen, options.cache, peers)
    kept = Kept(options.kept)
    sets = list(task_sets(options))
    whole = [
        time.monotonic() < until and grade_tasks(one, stores, retrievers, kept, commit=commit, until=until)
        for one in sets
    ]
    load = os.getloadavg()[1]
    graded_at = ", ".join(sorted(kept.commits))
    yield f"{datetime.now(UTC):%Y-%m-%d}, graded at {graded_at}, {os.cpu_count()} cores at load {load:.0f}."
    for one in sets:
        yield from tables(one, list(retrievers), kept)
    if not all(whole):
        yield "Not all is graded: run it again."


def main() -> None:
    """Measure, and print Markdown."""
    options = options_of()
    say(report(options), options.write)
