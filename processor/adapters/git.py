"""Repositories over https, through git. The adapter of `ports.Repositories`.

A clone is bare, of one commit, without its large files, made by a git that trusts nobody (`git_recipe`), in a folder
that is removed on leaving. Nothing of it is ever executed, checked out or followed.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from processor.adapters import git_recipe as recipe
from processor.adapters.git_errors import ref_not_found, too_large
from processor.adapters.git_ground import PERCENT, GitPolicy, cut_off, ground_of, reported, with_or_without
from processor.adapters.git_process import GitFailed, GitProcess, Ground, folder_bytes, run_git
from processor.adapters.git_refs import ask_both, list_refs
from processor.adapters.git_tree import entry, records
from processor.adapters.workspace import Workspace
from processor.ports import MAX_FILE_BYTES, Head, Login, Refs, TreeEntry, Watch
from processor.stages.read_commit import read_commit
from runtime.faults import Fault, Permanent, Transient
from runtime.repository_url import parse_repository_url

_log = structlog.get_logger(__name__)
_LOOK_UP_SECONDS = 20.0
_MORE_SECONDS = 60.0
_COMMIT_BYTES = 4 * MAX_FILE_BYTES


class GitRepositories:
    """Clones what `policy` allows, into folders of `workspace`."""

    def __init__(self, policy: GitPolicy, workspace: Workspace) -> None:
        self._policy = policy
        self._workspace = workspace

    @contextmanager
    def checkout(  # as the port has it
        self,
        url: str,
        ref: str | None,
        watch: Watch,
        login: Login | None = None,
        *,
        commit: str | None = None,
        file_bytes: int = MAX_FILE_BYTES,
    ) -> Iterator["GitCheckout"]:
        """As `ports.Repositories.checkout`."""
        address = self._checked(url)
        if ref is not None and not recipe.is_ref_name(ref):
            raise ref_not_found(ref)
        with ground_of(self._policy, self._workspace, "clone", address, watch) as (ground, options):
            try:
                folder = ground.folder / "repository.git"

                def made(shown: Ground) -> tuple[_Clone, str, Head]:
                    clone = _Clone(ground, shown, options, folder, file_bytes)
                    url, head = clone.make(address, ref, commit)
                    return clone, url, replace(head, login_refused=login is not None and shown is ground)

                clone, url, head = with_or_without(ground, address, login, made)
                with clone.objects() as objects:
                    yield GitCheckout(clone, url, _described(head, objects), objects)
            except GitFailed as failure:
                raise reported(failure, login) from None

    def look_up(self, url: str, wanted: Collection[str], watch: Watch, login: Login | None = None) -> Refs:
        """As `ports.Repositories.look_up`."""
        address = self._checked(url)
        with ground_of(self._policy, self._workspace, "refs", address, watch, _LOOK_UP_SECONDS) as (ground, options):

            def asked(shown: Ground) -> Refs:
                return ask_both(address, lambda one: list_refs(shown, options, one, wanted))[1]

            try:
                return with_or_without(ground, address, login, asked)
            except GitFailed as failure:
                raise reported(failure, login) from None

    def _checked(self, url: str) -> str:
        return parse_repository_url(url, hosts=self._policy.hosts, loopback=self._policy.loopback).url


class GitCheckout:
    """One commit in a temporary clone."""

    is_tracked = True

    def __init__(self, clone: "_Clone", url: str, head: Head, objects: "_Objects") -> None:
        self.head = head
        self._clone = clone
        self._url = url
        self._objects = objects
        self._most = clone.file_bytes

    def entries(self, limit: int, folder: str = "") -> Iterator[TreeEntry]:
        """As `ports.Checkout.entries`; stops git at the limit."""
        return self._clone.entries(self.head.commit, limit, folder)

    def named(self, paths: Collection[str]) -> list[TreeEntry]:
        """As `ports.Checkout.named`."""
        return self._clone.named(self.head.commit, paths)

    def count(self, limit: int) -> int:
        """As `ports.Checkout.count`."""
        return self._clone.count(self.head.commit, limit)

    def read(self, blob_id: str) -> bytes | None:
        """As `ports.Checkout.read`."""
        found = self._objects.read(blob_id, self._most)
        return None if found is None else found[1]

    def complete(self, entries: Sequence[TreeEntry], most: int) -> list[TreeEntry]:
        """As `ports.Checkout.complete`: one more fetch, by the objects' ids."""
        self._most = max(self._most, most)
        missing = {entry.blob_id for entry in entries if entry.size is None}
        if missing:
            self._clone.fetch_more(self._url, sorted(missing), most)
        sizes = {entry.path: entry.size for entry in self.named([entry.path.decode() for entry in entries])}
        return [entry._replace(size=sizes.get(entry.path, entry.size)) for entry in entries]


@dataclass(frozen=True)
class _Clone:
    """`online` is the ground of those git processes that talk to the host: they alone know the login."""

    ground: Ground
    online: Ground
    options: dict[str, str]
    folder: Path
    file_bytes: int = MAX_FILE_BYTES

    def make(self, address: str, ref: str | None, wanted: str | None = None) -> tuple[str, Head]:
        """Clone, take the way back to the server away, and say which commit it is (without its date and subject).

        The first is the address that the host answered at.

        It is `wanted`, where that is given, although `ref` may be at another one by now.
        """
        url, default = ask_both(address, lambda one: self._look_up(one, ref))
        exact = ref is not None and recipe.is_exact(ref)
        if ref is not None and exact:
            run_git(self.ground, recipe.init(self.options, self.folder, ref))
            self._download(recipe.fetch(self.options, url, self.folder, ref, self.file_bytes), ref)
        else:
            self._download(recipe.clone(self.options, url, self.folder, ref, self.file_bytes), ref)
        start = recipe.FETCHED if exact else "HEAD"
        if wanted is not None and self._commit_at(start) not in {wanted, None}:
            start = self._go_back(url, wanted)
        if (
            folder_bytes(self.ground.folder) > self.ground.limits.folder_bytes
        ):  # a quick one is done before it is measured
            raise too_large()
        cut_off(self._git)
        commit = self._commit_at(start)
        if commit is None:
            raise self._nothing(url, ref)
        return url, Head(commit, ref or default or "HEAD", default, None, "")

    def fetch_more(self, url: str, ids: Sequence[str], most: int) -> None:
        """Fetch blobs that were too large for the clone; where the host does not give them, they stay missing.

        Nobody knows how large they are before they are here: what comes is packed, and must not be larger than four of
        `most` bytes.
        """
        size = folder_bytes(self.ground.folder) + 4 * most
        limits = replace(self.ground.limits, folder_bytes=size, file_bytes=4 * most)
        deadline = min(self.ground.deadline, time.monotonic() + _MORE_SECONDS)
        try:
            argv = recipe.fetch_objects(self.options, url, self.folder, *ids)
            run_git(replace(self.online, limits=limits, deadline=deadline), argv, on_line=self._progress)
        except GitFailed as failure:
            if isinstance(failure.fault, Transient):
                raise
            _log.warning("large manifests not fetched", code=failure.fault.code, count=len(ids))
        except Fault as fault:
            _log.warning("large manifests not fetched", code=fault.code, count=len(ids))
        finally:
            cut_off(self._git)

    def _commit_at(self, start: str) -> str | None:
        try:
            return self._git("rev-parse", "--verify", "--end-of-options", f"{start}^{{commit}}").decode().strip()
        except GitFailed:
            return None

    def _go_back(self, url: str, wanted: str) -> str:
        """Fetch the commit that was wanted: the ref has moved on since. Raises as git, `commit_not_offered` first."""
        self._download(recipe.fetch(self.options, url, self.folder, wanted, self.file_bytes), wanted)
        return recipe.FETCHED

    def _look_up(self, url: str, ref: str | None) -> str | None:
        name = None if ref is None or recipe.is_sha(ref) else ref
        said = run_git(self.online, recipe.look_up(self.options, url, name)).decode("utf-8", "replace").splitlines()
        refs = {line.partition("\t")[2] for line in said if not line.startswith("ref:")}
        if name is not None and refs.isdisjoint(recipe.full_names(name)):
            raise ref_not_found(name)
        heads = (
            line.removeprefix("ref: refs/heads/").partition("\t")
            for line in said
            if line.startswith("ref: refs/heads/")
        )
        return next((branch for branch, _, of in heads if of == "HEAD"), None)

    def _download(self, argv: list[str], ref: str | None) -> None:
        try:
            run_git(self.online, argv, on_line=self._progress)
        except GitFailed as failure:
            if failure.fault.code == "ref_not_found" and ref is not None:
                raise ref_not_found(ref) from None
            raise

    def _progress(self, line: str) -> None:
        if (found := PERCENT.match(line)) is not None:
            self.ground.watch.progress(int(found[2]), 100, found[1].lower(), "")

    def _nothing(self, url: str, ref: str | None) -> Fault:
        """Why there is no commit although git is content: an empty repository and a broken HEAD clone without error."""
        if ref is not None:
            return ref_not_found(ref)
        if run_git(self.online, recipe.command(self.options, "ls-remote", "--heads", "--", url)):
            return Permanent("ref_not_found", "The repository's default branch does not exist: name a branch or a tag.")
        return Permanent("repository_empty", "The repository has no commit yet.")

    def _git(self, *arguments: str) -> bytes:
        return run_git(self.ground, recipe.command(self.options, *arguments, folder=self.folder))

    def entries(self, commit: str, limit: int, below: str) -> Iterator[TreeEntry]:
        if below and not self._git("ls-tree", "-z", "--full-tree", commit, "--", below).startswith(b"040000 tree "):
            raise Permanent("folder_not_found", "There is no such folder at that commit: check its path and the ref.")
        listed = ["-r", "-z", "-l", "--full-tree", commit, "--", *([f"{below}/"] if below else [])]
        with GitProcess(self.ground, recipe.command(self.options, "ls-tree", *listed, folder=self.folder)) as process:
            for number, record in enumerate(records(process.output())):
                if number >= limit:
                    return
                yield entry(record)

    def named(self, commit: str, paths: Collection[str]) -> list[TreeEntry]:
        listed = self._git("ls-tree", "-z", "-l", "--full-tree", commit, "--", *paths) if paths else b""
        return [entry(record) for record in listed.split(b"\0") if record]

    def count(self, commit: str, limit: int) -> int:
        listed = ["-r", "-z", "--name-only", "--full-tree", commit]
        found = 0
        with GitProcess(self.ground, recipe.command(self.options, "ls-tree", *listed, folder=self.folder)) as process:
            for block in process.output():
                found += block.count(b"\0")
                if found >= limit:
                    return limit
        return found

    @contextmanager
    def objects(self) -> Iterator["_Objects"]:
        with GitProcess(
            self.ground, recipe.command(self.options, "cat-file", "--batch", folder=self.folder)
        ) as process:
            yield _Objects(process)


@dataclass(frozen=True)
class _Objects:
    """One `cat-file --batch`, asked for one object after the other."""

    process: GitProcess

    def read(self, name: str, limit: int) -> tuple[str, bytes] | None:
        """Type and content of an object; None where it is not there or larger than `limit` (the caller knew sizes)."""
        self.process.ask(name.encode() + b"\n")
        parts = self.process.read_line().split(b" ")
        if len(parts) != 3:
            return None
        kind, size = parts[1].decode(), int(parts[2])
        if size > limit:
            raise Permanent("repository_damaged", "The repository holds an object whose size differs from its listing.")
        return kind, self.process.read_exactly(size)


def _described(head: Head, objects: _Objects) -> Head:
    found = objects.read(head.commit, _COMMIT_BYTES)
    authored_at, subject = read_commit(found[1]) if found is not None else (None, "")
    return replace(head, authored_at=authored_at, subject=subject)
