"""Index: rows of chunks, files and symbols, and the lexical generation. From here on questions can be answered."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.index import GenerationKind
from events.log.earlier import made_from
from events.processing import StageRequested
from rag_manager.jobs.activation import Change, activation_of, generation_id, record
from rag_manager.jobs.base import Backends, Urgency, inputs_of, repository_of, tables, ticker
from rag_manager.ports import Lexicon, LexiconPart
from rag_manager.rows.generations import Generation
from rag_manager.rows.indexing import AnalysisRow, Base, IndexedRows, newest_base, write_index
from rag_manager.stages.layout import Layout, Parts, starts_of
from rag_manager.stages.passage_text import lexical_text, passage_recipe
from runtime.faults import Fault, Permanent
from runtime.live import Ticker
from runtime.objects import Objects
from runtime.parquet import read_table

Row = tuple[object, ...]
Done = TypeVar("Done")

_BLOCK = 10_000  # rows that are objects at a time, but for those of one artifact
_SECONDS = 120.0  # that one artifact may take to be read
_CHUNK_COLUMNS = ("chunk_id", "path", "language", "file_class", "first_line", "last_line", "symbols", "text")
_WORD_COLUMNS = ("chunk_id", "text", "header")
_FILE_COLUMNS = ("path", "language", "file_class", "lines")
_SYMBOL_COLUMNS = ("name", "qualified_name", "kind", "path", "first_line", "last_line")


class IndexAnalysis:
    """The handler of the index stage."""

    def __init__(self, backends: Backends, lexicon: Lexicon) -> None:
        self._backends = backends
        self._lexicon = lexicon

    async def __call__(self, envelope: Envelope, run: Run) -> Result:
        """Build the lexical generation of one analysis."""
        began = datetime.now(UTC)
        request = stages.read(envelope, StageRequested)
        repository_id = repository_of(envelope)
        with self._backends.turns.working(Urgency.ANSWERABLE):
            ticks = ticker(self._backends, envelope, request)
            recipe = made_from(self._lexicon.recipe, passage_recipe())
            base, words = await self._base(envelope, request, recipe)
            rows, parts = await _read(self._backends.objects, request, base, recipe, _Progress(run, ticks))
            packed, reused = await asyncio.to_thread(self._lexicon.build, parts, words)
        run.check()
        stored = await self._backends.objects.of(envelope.tenant_id, repository_id).put("lexicon", ".tar", packed)
        artifact = ArtifactRef(
            kind=ArtifactKind.LEXICON,
            key=stored.key,
            sha256=stored.sha256,
            rows=rows.chunk_count,
            bytes=stored.bytes,
            made_from=recipe,
        )
        analysis = AnalysisRow(
            request.analysis_id, repository_id, envelope.tenant_id, request.commit or "", envelope.timestamp
        )
        generation = Generation(
            generation_id=generation_id(request.analysis_id, GenerationKind.LEXICAL),
            tenant_id=envelope.tenant_id,
            analysis_id=request.analysis_id,
            kind=GenerationKind.LEXICAL,
            state="built",
            model=None,
            chunks=rows.chunk_count,
            vectors=0,
            collection=None,
            artifacts=(artifact,),
        )
        change = await activation_of(
            self._backends.engine, generation, repository_id=repository_id, requested_at=envelope.timestamp
        )
        return Result(
            appends=(
                stages.completed(
                    envelope,
                    started_at=began,
                    files_processed=rows.file_count,
                    counts={
                        "chunks": rows.chunk_count,
                        "files": rows.file_count,
                        "symbols": rows.symbol_count,
                        "words_reused": reused,
                    },
                    artifacts=(artifact,),
                    before=change.events,
                ),
            ),
            write=partial(_write, analysis=analysis, rows=rows, change=change, artifact=artifact),
        )

    async def _base(self, envelope: Envelope, request: StageRequested, recipe: str) -> tuple[Base | None, bytes | None]:
        """The newest index of an earlier analysis that was made in the same way, and its words, if they are whole.

        Where there is none and this one is added to, the words that it has.
        """
        base = await newest_base(
            self._backends.engine, envelope.tenant_id, repository_of(envelope), request.analysis_id, recipe
        )
        own = [(ref.key, ref.sha256) for ref in inputs_of(request, ArtifactKind.LEXICON) if ref.made_from == recipe]
        wanted = [(base.lexicon_key, base.lexicon_sha256)] if base is not None else own
        try:
            words = [await self._backends.objects.get(*one) for one in wanted[:1]]
        except Fault:
            return None, None
        return base, words[0] if words else None


@dataclass(frozen=True)
class _Progress:
    """Who hears how far it is, and may want it to stop."""

    run: Run
    ticks: Ticker

    async def look(self, done: int, total: int, current: str) -> None:
        self.run.check()
        await self.ticks.tick(done, total, current)


async def _write(
    connection: AsyncConnection, *, analysis: AnalysisRow, rows: IndexedRows, change: Change, artifact: ArtifactRef
) -> None:
    await write_index(connection, analysis, rows, artifact)
    await record(connection, change)


async def _read(
    objects: Objects, request: StageRequested, base: Base | None, recipe: str, progress: _Progress
) -> tuple[IndexedRows, list[LexiconPart]]:
    """The rows that the base does not have, to be read while they are written, and all parts of the words."""
    there = base.layout if base is not None else Layout(recipe, (), (), ())
    chunk_refs, known = inputs_of(request, ArtifactKind.CHUNKS), dict(there.chunks)
    sizes = [known[ref.sha256] if ref.sha256 in known else await _size(objects, ref) for ref in chunk_refs]
    chunk_parts = [(ref.sha256, size) for ref, size in zip(chunk_refs, sizes, strict=True)]
    if not any(sizes):
        raise Permanent("nothing_to_index", "The repository has no passage of text that could be indexed.")
    symbol_refs = inputs_of(request, ArtifactKind.SYMBOLS)
    symbol_parts = [(ref.sha256, ref.rows) for ref in symbol_refs]
    source_refs = inputs_of(request, ArtifactKind.SOURCES)
    layout = Layout(recipe, chunk_parts, symbol_parts, [(ref.sha256, ref.rows) for ref in source_refs])
    rows = IndexedRows(
        _Blocks(objects, _new(chunk_refs, chunk_parts, there.chunks), _CHUNK_COLUMNS, _chunk_rows),
        _Blocks(objects, _new(source_refs, layout.files, there.files), _FILE_COLUMNS, _file_rows),
        _Blocks(objects, _new(symbol_refs, symbol_parts, there.symbols), _SYMBOL_COLUMNS, _numbered),
        layout,
        base,
    )
    words = _Words(objects, progress, asyncio.get_running_loop(), sum(sizes))
    parts = [
        LexiconPart(ref.sha256, size, partial(words.documents, ref, start))
        for ref, size, start in zip(chunk_refs, sizes, starts_of(chunk_parts), strict=True)
    ]
    return rows, parts


def _new(refs: Sequence[ArtifactRef], parts: Parts, there: Parts) -> list[tuple[ArtifactRef, int]]:
    """The artifacts that are not there, each with the place of its first row."""
    known = dict(there)
    return [(ref, start) for ref, start in zip(refs, starts_of(parts), strict=True) if ref.sha256 not in known]


async def _size(objects: Objects, ref: ArtifactRef) -> int:
    """How many chunks there are: a text that stands twice in one file (so in one shard) has one id, and is one."""
    [ids] = [table.column("chunk_id") async for _, table in tables(objects, [ref], ("chunk_id",))]
    return int(pc.count_distinct(ids).as_py())


@dataclass(frozen=True)
class _Blocks:
    """The rows of some artifacts, a block of them at a time: all of them would be as large as the repository."""

    objects: Objects
    refs: Sequence[tuple[ArtifactRef, int]]
    columns: Sequence[str]
    rows_of: Callable[[ArtifactRef, int, pa.Table], list[Row]]

    async def __aiter__(self) -> AsyncIterator[list[Row]]:
        block: list[Row] = []
        for ref, start in self.refs:
            async for _, table in tables(self.objects, [ref], self.columns):
                block += await asyncio.to_thread(self.rows_of, ref, start, table.select(list(self.columns)))
            if len(block) >= _BLOCK:
                yield block
                block = []
        if block:
            yield block


def _chunk_rows(_ref: ArtifactRef, start: int, table: pa.Table) -> list[Row]:
    return [(ordinal, *row) for ordinal, row in enumerate(_once(table), start)]


def _file_rows(ref: ArtifactRef, _start: int, table: pa.Table) -> list[Row]:
    return [(*row, ref.key, ref.sha256, place) for place, row in enumerate(_rows(table))]


def _numbered(_ref: ArtifactRef, start: int, table: pa.Table) -> list[Row]:
    return [(ordinal, *row) for ordinal, row in enumerate(_rows(table), start)]


def _rows(table: pa.Table) -> Iterator[Row]:
    return zip(*table.to_pydict().values(), strict=True)


def _once(table: pa.Table) -> list[Row]:
    """The rows of chunks, each id once: the first column."""
    return list({row[0]: row for row in reversed(list(_rows(table)))}.values())[::-1]


@dataclass(frozen=True)
class _Words:
    """Reads the documents of a part on the thread that builds the lexicon, and says there how far that is."""

    objects: Objects
    progress: _Progress
    loop: asyncio.AbstractEventLoop
    total: int

    def documents(self, ref: ArtifactRef, start: int) -> list[str]:
        """The words of each chunk. Raises what `Objects.get` does, and Cancelled."""
        self._on_loop(self.progress.look(start, self.total, ""))
        content = self._on_loop(self.objects.get(ref.key, ref.sha256))
        rows = _once(read_table(content, _WORD_COLUMNS).select(list(_WORD_COLUMNS)))
        return [lexical_text(str(row[2]), str(row[1])) for row in rows]

    def _on_loop(self, doing: Coroutine[object, object, Done]) -> Done:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(_SECONDS)
