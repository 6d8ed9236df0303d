"""A repository's past through git: commits and trees without a single file's content. The adapter of `ports.Pasts`.

The same git, the same way out and the same limits as a clone's (`git.py`), with a time and a size of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from processor.adapters import git_recipe as recipe
from processor.adapters.git_errors import too_large
from processor.adapters.git_ground import PERCENT, GitPolicy, cut_off, ground_of, reported, with_or_without
from processor.adapters.git_process import GitFailed, GitLimits, GitProcess, Ground, folder_bytes, run_git
from processor.adapters.git_refs import ask_both
from processor.adapters.workspace import Workspace
from processor.ports import Login, Watch
from processor.stages.read_history import FORMAT, Commit, read_history
from runtime.faults import Permanent
from runtime.repository_url import parse_repository_url

_MAILMAP = ".mailmap"
_MAX_MAILMAP = 1_000_000
_REGULAR = b"100644 blob "


class GitPasts:
    """Reads what `policy` allows, into folders of `workspace`, within `limits`."""

    def __init__(self, policy: GitPolicy, workspace: Workspace, limits: GitLimits) -> None:
        self._policy = replace(policy, limits=limits)
        self._workspace = workspace

    @contextmanager
    def commits(
        self, url: str, commit: str, depth: int, watch: Watch, login: Login | None = None
    ) -> Iterator[Iterator[Commit]]:
        """As `ports.Pasts.commits`."""
        policy = self._policy
        address = parse_repository_url(url, hosts=policy.hosts, loopback=policy.loopback).url
        if not recipe.is_sha(commit):
            raise Permanent("ref_not_found", "The history is read of a commit, by its whole id.")
        with ground_of(policy, self._workspace, "history", address, watch) as (ground, options):

            def fetched(shown: Ground) -> _Past:
                past = _Past(ground, shown, options, ground.folder / "history.git")
                past.fetch(address, commit, depth)
                return past

            try:
                past = with_or_without(ground, address, login, fetched)
                with GitProcess(ground, past.log(commit, depth)) as process:
                    yield read_history(process.output())
            except GitFailed as failure:
                raise reported(failure, login) from None


class _Past:
    def __init__(self, ground: Ground, online: Ground, options: dict[str, str], folder: Path) -> None:
        self._ground = ground
        self._online = online
        self._options = options
        self._folder = folder

    def fetch(self, address: str, commit: str, depth: int) -> None:
        """Fetch the commits and their trees, one more than are counted; and the map of people's names, if there is one.

        One more, because git takes what it has no parent of for the beginning of everything.
        """
        run_git(self._ground, recipe.init(self._options, self._folder, commit))
        url, _ = ask_both(address, lambda one: self._download(recipe.fetch_past, one, commit, depth + 1))
        listed = self._git("ls-tree", "-z", "--full-tree", commit, "--", _MAILMAP)
        names = listed.removeprefix(_REGULAR).partition(b"\t")[0].decode() if listed.startswith(_REGULAR) else None
        if names is not None:
            self._download(recipe.fetch_objects, url, names)
        cut_off(self._git)
        if names is not None and int(self._git("cat-file", "-s", names)) <= _MAX_MAILMAP:
            self._names.write_bytes(self._git("cat-file", "blob", names))
        if folder_bytes(self._ground.folder) > self._ground.limits.folder_bytes:
            raise too_large()

    def log(self, commit: str, depth: int) -> list[str]:
        """The command that lists the commits; what is renamed without a change is known by its content's id alone."""
        shown = ["-z", "--raw", "--no-abbrev", "-M100%", "--no-ext-diff", "--no-textconv", f"--format={FORMAT}"]
        names = {**self._options, "mailmap.file": str(self._names), "mailmap.blob": ""}
        return recipe.command(names, "log", f"--max-count={depth + 1}", *shown, commit, "--", folder=self._folder)

    @property
    def _names(self) -> Path:
        return self._ground.folder / "mailmap"

    def _download(self, argv: Callable[..., list[str]], url: str, *what: object) -> None:
        run_git(self._online, argv(self._options, url, self._folder, *what), on_line=self._progress)

    def _progress(self, line: str) -> None:
        if (found := PERCENT.match(line)) is not None:
            self._ground.watch.progress(int(found[2]), 100, found[1].lower(), "")

    def _git(self, *arguments: str) -> bytes:
        return run_git(self._ground, recipe.command(self._options, *arguments, folder=self._folder))
