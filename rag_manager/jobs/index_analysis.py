"""Index: rows of chunks, files and symbols, and the lexical generation. From here on questions can be answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

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
from rag_manager.stages.layout import Layout, starts_of
from rag_manager.stages.passage_text import lexical_text, passage_recipe
from runtime.faults import Fault, Permanent
from runtime.live import Ticker
from runtime.objects import Objects

_SLICE = 2_000  # chunks between two looks at the cancel flag
_CHUNK_COLUMNS = ("chunk_id", "path", "language", "file_class", "first_line", "last_line", "symbols", "text", "header")
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
    """The rows that the base does not have, and all parts of the words."""
    there = base.layout if base is not None else Layout(recipe, (), (), ())
    chunks, parts = await _chunks(objects, inputs_of(request, ArtifactKind.CHUNKS), there, progress)
    if not any(part.size for part in parts):
        raise Permanent("nothing_to_index", "The repository has no passage of text that could be indexed.")
    files, sources = await _files(objects, inputs_of(request, ArtifactKind.SOURCES), there)
    symbols, symbol_parts = await _symbols(objects, inputs_of(request, ArtifactKind.SYMBOLS), there)
    layout = Layout(recipe, [(part.name, part.size) for part in parts], symbol_parts, sources)
    return IndexedRows(chunks, files, symbols, layout, base), parts


async def _chunks(
    objects: Objects, refs: Sequence[ArtifactRef], there: Layout, progress: _Progress
) -> tuple[list[tuple[object, ...]], list[LexiconPart]]:
    known, total = dict(there.chunks), sum(ref.rows for ref in refs)
    chunks: list[tuple[object, ...]] = []
    parts: list[LexiconPart] = []
    for ref in refs:
        start = sum(part.size for part in parts)
        if ref.sha256 in known:
            parts.append(LexiconPart(ref.sha256, known[ref.sha256], _not_needed))
            continue
        seen: set[str] = set()
        part: list[tuple[object, ...]] = []
        async for _, table in tables(objects, [ref], _CHUNK_COLUMNS):
            for batch in table.select(list(_CHUNK_COLUMNS)).to_batches(max_chunksize=_SLICE):
                part += await asyncio.to_thread(_rows_of, list(zip(*batch.to_pydict().values(), strict=True)), seen)
                await progress.look(start + len(part), total, str(part[-1][1]) if part else "")
        chunks += [(ordinal, *row[:-1]) for ordinal, row in enumerate(part, start)]
        parts.append(LexiconPart(ref.sha256, len(part), partial(_documents, part)))
    return chunks, parts


def _rows_of(rows: list[tuple[object, ...]], seen: set[str]) -> list[tuple[object, ...]]:
    # A text that stands twice in one file (so in one shard) has one id, and is one chunk.
    kept = []
    for row in rows:
        if row[0] not in seen:
            seen.add(str(row[0]))
            kept.append(row)
    return kept


def _documents(rows: list[tuple[object, ...]]) -> list[str]:
    return [lexical_text(str(row[-1]), str(row[-2])) for row in rows]


def _not_needed() -> list[str]:
    raise LookupError("the words of this part are in the index that it is taken from")


async def _files(
    objects: Objects, refs: Sequence[ArtifactRef], there: Layout
) -> tuple[list[tuple[object, ...]], list[tuple[str, int]]]:
    known = dict(there.files)
    files: list[tuple[object, ...]] = []
    async for ref, table in tables(objects, [ref for ref in refs if ref.sha256 not in known], _FILE_COLUMNS):
        columns = table.select(list(_FILE_COLUMNS)).to_pydict().values()
        files += [(*row, ref.key, ref.sha256, place) for place, row in enumerate(zip(*columns, strict=True))]
    return files, [(ref.sha256, ref.rows) for ref in refs]


async def _symbols(
    objects: Objects, refs: Sequence[ArtifactRef], there: Layout
) -> tuple[list[tuple[object, ...]], list[tuple[str, int]]]:
    known, parts = dict(there.symbols), [(ref.sha256, ref.rows) for ref in refs]
    symbols: list[tuple[object, ...]] = []
    for ref, start in zip(refs, starts_of(parts), strict=True):
        if ref.sha256 not in known:
            async for _, table in tables(objects, [ref], _SYMBOL_COLUMNS):
                columns = table.select(list(_SYMBOL_COLUMNS)).to_pydict().values()
                symbols += [(ordinal, *row) for ordinal, row in enumerate(zip(*columns, strict=True), start)]
    return symbols, parts
