"""Choose what is read of a repository, and cut it into shards.

In:  the entries of one commit's tree, what is said of them (`processor.rules`), a way to read a blob, and what an
     earlier analysis knows of the same files.
Out: `sources` shards, one at a time, and a `tree` row for every entry: accepted, or left out with the reason.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from events.artifacts import SourceRow, TreeRow
from processor.languages.detect import file_class_of, language_of
from processor.languages.names import DOCS
from processor.manifests.registry import is_kept_apart, is_lock
from processor.ports import MAX_FILE_BYTES, TreeEntry
from processor.rules.said import NOTHING, Rules, Said
from processor.stages.classify import (
    count_lines,
    is_minified,
    is_not_utf8,
    read_text,
    readable_path,
    skip_by_content,
    skip_by_name,
)
from processor.stages.known_files import KnownFiles, Shard
from processor.stages.written_tree import WrittenTree
from runtime.faults import Permanent

_LONG_LINES = DOCS | {"jupyter"}  # prose, and pictures that a notebook put out
_HEAD = 2_000  # characters in which generators and shebangs are looked for

ON_REQUEST = "request"  # the rule of a file that is read because whoever asked for the analysis wants it

Read = Callable[[str], bytes | None]
Look = Callable[[int, int, str], None]


@dataclass(frozen=True)
class SourceLimits:
    """How much of one repository is read. Beyond it files are left out, with that as the reason."""

    files: int = 50_000
    text_bytes: int = 200_000_000
    shard_files: int = 500
    shard_bytes: int = 4_000_000
    shard_every: int = 256  # about so many files are between two whose paths end a shard
    lock_files: int = 100
    manifest_bytes: int = 16_777_216  # of one manifest or lock file, in all twice as much
    wanted_bytes: int = 8_388_608  # of one file that is to be read all the same


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An entry that may be read. `known` is its row in an earlier tree; then nothing else was looked up."""

    path: str
    entry: TreeEntry
    skipped: str | None
    said: Said = NOTHING
    known: TreeRow | None = None


@dataclass
class Intake:
    """What was taken so far. Draw `shards` to the end before looking at the rest."""

    limits: SourceLimits
    rules: Rules = field(default_factory=lambda: Rules({}))
    known: KnownFiles = field(default_factory=KnownFiles)
    tree: WrittenTree = field(default_factory=WrittenTree)
    has_text: bool = False
    # Lock files and large manifests: read for what they say of dependencies, and for nothing else.
    locks: list[SourceRow] = field(default_factory=list)
    _shard: int = 0

    def shards(self, entries: Iterable[TreeEntry], read: Read, look: Look) -> Iterator[Shard]:
        """The accepted files by path, a shard at a time; the same tree always gives the same shards.

        A shard ends where a path says so, or where it is full: a file that comes, goes or grows moves the borders of
        its own shard and at most of the next ones, and all others stay what they were in an earlier commit.
        `look` is told (done, total, path) before each file is read, and may raise to stop.
        """
        candidates = sorted(map(self._candidate, entries), key=lambda candidate: candidate.path.encode())
        total = sum(candidate.skipped is None for candidate in candidates)
        taken: list[tuple[_Candidate, SourceRow | TreeRow]] = []
        weight = looked = 0
        for candidate in candidates:
            if candidate.skipped is None:
                look(looked, total, candidate.path)
                looked += 1
            row = self._take(candidate, read)
            if row is None:
                continue
            taken.append((candidate, row))
            weight += row.size
            if self._is_full(len(taken), weight) or ends_shard(row.path, self.limits.shard_every):
                yield self._shard_of(taken, read)
                taken, weight = [], 0
                self._shard += 1
        if taken:
            yield self._shard_of(taken, read)

    def _shard_of(self, taken: Sequence[tuple[_Candidate, SourceRow | TreeRow]], read: Read) -> Shard:
        known = [row for _, row in taken if isinstance(row, TreeRow)]
        self.tree.know(known)
        earlier = self.known.shard_of(known) if len(known) == len(taken) else None
        return Shard(earlier, lambda: [self._read(candidate, row, read) for candidate, row in taken])

    def _read(self, candidate: _Candidate, row: SourceRow | TreeRow, read: Read) -> SourceRow:
        """The row with its text. Raises Permanent where a known file cannot be read any more."""
        if isinstance(row, SourceRow):
            return row
        found = read_source(candidate.path, candidate.entry, read, self.rules.of(candidate.entry.path))
        if isinstance(found, str):
            raise Permanent(
                "repository_damaged", "The repository holds a file that could be read before, and cannot now."
            )
        self.see(found.content)
        return found

    def see(self, content: str) -> None:
        """Take note of a text that was accepted: some repositories have none that says anything."""
        self.has_text = self.has_text or (not content.isspace() and content != "")

    def _candidate(self, entry: TreeEntry) -> _Candidate:
        known = self.known.row_of(entry)
        if known is None:
            return _candidate(entry, self.rules, self.limits)
        return _Candidate(known.path, entry, known.skipped, known=known)

    def _is_full(self, files: int, weight: int) -> bool:
        return files >= self.limits.shard_files or weight >= self.limits.shard_bytes

    def _take(self, candidate: _Candidate, read: Read) -> SourceRow | TreeRow | None:
        """Decide on one entry, write its `tree` row, and return what it is taken as: None where it is left out."""
        over = self._over_budget(candidate.entry)
        if candidate.known is not None and over is None:
            return self._take_known(candidate.known)
        if candidate.known is not None:
            candidate = _candidate(candidate.entry, self.rules, self.limits)
        found = candidate.skipped or over or read_source(candidate.path, candidate.entry, read, candidate.said)
        if isinstance(found, str):
            self.tree.append(_left_out(candidate, found))
            if is_kept_apart(candidate.path, found):
                self._keep_apart(candidate, read)
            return None
        self.see(found.content)
        self.tree.append(_accepted(candidate, found, self._shard))
        return found

    def _take_known(self, row: TreeRow) -> TreeRow | None:
        if row.skipped is not None:
            self.tree.append(row)
            return None
        self.tree.append(row if row.shard == self._shard else row.model_copy(update={"shard": self._shard}))
        return row

    def _keep_apart(self, candidate: _Candidate, read: Read) -> None:
        """Keep the text of a lock file or a large manifest, within the limits; else it is only in the tree."""
        entry, most = candidate.entry, self.limits.manifest_bytes
        if entry.size is None or entry.size > most or len(self.locks) >= self.limits.lock_files:
            return
        if sum(row.size for row in self.locks) + entry.size <= 2 * most:
            row = read_source(candidate.path, entry, read, is_lock=True)
            if isinstance(row, SourceRow) and (row.file_class != "test" or is_lock(row.path)):
                self.locks.append(row)

    def _over_budget(self, entry: TreeEntry) -> str | None:
        if self.tree.files >= self.limits.files:
            return "too_many_files"
        return "text_budget" if self.tree.bytes + (entry.size or 0) > self.limits.text_bytes else None


def ends_shard(path: str, every: int) -> bool:
    """Whether a shard ends with this path: so does one in `every`. Pure, and the same at every commit."""
    return int.from_bytes(sha256(path.encode()).digest()[:8]) % every == 0


def large_manifests(entries: Iterable[TreeEntry], rules: Rules, limits: SourceLimits) -> list[TreeEntry]:
    """The manifests and lock files that are wanted although they are too large for other files. Pure.

    The upper ones first, at most `limits.lock_files`.
    """
    large = [entry for entry in entries if entry.size is None or MAX_FILE_BYTES < entry.size <= limits.manifest_bytes]
    candidates = (_candidate(entry, rules, limits) for entry in large)
    found = [one for one in candidates if one.skipped is not None and is_kept_apart(one.path, one.skipped)]
    found.sort(key=lambda one: (one.path.count("/"), one.path))
    return [one.entry for one in found[: limits.lock_files]]


def read_source(
    path: str, entry: TreeEntry, read: Read, said: Said = NOTHING, *, is_lock: bool = False
) -> SourceRow | str:
    """One file as a row, or the reason why it is left out."""
    content = read(entry.blob_id)
    if content is None:
        return "too_large"
    if (reason := skip_by_content(content, said)) is not None:
        return reason
    text, replaced = read_text(content)
    if is_not_utf8(content, replaced):
        return "binary"
    language = said.language or language_of(path, text)
    lines = count_lines(text)
    may_be_wide = is_lock or said.is_wanted or language in _LONG_LINES
    if not may_be_wide and is_minified(text, lines):
        return "minified"
    return SourceRow(
        path=path,
        blob_id=entry.blob_id,
        language=language,
        file_class=_class_of(path, language, text[:_HEAD], said),
        size=len(content),
        lines=lines,
        content=text,
        replaced=replaced > 0,
    )


def _class_of(path: str, language: str | None, head: str, said: Said) -> str:
    """What the repository says the file is, else what it looks like, but for what the repository says it is not."""
    flags = {"vendored": said.vendored, "generated": said.generated, "docs": said.documentation}
    named = next((name for name, flag in flags.items() if flag), None)
    return named or file_class_of(
        path, language, head, but_not=frozenset(n for n, flag in flags.items() if flag is False)
    )


def _candidate(entry: TreeEntry, rules: Rules, limits: SourceLimits) -> _Candidate:
    path, is_usable = readable_path(entry.path)
    said = rules.of(entry.path) if is_usable else NOTHING
    reason = skip_by_name(path, entry.mode, entry.size, said, limits.wanted_bytes) if is_usable else "bad_path"
    return _Candidate(path, entry, reason, said)


def _left_out(candidate: _Candidate, reason: str) -> TreeRow:
    entry, said = candidate.entry, candidate.said
    language = said.language or language_of(candidate.path)
    return TreeRow(
        path=candidate.path,
        blob_id=entry.blob_id,
        mode=entry.mode,
        # A blob that was not fetched has no known size; it is at least the limit.
        size=entry.size if entry.size is not None else MAX_FILE_BYTES * (reason in {"too_large", "lock_file"}),
        language=language,
        file_class=_class_of(candidate.path, language, "", said),
        skipped=reason,
        rule=said.rule(reason),
    )


def _accepted(candidate: _Candidate, row: SourceRow, shard: int) -> TreeRow:
    return TreeRow(
        path=row.path,
        blob_id=row.blob_id,
        mode=candidate.entry.mode,
        size=row.size,
        language=row.language,
        file_class=row.file_class,
        lines=row.lines,
        shard=shard,
        rule=ON_REQUEST if candidate.said.is_wanted else "",
        is_counted=candidate.said.detectable is not False,
    )
