"""What every job needs: the artifacts, the ticker, and blocking work that can be watched and stopped."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel
from redis.asyncio import Redis

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery.work import Run
from events.log.earlier import EarlierRuns
from events.processing import StageRequested
from runtime.faults import Cancelled, Permanent
from runtime.live import LiveChannels, Tick, Ticker
from runtime.memory import give_back
from runtime.objects import Objects
from runtime.parquet import read_rows
from runtime.tasks import on_loop

Done = TypeVar("Done")
Row = TypeVar("Row", bound=BaseModel)
_TICK_SECONDS = 0.25
_STORE_SECONDS = 120.0


@dataclass(frozen=True)
class Backends:
    """What the jobs work on."""

    objects: Objects
    redis: Redis
    earlier: EarlierRuns = field(default_factory=EarlierRuns)

    def of(self, envelope: Envelope) -> "Backends":
        """The same, storing for the repository that a message is about."""
        return replace(self, objects=self.objects.of(envelope.tenant_id, envelope.repository_id))

    def ticker(self, envelope: Envelope, request: StageRequested, unit: str = "", *, foresees: bool = False) -> Ticker:
        """The ticker of one run, which its tenant hears; `unit` and `foresees` as of `Tick` and `Ticker`."""
        begun = Tick(
            str(request.analysis_id),
            str(request.run_id),
            request.stage,
            shard=request.shard,
            shards=request.shards,
            unit=unit,
        )
        return Ticker(self.redis, LiveChannels(envelope.tenant_id), begun, foresees=foresees)

    async def store(
        self, kind: ArtifactKind, shard: int, content: bytes, rows: int, *, made_from: str = ""
    ) -> ArtifactRef:
        """Keep Parquet bytes as an artifact."""
        stored = await self.objects.put(kind, ".parquet", content)
        return ArtifactRef(
            kind=kind,
            key=stored.key,
            sha256=stored.sha256,
            rows=rows,
            bytes=stored.bytes,
            shard=shard,
            made_from=made_from,
        )

    async def fetch(self, ref: ArtifactRef) -> bytes:
        """The bytes of an artifact, checked. Raises Permanent where they are missing or damaged."""
        return await self.objects.get(ref.key, ref.sha256)

    async def rows(self, row: type[Row], ref: ArtifactRef) -> list[Row]:
        """The rows of an artifact."""
        return await asyncio.to_thread(read_rows, row, await self.fetch(ref))


def inputs_of(request: StageRequested, kind: ArtifactKind) -> list[ArtifactRef]:
    """The artifacts of one kind among the run's inputs, by shard."""
    return sorted((ref for ref in request.inputs if ref.kind is kind), key=lambda ref: ref.shard)


class Watched:
    """`ports.Watch` for work on a thread: what it says is kept for the ticker, and it stops when told to."""

    def __init__(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        self._run = run
        self._loop = loop
        self._stopped = threading.Event()
        self.latest: tuple[int, int, str, str | None] = (0, 0, "", "")

    def check(self) -> None:
        """As `ports.Watch.check`."""
        if self._stopped.is_set() or self._run.cancelled:
            raise Cancelled

    def progress(self, done: int, total: int, current: str, unit: str | None = None) -> None:
        """As `ports.Watch.progress`."""
        self.latest = (done, total, current, unit)

    def look(self, done: int, total: int, current: str) -> None:
        """Both at once."""
        self.check()
        self.progress(done, total, current)

    def stop(self) -> None:
        """The next `check` raises."""
        self._stopped.set()

    def wait(self, doing: Coroutine[Any, Any, Done]) -> Done:
        """What comes of something that has to be done on the event loop, from the thread. Raises as `check`."""
        return on_loop(doing, self._loop, seconds=_STORE_SECONDS, check=self.check)

    def fetch(self, backends: Backends, ref: ArtifactRef) -> bytes:
        """`Backends.fetch`, from the thread, on which the bytes are checked: others may hold all other threads."""
        content = self.wait(backends.objects.get(ref.key))
        if hashlib.sha256(content).hexdigest() != ref.sha256:
            raise Permanent("artifact_corrupt", f"The artifact {ref.key} is damaged.")
        return content

    def store(self, backends: Backends, kind: ArtifactKind, shard: int, content: bytes, rows: int) -> ArtifactRef:
        """`Backends.store`, from the thread."""
        return self.wait(backends.store(kind, shard, content, rows))


async def watched(run: Run, ticker: Ticker, work: Callable[[Watched], Done]) -> Done:
    """Run blocking `work` on a thread, telling how far it is. Where this is cancelled, the work is stopped first."""
    watch = Watched(run, asyncio.get_running_loop())
    job = asyncio.ensure_future(asyncio.to_thread(_then_give_back, work, watch))
    try:
        while not job.done():
            await asyncio.wait({job}, timeout=_TICK_SECONDS)
            done, total, current, unit = watch.latest
            await ticker.tick(done, total, current, unit=unit)
    finally:
        watch.stop()
        if not job.done():
            await asyncio.wait({job})
            job.exception()  # seen: whatever ended the work was our own stop
    return job.result()


def _then_give_back(work: Callable[[Watched], Done], watch: Watched) -> Done:
    give_back()  # what jobs that do not run on a thread have left
    try:
        return work(watch)
    finally:
        give_back()  # else the next stage, or the next analysis, grows beside what this one left
