"""Say what a repository's past tells of it: who worked on it, which files change often, and which change together.

In:  the newest commits, newest first, and the tree that they led to.
Out: facts of a bounded size, of each file how often it was changed, and what commits say of files. Churn is counted in
     commits: lines would need every version of every file.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations

from events.artifacts import ChurnRow, CommitRow, TreeRow
from processor.stages.read_history import Commit
from processor.stages.tell_commits import MOST_FILES, MOST_TOLD, tell_commits

MOST_LISTED = 50
MOST_TOGETHER = MOST_FILES  # files of one commit: a larger one couples nothing
LEAST_TOGETHER = 3  # commits that make a pair
_MOST_PAIRED = 2_000  # the files that changed most often: pairs grow by their square
_MOST_PAIRS = 500_000
_MOST_RENAMES = 100  # of one file
_BOT = re.compile(
    r"\[bot\]$|^(dependabot|renovate|greenkeeper|pyup|snyk|github[- ]actions|pre-commit-ci|web-flow)\b|[- _]bot$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class History:
    """What the commits tell: facts, the churn of every file that was changed, by path, and what they say of files."""

    facts: dict[str, object]
    churn: tuple[ChurnRow, ...]
    told: tuple[CommitRow, ...] = ()


@dataclass
class _Person:
    commits: int = 0
    first: datetime | None = None
    last: datetime | None = None


@dataclass
class _File:
    commits: int = 0
    authors: set[str] = field(default_factory=set)
    last: datetime | None = None


@dataclass
class _Past:
    """What was counted. Merges count for nobody and change nothing: what they bring was counted before."""

    commits: int = 0
    merges: int = 0
    dates: list[datetime] = field(default_factory=list)
    people: dict[str, _Person] = field(default_factory=dict)
    changed: list[Commit] = field(default_factory=list)  # the messages of the newest of them alone
    renamed: dict[str, str] = field(default_factory=dict)

    def take(self, commit: Commit) -> None:
        self.commits += 1
        if commit.authored_at is not None:
            self.dates = [*self.dates[:1], commit.authored_at]
        if commit.is_merge:
            self.merges += 1
            return
        person = self.people.setdefault(commit.author, _Person())
        person.commits += 1
        person.first, person.last = _span(person.first, person.last, commit.authored_at)
        for change in commit.changes:
            if change.before is not None:
                self.renamed.setdefault(change.before, change.path)  # the newest: what became of it last
        told = len(self.changed) < MOST_TOLD
        self.changed.append(commit if told else commit._replace(message=""))


def summarise_history(
    commits: Iterable[Commit], tree: Iterable[TreeRow], depth: int, look: Callable[[int], None] = lambda _done: None
) -> History:
    """Return the history of the newest `depth` of `commits`; one more says that there is more. Pure.

    `look` is told how many commits were read, and may raise to stop. Of renamed files the changes before count for
    their present path; of files that are not in `tree` any more, nothing is said.
    """
    past, is_complete = _Past(), True
    for number, commit in enumerate(commits):
        if number == depth:
            is_complete = False
            break
        past.take(commit)
        if number % 100 == 0:
            look(number)
    rows = {row.path: (row.lines, sys.intern(row.file_class)) for row in tree}
    now = [(commit, _present(commit.paths, past.renamed, rows)) for commit in past.changed]
    touched = [(commit.author, commit.authored_at, paths) for commit, paths in now]
    files = _files(touched)
    pairs, swept = _pairs([paths for _, _, paths in touched], files)
    bots = {name for name in past.people if is_bot(name)}
    facts: dict[str, object] = {
        "depth": depth,
        "complete": is_complete,
        "commits": past.commits,
        "merges": past.merges,
        "bot_commits": sum(past.people[name].commits for name in bots),
        "contributors": len(past.people) - len(bots),
        "files_changed": len(files),
        "sweeps": swept,
        "newest_at": _text(past.dates[0] if past.dates else None),
        "oldest_at": _text(past.dates[-1] if past.dates else None),
        "top_contributors": _contributors(past.people, bots),
        "hot_spots": _hot_spots(files, rows),
        "co_changes": pairs,
    }
    churn = (ChurnRow(path=path, commits=file.commits, authors=len(file.authors)) for path, file in files.items())
    return History(facts, tuple(sorted(churn, key=lambda row: row.path.encode())), tell_commits(now))


def is_bot(name: str) -> bool:
    """Whether a program writes commits under this name."""
    return _BOT.search(name) is not None


def _span(
    first: datetime | None, last: datetime | None, at: datetime | None
) -> tuple[datetime | None, datetime | None]:
    if at is None:
        return first, last
    return min(first or at, at), max(last or at, at)


def _present(paths: Iterable[str], renamed: Mapping[str, str], rows: Collection[str]) -> tuple[str, ...]:
    """The paths that the files have now; without those that are gone."""
    found = set()
    for path in paths:
        now = path
        for _ in range(_MOST_RENAMES):
            if now in rows or now not in renamed:
                break
            now = renamed[now]
        if now in rows:
            found.add(now)
    return tuple(sorted(found))


def _files(touched: Sequence[tuple[str, datetime | None, tuple[str, ...]]]) -> dict[str, _File]:
    files: dict[str, _File] = {}
    for author, at, paths in touched:
        for path in paths:
            file = files.setdefault(path, _File())
            file.commits += 1
            file.authors.add(author)
            _, file.last = _span(None, file.last, at)
    return files


def _contributors(people: Mapping[str, _Person], bots: set[str]) -> list[dict[str, object]]:
    order = sorted(people.items(), key=lambda item: (-item[1].commits, item[0]))
    return [
        {
            "name": name,
            "commits": person.commits,
            "first_at": _text(person.first),
            "last_at": _text(person.last),
            "bot": name in bots,
        }
        for name, person in order[:MOST_LISTED]
    ]


def _hot_spots(files: Mapping[str, _File], rows: Mapping[str, tuple[int, str]]) -> list[dict[str, object]]:
    order = sorted(files.items(), key=lambda item: (-item[1].commits, item[0]))
    return [
        {
            "path": path,
            "commits": file.commits,
            "authors": len(file.authors),
            "last_at": _text(file.last),
            "lines": rows[path][0],
            "file_class": rows[path][1],
        }
        for path, file in order[:MOST_LISTED]
    ]


def _pairs(commits: Sequence[tuple[str, ...]], files: Mapping[str, _File]) -> tuple[list[dict[str, object]], int]:
    """The files that changed in the same commits most often; and how many commits changed too many to say so."""
    often = sorted(
        (path for path in files if files[path].commits >= LEAST_TOGETHER), key=lambda path: (-files[path].commits, path)
    )
    counted = frozenset(often[:_MOST_PAIRED])
    together: Counter[tuple[str, str]] = Counter()
    swept = 0
    for paths in commits:
        if len(paths) > MOST_TOGETHER:
            swept += 1
        elif len(together) < _MOST_PAIRS:
            together.update(combinations([path for path in paths if path in counted], 2))
    order = sorted((-n, pair) for pair, n in together.items() if n >= LEAST_TOGETHER)[:MOST_LISTED]
    return [
        {
            "paths": list(pair),
            "commits": -n,
            "share": round(-n / min(files[path].commits for path in pair), 3),
        }
        for n, pair in order
    ], swept


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
