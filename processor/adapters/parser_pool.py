"""Parse a shard in child processes, so that a file that kills its parser fails alone."""

import asyncio
import os
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

import pyarrow as pa
import structlog
from pydantic import BaseModel

from events.artifacts import ChunkRow, EdgeRow, OutcomeRow, SourceRow, SymbolRow
from processor.adapters.parser_process import Answer, Job, Limits, ParserDied, ParserProcess
from processor.stages.parse import failed
from runtime.faults import Cancelled, Transient
from runtime.parquet import schema_of

_log = structlog.get_logger(__name__)

OnProgress: TypeAlias = Callable[[int, int, str, float], Awaitable[None]]

_ENTRY = "processor.adapters.parser_child"
_BATCH_FILES = 64
_BATCH_CHARACTERS = 256_000
_LOOK_SECONDS = 0.2  # how often progress is told and cancellation is looked at
_COLUMNS = ("path", "language", "file_class", "content")


@dataclass(frozen=True)
class ParsedShard:
    """What a shard says: Arrow tables with the schemas of `SymbolRow`, `EdgeRow`, `ChunkRow` and `OutcomeRow`.

    Rows are in the order of the sources, so the same sources give the same tables.
    """

    symbols: pa.Table
    edges: pa.Table
    chunks: pa.Table
    outcomes: pa.Table

    @property
    def counts(self) -> dict[str, int]:
        """Files by outcome, and all rows: `files`, `parsed`, `lines`, `failed`, `failed.<reason>`, `symbols`, …

        `parsed.syntax_errors` are those of the `parsed` in which the parser had to pass something over.
        """
        columns = [self.outcomes[name].to_pylist() for name in ("outcome", "reason", "errors")]
        counts = Counter(columns[0])
        counts.update(f"{outcome}.{reason}" for outcome, reason, _ in zip(*columns, strict=True) if reason)
        if errors := sum(outcome == "parsed" and n > 0 for outcome, _, n in zip(*columns, strict=True)):
            counts["parsed.syntax_errors"] = errors
        counts.update(files=self.outcomes.num_rows, symbols=self.symbols.num_rows)
        counts.update(edges=self.edges.num_rows, chunks=self.chunks.num_rows)
        return dict(counts)


@dataclass
class _Shard:
    """A shard at work: the jobs, the batches of them that are waiting, and the answers so far."""

    jobs: list[Job]
    waiting: deque[list[int]]
    answers: dict[int, Answer]
    suspects: set[int]
    current: str = ""

    @property
    def share(self) -> float:
        """How much of the shard is done, by characters: what parsing takes grows with them."""
        whole = sum(len(content) for *_, content in self.jobs)
        return sum(len(self.jobs[index][-1]) for index in self.answers) / whole if whole else 1.0

    def blame(self, index: int, reason: str) -> None:
        """A process died at this file: try it alone if the process may have been killed from outside, else give up."""
        if reason == "parser_crashed" and index not in self.suspects:
            self.suspects.add(index)
            self.waiting.append([index])
        else:
            self.answers[index] = {"outcome": failed(self.jobs[index][0], reason).outcome}


class ParserPool:
    """Parses shards in `size` processes, which are kept between shards. Safe for several shards at a time."""

    def __init__(self, size: int | None = None, limits: Limits | None = None, *, entry: str = _ENTRY) -> None:
        self._size = size or len(os.sched_getaffinity(0))
        self._limits = limits or Limits()
        self._entry = entry
        self._slots = asyncio.Semaphore(self._size)
        self._idle: list[ParserProcess] = []

    @property
    def limits(self) -> Limits:
        """What one file may take: part of what its rows are made by."""
        return self._limits

    async def parse(
        self, rows: Sequence[SourceRow] | pa.Table, *, on_progress: OnProgress, cancelled: Callable[[], bool]
    ) -> ParsedShard:
        """Parse every row; a file whose parser dies is an outcome, not an error.

        `on_progress(done, total, current path, share of all characters that are done)` is awaited about five times a
        second. Raises Cancelled within a second
        of `cancelled` saying so and leaves no process at work on the shard; raises Transient where none can be started.
        """
        jobs = _jobs(rows)
        shard = _Shard(jobs, deque(_batches(jobs, self._size)), {}, set())
        working = [asyncio.create_task(self._work(shard)) for _ in range(min(self._size, len(shard.waiting)))]
        try:
            await self._watch(shard, working, on_progress, cancelled)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        return await asyncio.to_thread(_collect, [shard.answers[index] for index in range(len(jobs))])

    async def close(self) -> None:
        """End all processes that are not at work."""
        while self._idle:
            await self._idle.pop().end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @staticmethod
    async def _watch(
        shard: _Shard, working: list[asyncio.Task[None]], on_progress: OnProgress, cancelled: Callable[[], bool]
    ) -> None:
        """Tell progress and look at cancellation until all work is done; raise what a worker raised."""
        pending = set(working)
        while pending:
            done, pending = await asyncio.wait(pending, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            if pending and cancelled():
                raise Cancelled
            await on_progress(len(shard.answers), len(shard.jobs), shard.current, shard.share)

    async def _work(self, shard: _Shard) -> None:
        """Take batches until none waits."""
        while shard.waiting:
            async with self._slots:
                if shard.waiting:
                    await self._run(shard, shard.waiting.popleft())

    async def _run(self, shard: _Shard, batch: list[int]) -> None:
        """Parse one batch in one process. If that dies, the file it was at is tried alone, then given up."""
        child = await self._child()
        left = deque(batch)
        usable = False
        try:
            await child.send([shard.jobs[index] for index in batch])
            while left:
                shard.current = shard.jobs[left[0]][0]
                shard.answers[left[0]] = await child.answer(shard.current)
                left.popleft()
            usable = not child.worn_out
        except ParserDied as death:
            _log.warning("parser_died", path=shard.jobs[left[0]][0], reason=death.reason, words=child.last_words())
            shard.blame(left.popleft(), death.reason)
            if left:
                shard.waiting.append(list(left))
        finally:
            if usable:
                self._idle.append(child)
            else:
                await child.end()

    async def _child(self) -> ParserProcess:
        """One that is idle and was not ended meanwhile, for want of memory say; else a new one."""
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            await child.end()
        return await self._start()

    async def _start(self) -> ParserProcess:
        try:
            return await ParserProcess.start(self._entry, self._limits)
        except (ParserDied, OSError) as error:
            raise Transient(
                "parser_unavailable", "No parsing process could be started: the machine may be short of memory."
            ) from error


def _jobs(rows: Sequence[SourceRow] | pa.Table) -> list[Job]:
    if isinstance(rows, pa.Table):
        return list(zip(*(rows[name].to_pylist() for name in _COLUMNS), strict=True))
    return [(row.path, row.language, row.file_class, row.content) for row in rows]


def _batches(jobs: Sequence[Job], size: int) -> Iterator[list[int]]:
    """Runs of neighbours, small enough to keep every process busy until the end."""
    total = sum(len(content) for *_, content in jobs)
    most = min(_BATCH_CHARACTERS, total // (4 * size) + 1)
    batch: list[int] = []
    weight = 0
    for index, (*_, content) in enumerate(jobs):
        if batch and (len(batch) >= _BATCH_FILES or weight + len(content) > most):
            yield batch
            batch, weight = [], 0
        batch.append(index)
        weight += len(content)
    if batch:
        yield batch


def _collect(answers: Sequence[Answer]) -> ParsedShard:
    return ParsedShard(
        symbols=_table(SymbolRow, (row for answer in answers for row in _rows(answer, "symbols"))),
        edges=_table(EdgeRow, (row for answer in answers for row in _rows(answer, "edges"))),
        chunks=_table(ChunkRow, (row for answer in answers for row in _rows(answer, "chunks"))),
        outcomes=_table(
            OutcomeRow, (row for answer in answers for row in [answer["outcome"]] if isinstance(row, dict))
        ),
    )


def _rows(answer: Answer, kind: str) -> Sequence[dict[str, object]]:
    rows = answer.get(kind, ())
    return rows if isinstance(rows, list) else ()


def _table(row_class: type[BaseModel], rows: Iterator[dict[str, object]]) -> pa.Table:
    names = tuple(row_class.model_fields)
    columns: dict[str, list[object]] = {name: [] for name in names}
    for row in rows:
        for name in names:
            columns[name].append(row[name])
    return pa.table(columns, schema=schema_of(row_class))
