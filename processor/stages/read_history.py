"""Read the commits that `git log` lists, newest first.

In:  the NUL-separated output of `git log -z --raw -M100% --format=<FORMAT>`, in blocks as it comes.
Out: commits with who wrote them, when, what they say, and which files they changed. People's e-mail addresses are not
     among what git is asked; what a message has of them is taken out by `tell_commits`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

FORMAT = "tformat:commit %at %H %P%x1f%aN%x1f%B"
MAX_NAME = 100
MAX_MESSAGE = 4_000  # characters
_MAX_TOKEN = 65_536  # bytes; a path that is longer is cut
_SUBMODULE = "160000"


class Change(NamedTuple):
    """One file of a commit. `before` is the path that it had until then, where only its path was changed."""

    path: str
    before: str | None = None


class Commit(NamedTuple):
    """One commit. Of a merge git lists no changes: they are those of the commits that it brings together."""

    author: str
    authored_at: datetime | None
    is_merge: bool
    changes: tuple[Change, ...]
    commit: str = ""
    message: str = ""

    @property
    def paths(self) -> frozenset[str]:
        """The files that it changed, as they were called after it."""
        return frozenset(change.path for change in self.changes)


def read_history(blocks: Iterable[bytes]) -> Iterator[Commit]:
    """Yield the commits. Pure; one commit at a time is in memory."""
    header: bytes | None = None
    changes: list[Change] = []
    tokens = _tokens(blocks)
    for token in tokens:
        if token.startswith(b"commit "):
            if header is not None:
                yield _commit(header, changes)
            header, changes = token, []
        elif (described := token.lstrip(b"\n")).startswith(b":"):
            changes += _change(described.decode("ascii", "replace").split(), tokens)
    if header is not None:
        yield _commit(header, changes)


def _tokens(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
        rest = rest[:_MAX_TOKEN]
    if rest:
        yield rest


def _change(described: list[str], tokens: Iterator[bytes]) -> Iterator[Change]:
    """The file that `:100644 100644 <blob> <blob> M` and the path or the two paths after it are about."""
    paths = [next(tokens, b"").decode("utf-8", "replace")]
    is_rename = described[-1].startswith("R")
    if is_rename or described[-1].startswith("C"):
        paths.append(next(tokens, b"").decode("utf-8", "replace"))
    if _SUBMODULE not in described[0] and described[1:2] != [_SUBMODULE]:
        yield Change(paths[-1], paths[0] if is_rename else None)


def _commit(header: bytes, changes: list[Change]) -> Commit:
    described, _, said = header.decode("utf-8", "replace").partition("\x1f")
    name, _, message = said.partition("\x1f")
    seconds, commit, parents = [*described.removeprefix("commit ").split(" ", 2), "", ""][:3]
    printable = "".join(char if char.isprintable() else " " for char in name[: MAX_NAME * 4])
    return Commit(
        author=" ".join(printable.split())[:MAX_NAME] or "nobody",
        authored_at=_moment(seconds),
        is_merge=" " in parents,
        changes=tuple(changes),
        commit=commit,
        message=message[:MAX_MESSAGE],
    )


def _moment(seconds: str) -> datetime | None:
    """None where the date is nonsense: anybody can write any number there."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
