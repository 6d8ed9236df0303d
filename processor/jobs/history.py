"""History: what the commits before the one that is analysed tell of its files."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel

from events.artifacts import ArtifactKind, ArtifactRef, ChurnRow, CommitRow, TreeRow
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.processing import StageRequested
from processor.jobs.base import Backends, Watched, watched
from processor.jobs.clone import login_of
from processor.jobs.describe import read_tree
from processor.ports import Login, Logins, Pasts
from processor.stages.summarise_history import History as Summary
from processor.stages.summarise_history import summarise_history
from runtime.faults import Permanent
from runtime.parquet import each_row, write_rows
from runtime.redaction import hidden


@dataclass(frozen=True)
class History:
    """The job of the history stage. Reads at most `most` commits, whatever was asked for."""

    backends: Backends
    pasts: Pasts
    most: int
    logins: Logins | None = None

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Read the commits and say what they tell. Who wrote them is kept by name alone, sealed with the event."""
        started_at = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        if not request.commit or request.history_depth < 1:
            raise Permanent("invalid_request", "The history was asked for without a commit, or of no depth.")
        ticker = self.backends.ticker(envelope, request, "commits")  # of which there may be fewer
        tree = await read_tree(self.backends, request)
        login = await login_of(self.logins, request)
        with hidden(login.password) if login is not None else nullcontext():
            found = await watched(run, ticker, lambda watch: self._read(request, tree, watch, login))
        facts = found.facts
        counts = {name: n for name in ("commits", "contributors") if isinstance(n := facts[name], int)}
        await ticker.tick(counts["commits"], counts["commits"])
        completed = stages.completed(
            envelope,
            started_at=started_at,
            files_processed=n if isinstance(n := facts["files_changed"], int) else 0,
            counts=counts,
            artifacts=await self._store(envelope, found),
            facts=facts,
        )
        return Result((completed,))

    async def _store(self, envelope: Envelope, found: Summary) -> tuple[ArtifactRef, ...]:
        """The churn of all files and what commits say of them as artifacts; none of what there is nothing of."""
        refs = (
            await self._store_rows(envelope, ArtifactKind.CHURN, ChurnRow, found.churn),
            await self._store_rows(envelope, ArtifactKind.COMMITS, CommitRow, found.told),
        )
        return tuple(ref for ref in refs if ref is not None)

    async def _store_rows(
        self, envelope: Envelope, kind: ArtifactKind, row: type[BaseModel], rows: Sequence[BaseModel]
    ) -> ArtifactRef | None:
        if not rows:
            return None
        content = await asyncio.to_thread(write_rows, row, rows)
        return await self.backends.of(envelope).store(kind, 0, content, len(rows))

    def _read(self, request: StageRequested, tree: bytes, watch: Watched, login: Login | None) -> Summary:
        depth = min(request.history_depth, self.most)

        def look(done: int) -> None:
            watch.look(done, depth, "")

        with self.pasts.commits(request.url, request.commit or "", depth, watch, login) as commits:
            return summarise_history(commits, each_row(TreeRow, tree), depth, look)
