"""What the stages need from outside: repositories to read, somebody to watch the work."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from processor.stages.read_history import Commit

MAX_FILE_BYTES = 1_048_576  # generated code or data: minutes to read, nothing to learn; also the clone's blob limit


class TreeEntry(NamedTuple):
    """One entry of a commit's tree, as stored: `path` is bytes, `size` None where the object was not fetched."""

    path: bytes
    mode: str
    blob_id: str
    size: int | None


@dataclass(frozen=True)
class Head:
    """The commit that was resolved. `ref` is the branch, tag or commit asked for, or the default branch.

    `login_refused`: it was read as anybody can, since the host refused the login that there was.
    """

    commit: str
    ref: str
    default_branch: str | None
    authored_at: datetime | None
    subject: str
    login_refused: bool = False


@dataclass(frozen=True)
class Login:
    """What a host is shown to read a private repository. It is in no `repr`."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Refs:
    """What a host says of a repository's refs. `head` is the default branch's commit, None where there is none.

    `branches` and `tags` are some of them by short name, `commits` those that were asked for by full name.
    """

    default_branch: str | None
    head: str | None
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    branch_count: int
    tag_count: int
    commits: Mapping[str, str]


@dataclass(frozen=True)
class Ahead:
    """How many commits one state has that another has not; `is_least` where there are so many or more."""

    commits: int
    is_least: bool = False


class Logins(Protocol):
    """Where logins come from: nobody but the orchestrator keeps them."""

    async def login_for(self, analysis_id: UUID) -> Login | None:
        """The login that an analysis may be read with at this moment; None where none is needed.

        Raises a `Fault` where it is refused, gone, or cannot be had now.
        """
        ...


class Watch(Protocol):
    """Whoever started the work: hears how far it is, and may want it to stop."""

    def check(self) -> None:
        """Raise `runtime.faults.Cancelled` where the work is to stop."""
        ...

    def progress(self, done: int, total: int, current: str, unit: str | None = None) -> None:
        """Hear that `done` of `total` units are done, and what is being worked on. Cheap; called often.

        `unit` says what is counted where it is not what the work counts; empty for per cent of one of its steps.
        """
        ...


class Checkout(Protocol):
    """One commit of one repository, readable while it is held."""

    @property
    def head(self) -> Head:
        """Which commit it is."""
        ...

    @property
    def is_tracked(self) -> bool:
        """Whether everything in it was committed on purpose: then no `.gitignore` counts."""
        ...

    def entries(self, limit: int, folder: str = "") -> Iterator[TreeEntry]:
        """The tree's entries in git's order, at most `limit`; those below `folder` where one is named.

        Raises Permanent `folder_not_found`.
        """
        ...

    def named(self, paths: Collection[str]) -> list[TreeEntry]:
        """The entries with exactly these paths, wherever they are; those that are not there are left out."""
        ...

    def count(self, limit: int) -> int:
        """How many entries the whole tree has; `limit` where there are more."""
        ...

    def read(self, blob_id: str) -> bytes | None:
        """The content of a blob; None where it was not fetched."""
        ...

    def complete(self, entries: Sequence[TreeEntry], most: int) -> list[TreeEntry]:
        """The same entries with their sizes, and from now on readable, where that can be had within `most` bytes each.

        For the few that were too large for the checkout, and are wanted all the same. Raises as the checkout itself.
        """
        ...


class Pasts(Protocol):
    """Where the history of repositories comes from."""

    def commits(
        self, url: str, commit: str, depth: int, watch: Watch, login: Login | None = None
    ) -> AbstractContextManager[Iterator[Commit]]:
        """Hold the newest commits, newest first: those that `depth` and one more are enough for.

        Names are those that the repository's own map of names gives them. `login` is shown to the host of `url` alone.
        Blocking. Raises a `Fault` that says why it cannot be read, and Cancelled; the iterator too.
        """
        ...


class Repositories(Protocol):
    """Where repositories come from."""

    def checkout(  # what is read, how much of it, who watches and by which right
        self,
        url: str,
        ref: str | None,
        watch: Watch,
        login: Login | None = None,
        *,
        commit: str | None = None,
        file_bytes: int = MAX_FILE_BYTES,
    ) -> AbstractContextManager[Checkout]:
        """Hold one commit of the repository at `url`; whatever was put on disk for it is gone afterwards.

        `login` is shown to the host of `url` alone. `commit` is read where it is given, wherever `ref` is by now.
        Larger files than `file_bytes` are not fetched.
        Blocking. Raises a `Fault` that says why it cannot be read, and Cancelled.
        """
        ...

    def look_up(self, url: str, wanted: Collection[str], watch: Watch, login: Login | None = None) -> Refs:
        """Ask the host which refs there are; of those with the full names `wanted` also the commits.

        Blocking, for some seconds at most. Raises as `checkout`.
        """
        ...


class Archives(Protocol):
    """What reads uploads."""

    def checkout(
        self,
        pieces: Iterable[bytes],
        watch: Watch,
        *,
        file_bytes: int = MAX_FILE_BYTES,
        manifest_bytes: int = MAX_FILE_BYTES,
    ) -> AbstractContextManager[Checkout]:
        """Hold the content of the archive whose bytes are `pieces`; its commit is its content's id.

        Files of `file_bytes` and more are not kept, as in a clone, but for manifests and lock files up to
        `manifest_bytes`.
        Blocking. Raises Permanent with the reason why it is not read, and Cancelled.
        """
        ...
