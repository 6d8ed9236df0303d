"""What every job of the index needs: the request, its inputs as tables, its ticker, and who may go first."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.processing import StageRequested
from rag_manager.ports import Vectors
from runtime.faults import Permanent
from runtime.live import Ticker
from runtime.objects import Objects
from runtime.parquet import read_table

_PATIENCE = 2.0  # seconds that background work waits for a quiet moment before it takes a turn anyway


class Foreground:
    """Counts the work that somebody waits for, so that work in the background can let it pass."""

    def __init__(self) -> None:
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Mark a stretch of work that somebody waits for."""
        self._busy += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if self._busy == 0:
                self._idle.set()

    async def give_way(self) -> None:
        """Wait until nobody waits, two seconds at most: the background must not starve."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._idle.wait()
        except TimeoutError:
            return


@dataclass(frozen=True)
class Backends:
    """The servers that jobs use."""

    engine: AsyncEngine
    objects: Objects
    redis: Redis
    vectors: Vectors
    foreground: Foreground


def repository_of(envelope: Envelope) -> UUID:
    """The repository that a stage's request is about. Raises Permanent where it names none."""
    if envelope.repository_id is None:
        raise Permanent("invalid_request", "The request names no repository.")
    return envelope.repository_id


def ticker(backends: Backends, request: StageRequested) -> Ticker:
    """The ticker of one run."""
    return Ticker(
        backends.redis,
        analysis_id=request.analysis_id,
        run_id=request.run_id,
        stage=request.stage,
        shard=request.shard,
        shards=request.shards,
    )


def inputs_of(request: StageRequested, kind: ArtifactKind) -> list[ArtifactRef]:
    """The request's inputs of one kind, in the order of their shards."""
    return sorted((ref for ref in request.inputs if ref.kind == kind), key=lambda ref: (ref.shard, ref.key))


async def tables(
    objects: Objects, refs: Sequence[ArtifactRef], columns: Sequence[str] | None = None
) -> AsyncIterator[tuple[ArtifactRef, pa.Table]]:
    """The artifacts one after another, as tables. Raises Permanent where one is missing or damaged."""
    for ref in refs:
        content = await objects.get(ref.key, ref.sha256)
        yield ref, await asyncio.to_thread(read_table, content, columns)
