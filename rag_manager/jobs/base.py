"""What every job of the index needs: the request, its inputs as tables, its ticker, and who may go first."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

import pyarrow as pa
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError
from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.log.earlier import EarlierRuns
from events.processing import StageRequested
from rag_manager.ports import Vectors
from rag_manager.stages.shared_memory import entries_name
from runtime.faults import Permanent
from runtime.live import LiveChannels, Tick, Ticker
from runtime.objects import Objects
from runtime.parquet import read_table

_PATIENCE = 2.0  # seconds that the less urgent waits for a quiet moment before it takes a turn anyway


class Urgency(IntEnum):
    """What somebody waits for, the most urgent first."""

    QUESTION = 0
    ANSWERABLE = 1
    READY = 2
    REFINED = 3


class Turns:
    """Who works at what, so that the less urgent can let the more urgent pass."""

    def __init__(self) -> None:
        self._busy = [0] * len(Urgency)
        self._ended = asyncio.Event()

    @contextmanager
    def working(self, urgency: Urgency) -> Iterator[None]:
        """Mark a stretch of work."""
        self._busy[urgency] += 1
        try:
            yield
        finally:
            self._busy[urgency] -= 1
            self._ended.set()

    async def give_way(self, urgency: Urgency) -> None:
        """Wait until nothing more urgent is being done, two seconds at most: nobody must starve."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while any(self._busy[:urgency]):
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            return


@dataclass(frozen=True)
class Backends:
    """The servers that jobs use."""

    engine: AsyncEngine
    objects: Objects
    redis: Redis
    vectors: Vectors
    turns: Turns
    earlier: EarlierRuns = field(default_factory=EarlierRuns)


def repository_of(envelope: Envelope) -> UUID:
    """The repository that a stage's request is about. Raises Permanent where it names none."""
    if envelope.repository_id is None:
        raise Permanent("invalid_request", "The request names no repository.")
    return envelope.repository_id


def ticker(
    backends: Backends, envelope: Envelope, request: StageRequested, unit: str, *, foresees: bool = False
) -> Ticker:
    """The ticker of one run, which its tenant hears; `unit` and `foresees` as of `Tick` and `Ticker`."""
    begun = Tick(
        str(request.analysis_id),
        str(request.run_id),
        request.stage,
        shard=request.shard,
        shards=request.shards,
        unit=unit,
    )
    return Ticker(backends.redis, LiveChannels(envelope.tenant_id), begun, foresees=foresees)


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


async def forget_searches(backends: Backends, tenant_id: UUID, analysis_id: UUID) -> None:
    """Remove what processes share of the searches of an analysis."""
    with suppress(NoPermissionError):  # then nobody could keep any there either
        await backends.redis.delete(entries_name(tenant_id, analysis_id))
