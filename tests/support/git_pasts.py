"""A repository with a past that is hard to count: merges, renames, people of several names, bots, files that are gone.

And what git itself says of it, by `git log --numstat` and `git shortlog`, on a clone with everything.
"""

from collections import Counter
from pathlib import Path

from tests.support.git_repositories import FIRST_COMMIT_AT, empty_repository, git

MAILMAP = (
    "Ada Example <ada@example.org> <ada@old.example.org>\nGrace Example <grace@example.org> gh <grace@example.org>\n"
)
LONG_MESSAGE = """Say größe once
and no more

:100644 is no change.

Signed-off-by: Grace <grace@example.org>
"""
_PEOPLE = {
    "ada": "Ada Example <ada@example.org>",
    "ada, earlier": "A. Example <ada@old.example.org>",
    "grace": "gh <grace@example.org>",
    "bot": "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
}


class Past:
    """Writes commits to a bare repository through `git fast-import`, a day apart."""

    def __init__(self, target: Path) -> None:
        self.target = empty_repository(target)
        self._stream = bytearray(b"feature done\n")
        self.marks = 0

    def commit(
        self, who: str, *changes: str, parents: tuple[int, ...] = (), branch: str = "main", message: str = "ok"
    ) -> int:
        """One commit; its number. A change is `path=content`, `-path` or `old>new`; no `parents`: the branch's last."""
        self.marks += 1
        when = f"{_PEOPLE[who]} {FIRST_COMMIT_AT + self.marks * 86_400} +0200"
        head = f"commit refs/heads/{branch}\nmark :{self.marks}\nauthor {when}\ncommitter {when}\n"
        head += f"data {len(message.encode())}\n{message}\n"
        first, *rest = parents or (None,)
        lines = [f"from :{first}\n"] if first else []
        lines += [f"merge :{parent}\n" for parent in rest]
        self._stream += (head + "".join(lines) + "".join(map(_change, changes)) + "\n").encode()
        return self.marks

    def write(self) -> str:
        """Import everything; the newest commit's id."""
        git(self.target, "fast-import", "--quiet", "--force", stdin=bytes(self._stream + b"done\n"))
        git(self.target, "symbolic-ref", "HEAD", "refs/heads/main")
        return git(self.target, "rev-parse", "main").decode().strip()


def _change(change: str) -> str:
    if change.startswith("-"):
        return f"D {change[1:]}\n"
    if "=" not in change:
        return f"R {change.replace('>', ' ')}\n"
    path, _, content = change.partition("=")
    return f"M 100644 inline {path}\ndata {len(content.encode())}\n{content}\n"


def eventful(target: Path) -> str:
    """The repository; its newest commit's id. 34 commits, of which two are merges."""
    past = Past(target)
    past.commit("ada, earlier", "app.py=first", "old_name.py=the same", "gone.py=1", "docs/größe.md=x")
    for n in range(6):
        past.commit("ada, earlier", f"app.py={n}", f"test_app.py={n}")
    past.commit("grace", "old_name.py=other")
    past.commit("grace", "old_name.py>package/new_name.py")
    past.commit("grace", "package/new_name.py=three", message=LONG_MESSAGE)
    past.commit("ada", "gone.py=2", "app.py=again")
    past.commit("ada", "-gone.py", f".mailmap={MAILMAP}")
    for n in range(4):
        past.commit("bot", f"requirements.txt=flask=={n}")
    trunk = past.marks
    past.commit("grace", "package/side.py=1", "app.py=side", branch="side", parents=(trunk,))
    side = past.commit("grace", "package/side.py=2", branch="side")
    here = past.commit("ada", "docs/größe.md=y")
    past.commit("ada", "package/side.py=2", "app.py=side", parents=(here, side))
    past.commit("ada", *(f"swept/{n}.py=1" for n in range(40)))
    for n in range(3):
        past.commit("ada", *(f"swept/{m}.py=again {n}" for m in range(40)))
    trunk = past.marks
    other = past.commit("grace", "app.py=on another branch", branch="other", parents=(trunk,))
    here = past.commit("ada", "docs/größe.md=z")
    past.commit("ada", "app.py=on another branch", parents=(here, other))
    for n in range(7):
        past.commit("ada", f"app.py=late {n}", f"test_app.py=late {n}")
    return past.write()


def churn_by_hand(repository: Path, commit: str, depth: int) -> Counter[str]:
    """How many commits changed each path, as `git log --numstat` lists them."""
    listed = git(repository, "log", f"-{depth}", "--numstat", "-z", "-M100%", "--format=", commit).decode()
    counts: Counter[str] = Counter()
    tokens = iter(listed.split("\0"))
    for token in tokens:
        if not token.strip():
            continue
        path = token.lstrip("\n").split("\t", 2)[2]
        if not path:  # a rename: the two paths follow
            next(tokens)
            path = next(tokens)
        counts[path] += 1
    return counts


def people_by_hand(repository: Path, commit: str, depth: int) -> dict[str, int]:
    """How many commits everybody wrote, as `git shortlog` counts them with the repository's own mailmap."""
    newest = git(repository, "log", f"-{depth}", "--format=%H", commit)
    listed = git(repository, "log", "--no-merges", "--no-walk", "--stdin", stdin=newest)
    said = git(repository, "shortlog", "-sn", stdin=listed).decode()
    return {name: int(n) for n, name in (line.strip().split("\t") for line in said.splitlines())}
