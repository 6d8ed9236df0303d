"""Which refs a repository has, asked of its host once: `git ls-remote`, read line by line."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from processor.adapters import git_recipe as recipe
from processor.adapters.git_process import GitFailed, GitProcess, Ground
from processor.ports import Refs

Found = TypeVar("Found")
MOST_NAMES = 500  # branches, and as many tags, that are kept to be shown; all are counted
_LONGEST = 4_096  # bytes of a line


def ask_both(address: str, ask: Callable[[str], Found]) -> tuple[str, Found]:
    """The address that answers, and what it says. Hosts differ in whether they want `.git` at the end."""
    try:
        return f"{address}.git", ask(f"{address}.git")
    except GitFailed as failure:
        if failure.fault.code not in {"repository_not_found", "repository_moved"}:
            raise
        first = failure
    try:
        return address, ask(address)
    except GitFailed:
        raise first from None


def list_refs(online: Ground, options: Mapping[str, str], url: str, wanted: Collection[str]) -> Refs:
    """What the host says; of the refs with the full names `wanted` also the commits. Raises as `GitProcess.output`."""
    argv = recipe.command(options, "ls-remote", "--symref", "--", url)
    with GitProcess(online, argv) as process:
        return read_refs(_lines(process.output()), wanted)


@dataclass
class _Seen:
    default: str | None = None
    head: str | None = None
    branches: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"refs/heads/": 0, "refs/tags/": 0})
    commits: dict[str, str] = field(default_factory=dict)


def read_refs(lines: Iterator[str], wanted: Collection[str]) -> Refs:
    """What the lines of `ls-remote --symref` say. A tag with a message is the commit that it is on."""
    seen = _Seen()
    for line in lines:
        said, _, name = line.partition("\t")
        if said.startswith("ref: refs/heads/") and name == "HEAD":
            seen.default = said.removeprefix("ref: refs/heads/")
        elif name == "HEAD":
            seen.head = said
        else:
            _note(seen, name, said, wanted)
    counts = seen.counts
    return Refs(
        default_branch=seen.default,
        head=seen.head,
        branches=tuple(seen.branches),
        tags=tuple(seen.tags),
        branch_count=counts["refs/heads/"],
        tag_count=counts["refs/tags/"],
        commits=seen.commits,
    )


def _note(seen: _Seen, name: str, commit: str, wanted: Collection[str]) -> None:
    plain = name.removesuffix("^{}")
    if plain in wanted and recipe.is_sha(commit):
        seen.commits[plain] = commit  # the line of the commit comes after that of the tag
    for kind, names in (("refs/heads/", seen.branches), ("refs/tags/", seen.tags)):
        if plain == name and name.startswith(kind):
            seen.counts[kind] += 1
            if len(names) < MOST_NAMES:
                names.append(name.removeprefix(kind))


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line[:_LONGEST].decode("utf-8", "replace")
        rest = rest[:_LONGEST]
    if rest:
        yield rest.decode("utf-8", "replace")
