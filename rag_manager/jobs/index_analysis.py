"""Index: rows of chunks, files and symbols, and the lexical generation. From here on questions can be answered."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.delivery import stages
from events.delivery.work import Result, Run
from events.index import GenerationKind
from events.log.earlier import made_from
from events.processing import Stage, StageRequested
from rag_manager.jobs.activation import Change, activation_of, generation_id, record
from rag_manager.jobs.base import Backends, Urgency, inputs_of, repository_of, tables, ticker
from rag_manager.ports import Lexicon, LexiconPart
from rag_manager.rows.generations import Generation
from rag_manager.rows.indexing import AnalysisRow, IndexedRows, write_index
from rag_manager.stages.passage_text import lexical_text, passage_recipe
from runtime.faults import Fault, Permanent
from runtime.live import Ticker
from runtime.objects import Objects

_SLICE = 2_000  # chunks between two looks at the cancel flag
_CHUNK_COLUMNS = ("chunk_id", "path", "language", "file_class", "first_line", "last_line", "symbols", "text", "header")
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
            rows, parts = await _read(self._backends.objects, request, run, ticks)
            earlier = await self._earlier(envelope, recipe)
            packed, reused = await asyncio.to_thread(self._lexicon.build, parts, earlier)
        run.check()
        stored = await self._backends.objects.of(envelope.tenant_id, repository_id).put("lexicon", ".tar", packed)
        artifact = ArtifactRef(
            kind=ArtifactKind.LEXICON,
            key=stored.key,
            sha256=stored.sha256,
            rows=len(rows.chunks),
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
            chunks=len(rows.chunks),
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
                    files_processed=len(rows.files),
                    counts={
                        "chunks": len(rows.chunks),
                        "files": len(rows.files),
                        "symbols": len(rows.symbols),
                        "words_reused": reused,
                    },
                    artifacts=(artifact,),
                    before=change.events,
                ),
            ),
            write=partial(_write, analysis=analysis, rows=rows, change=change, artifact=artifact),
        )

    async def _earlier(self, envelope: Envelope, recipe: str) -> bytes | None:
        """The newest index of an earlier analysis that was made in the same way, as far as it can be read."""
        for run in await self._backends.earlier.of(envelope, Stage.INDEX):
            for ref in run.outputs(ArtifactKind.LEXICON):
                if ref.made_from == recipe:
                    with suppress(Fault):
                        return await self._backends.objects.get(ref.key, ref.sha256)
        return None


async def _write(
    connection: AsyncConnection, *, analysis: AnalysisRow, rows: IndexedRows, change: Change, artifact: ArtifactRef
) -> None:
    await write_index(connection, analysis, rows, artifact)
    await record(connection, change)


async def _read(
    objects: Objects, request: StageRequested, run: Run, ticks: Ticker
) -> tuple[IndexedRows, list[LexiconPart]]:
    chunk_refs = inputs_of(request, ArtifactKind.CHUNKS)
    total = sum(ref.rows for ref in chunk_refs)
    seen: set[str] = set()
    chunks: list[tuple[object, ...]] = []
    parts: list[LexiconPart] = []
    async for ref, table in tables(objects, chunk_refs, _CHUNK_COLUMNS):
        part: list[tuple[object, ...]] = []
        for batch in table.select(list(_CHUNK_COLUMNS)).to_batches(max_chunksize=_SLICE):
            run.check()
            rows = await asyncio.to_thread(_rows_of, list(zip(*batch.to_pydict().values(), strict=True)), seen)
            chunks += [(ordinal, *row[:-1]) for ordinal, row in enumerate(rows, start=len(chunks))]
            part += rows
            await ticks.tick(len(chunks), total, str(rows[-1][1]) if rows else "")
        parts.append(LexiconPart(ref.sha256, len(part), partial(_documents, part)))
    if not chunks:
        raise Permanent("nothing_to_index", "The repository has no passage of text that could be indexed.")
    files = await _files(objects, inputs_of(request, ArtifactKind.SOURCES))
    symbols = await _symbols(objects, inputs_of(request, ArtifactKind.SYMBOLS))
    return IndexedRows(chunks, files, symbols), parts


def _rows_of(rows: list[tuple[object, ...]], seen: set[str]) -> list[tuple[object, ...]]:
    # A text that stands twice in one file has one id, and is one chunk.
    kept = []
    for row in rows:
        if row[0] not in seen:
            seen.add(str(row[0]))
            kept.append(row)
    return kept


def _documents(rows: list[tuple[object, ...]]) -> list[str]:
    return [lexical_text(str(row[-1]), str(row[-2])) for row in rows]


async def _files(objects: Objects, refs: list[ArtifactRef]) -> list[tuple[object, ...]]:
    files: list[tuple[object, ...]] = []
    async for ref, table in tables(objects, refs, ("path", "language", "file_class", "lines")):
        columns = table.select(["path", "language", "file_class", "lines"]).to_pydict().values()
        files += [(*row, ref.key, ref.sha256, place) for place, row in enumerate(zip(*columns, strict=True))]
    return files


async def _symbols(objects: Objects, refs: list[ArtifactRef]) -> list[tuple[object, ...]]:
    symbols: list[tuple[object, ...]] = []
    async for _, table in tables(objects, refs, _SYMBOL_COLUMNS):
        columns = table.select(list(_SYMBOL_COLUMNS)).to_pydict().values()
        symbols += [(ordinal, *row) for ordinal, row in enumerate(zip(*columns, strict=True), start=len(symbols))]
    return symbols
