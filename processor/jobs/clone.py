"""Clone: one commit's tree and sources, as artifacts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from events.artifacts import ArtifactKind, ArtifactRef, SourceRow
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.log.earlier import EarlierRun, made_from
from events.processing import ProcessingStarted, Stage, StageRequested
from processor.adapters.intake_recipe import intake_recipe
from processor.jobs.base import Backends, Watched, inputs_of, watched
from processor.jobs.known_sources import known_sources, take_over, texts_of
from processor.ports import MAX_FILE_BYTES, Archives, Checkout, Head, Login, Logins, Repositories, TreeEntry
from processor.rules.said import Rules, read_rules, rule_files_above
from processor.stages.known_files import Shard
from processor.stages.take_sources import Intake, SourceLimits, large_manifests
from runtime.faults import Permanent
from runtime.parquet import write_rows
from runtime.redaction import hidden

_MOST_COUNTED = 1_000_000  # entries outside the folder: a tree can be made to have endlessly many


@dataclass(frozen=True)
class Taken:
    """What was taken of a repository."""

    head: Head
    artifacts: tuple[ArtifactRef, ...]
    counts: dict[str, int]
    skipped: dict[str, int]
    languages: dict[str, int]
    rules: dict[str, object]
    is_cut: bool
    outside: int = 0  # entries of the tree that are not below the folder
    fetch_seconds: float = 0.0


@dataclass(frozen=True)
class _Earlier:
    """What was cloned before, and the digest that a tree must have been made from to be of use."""

    runs: Sequence[EarlierRun]
    digest: str


@dataclass(frozen=True)
class Clone:
    """The job of the clone stage."""

    backends: Backends
    repositories: Repositories
    limits: SourceLimits
    tree_entries: int = 200_000
    logins: Logins | None = None
    archives: Archives | None = None

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Take the commit that was asked for; say which it is, and that processing has begun."""
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        ticker = self.backends.ticker(envelope, request, "files", foresees=True)
        owned = replace(self, backends=self.backends.of(envelope))
        login = await login_of(self.logins, request)
        with hidden(login.password) if login is not None else nullcontext():
            runs = await self.backends.earlier.of(envelope, Stage.CLONE)
            taken = await watched(run, ticker, lambda watch: owned.take(request, watch, login, runs))
        head, counts = taken.head, taken.counts
        await ticker.tick(counts["files"], counts["files"])
        begun = ProcessingStarted(
            url=request.url,
            commit=head.commit,
            ref=head.ref,
            folder=request.folder,
            size=counts["bytes"],
            file_count=counts["files"],
            skipped_count=counts["skipped"],
        )
        facts = {
            "commit": head.commit,
            "ref": head.ref,
            "default_branch": head.default_branch,
            "last_commit_at": head.authored_at.isoformat() if head.authored_at else None,
            "last_commit_subject": head.subject,
            "skipped": taken.skipped,
            "languages": taken.languages,
            "rules": taken.rules,
            "tree_cut": taken.is_cut,
            **({"login_refused": True} if head.login_refused else {}),
            "fetch_seconds": round(taken.fetch_seconds, 3),
            **({"folder": request.folder, "out_of_scope": taken.outside} if request.folder else {}),
        }
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=counts["files"],
            counts=counts,
            artifacts=taken.artifacts,
            facts=facts,
            before=(begun,),
        )
        return Result((completed,))

    def take(
        self, request: StageRequested, watch: Watched, login: Login | None = None, runs: Sequence[EarlierRun] = ()
    ) -> Taken:
        """Hold the commit, store its shards one by one, then its tree. Blocking; bounded in memory.

        What `runs` of earlier analyses read by the same rules, of files that are the same, is taken over.
        """
        folder, began = request.folder, time.monotonic()
        with self._checkout(request, watch, login) as checkout:
            fetch_seconds = time.monotonic() - began
            listed = _checked(checkout.entries(self.tree_entries + 1, folder), watch)
            entries = list(islice(listed, self.tree_entries))
            is_cut = next(listed, None) is not None
            above = checkout.named(rule_files_above(folder))
            rules = read_rules(
                [*above, *entries], checkout.read, include=request.include, is_tracked=checkout.is_tracked
            )
            entries = _completed(entries, checkout, rules, self.limits)
            digest = made_from(intake_recipe(self.limits), rules.digest)
            intake, stored = self._take_files(entries, checkout, rules, watch, _Earlier(runs, digest))
            outside = max(0, checkout.count(_MOST_COUNTED) - len(intake.tree) - is_cut) if folder else 0
        if not len(intake.tree):
            raise Permanent("repository_empty", "There are no files in it.")
        if not intake.has_text:
            raise Permanent(
                "no_text_files", "The repository has no text that could be read: only binary or skipped files."
            )
        tree = watch.store(self.backends, ArtifactKind.TREE, 0, *intake.tree.finish())
        if intake.locks:
            content = write_rows(SourceRow, intake.locks)
            stored.append(watch.store(self.backends, ArtifactKind.LOCKS, 0, content, len(intake.locks)))
        return Taken(
            checkout.head,
            (tree.model_copy(update={"made_from": digest}), *stored),
            intake.tree.counts(),
            intake.tree.skipped(),
            intake.tree.languages(),
            rules.facts(),
            is_cut,
            outside,
            fetch_seconds,
        )

    def _take_files(
        self, entries: Sequence[TreeEntry], checkout: Checkout, rules: Rules, watch: Watched, earlier: "_Earlier"
    ) -> tuple[Intake, list[ArtifactRef]]:
        """All that is taken, and its shards in order: those that are in an earlier analysis from there."""
        known = known_sources(self.backends, earlier.runs, earlier.digest, watch)
        intake = Intake(self.limits, rules, known.files)
        stored: dict[int, ArtifactRef] = {}
        same: dict[int, Shard] = {}
        for number, shard in enumerate(intake.shards(entries, checkout.read, watch.look)):
            if shard.earlier in known.shards:
                same[number] = shard
            else:
                stored[number] = self._store(number, shard, watch)
        taken = watch.wait(take_over(self.backends, {n: known.shards[each.earlier or 0] for n, each in same.items()}))
        for number, shard in same.items():
            stored[number] = taken.get(number) or self._store(number, shard, watch)
        for ref in taken.values():
            if not intake.has_text:
                for text in texts_of(watch.fetch(self.backends, ref)):
                    intake.see(text)
        return intake, [stored[number] for number in sorted(stored)]

    def _store(self, number: int, shard: Shard, watch: Watched) -> ArtifactRef:
        rows = shard.read()
        return watch.store(self.backends, ArtifactKind.SOURCES, number, write_rows(SourceRow, rows), len(rows))

    def _checkout(
        self, request: StageRequested, watch: Watched, login: Login | None
    ) -> AbstractContextManager[Checkout]:
        """What is to be read: an upload where one is named, else a clone; with large files where some are wanted."""
        most = max(MAX_FILE_BYTES, self.limits.wanted_bytes) if request.include else MAX_FILE_BYTES
        if not request.inputs:
            return self.repositories.checkout(
                request.url, request.ref, watch, login, commit=request.commit, file_bytes=most
            )
        if self.archives is None:
            raise Permanent("archive_unsupported", "This worker reads no uploads.")
        parts = inputs_of(request, ArtifactKind.UPLOAD)
        pieces = (watch.fetch(self.backends, part) for part in parts)
        return self.archives.checkout(
            pieces, watch, file_bytes=most, manifest_bytes=max(most, self.limits.manifest_bytes)
        )


def _completed(entries: Sequence[TreeEntry], checkout: Checkout, rules: Rules, limits: SourceLimits) -> list[TreeEntry]:
    """The entries, with large manifests and lock files as far as they can be had."""
    wanted = large_manifests(entries, rules, limits)
    found = {entry.path: entry for entry in checkout.complete(wanted, limits.manifest_bytes)} if wanted else {}
    return [found.get(entry.path, entry) for entry in entries]


async def login_of(logins: Logins | None, request: StageRequested) -> Login | None:
    """What the host is shown for a run. Raises Permanent `credential_gone`, and as `Logins.login_for`."""
    if request.credential_ref is None:
        return None
    if logins is None:
        raise Permanent("credential_gone", "This worker has no way to the token that the analysis was asked with.")
    return await logins.login_for(request.analysis_id)


def _checked(entries: Iterator[TreeEntry], watch: Watched) -> Iterator[TreeEntry]:
    for number, entry in enumerate(entries, 1):
        if number % 1_000 == 0:
            watch.check()
            watch.progress(number, 0, "", "entries")
        yield entry
