"""Index: rows of chunks, files and symbols, and the lexical generation. From here on questions can be answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

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
from rag_manager.rows.indexing import AnalysisRow, IndexedRows, NewRows, known_parts, newest_words, write_index
from rag_manager.stages.layout import Part, part_id, starts_of
from rag_manager.stages.passage_text import lexical_text, passage_recipe, shown_text
from runtime.faults import Permanent
from runtime.live import Ticker
from runtime.objects import Objects
from runtime.parquet import read_table
from runtime.redaction import redact_all
from runtime.tasks import Done, on_loop

Row = tuple[object, ...]

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
            ticks = ticker(self._backends, envelope, request, "passages")
            recipe = made_from(self._lexicon.recipe, passage_recipe())
            words = await self._words(envelope, request, recipe)
            plan = await plan_of(self._backends, request, repository_id, recipe)
            parts = _lexicon_parts(self._backends.objects, plan, _Progress(run, ticks))
            packed, reused = await asyncio.to_thread(self._lexicon.build, parts, words)
        rows = rows_of_plan(self._backends.objects, plan)
        run.check()
        chunks = rows.count("chunks")
        stored = await self._backends.objects.of(envelope.tenant_id, repository_id).put("lexicon", ".tar", packed)
        artifact = ArtifactRef(
            kind=ArtifactKind.LEXICON,
            key=stored.key,
            sha256=stored.sha256,
            rows=chunks,
            bytes=stored.bytes,
            made_from=recipe,
        )
        whose = (request.analysis_id, repository_id, envelope.tenant_id)
        analysis = AnalysisRow(*whose, request.commit or "", envelope.timestamp)
        generation = Generation(
            generation_id=generation_id(request.analysis_id, GenerationKind.LEXICAL),
            tenant_id=envelope.tenant_id,
            analysis_id=request.analysis_id,
            kind=GenerationKind.LEXICAL,
            state="built",
            model=None,
            chunks=chunks,
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
                    files_processed=rows.count("files"),
                    counts={
                        "chunks": chunks,
                        "files": rows.count("files"),
                        "symbols": rows.count("symbols"),
                        "words_reused": reused,
                    },
                    artifacts=(artifact,),
                    before=change.events,
                ),
            ),
            write=partial(write, analysis=analysis, rows=rows, change=change, artifact=artifact),
        )

    async def _words(self, envelope: Envelope, request: StageRequested, recipe: str) -> bytes | None:
        """The words of the newest index of an earlier analysis that was made in the same way, if they are whole.

        Where there is none and this one is added to, the words that it has.
        """
        newest = await newest_words(
            self._backends.engine, envelope.tenant_id, repository_of(envelope), request.analysis_id, recipe
        )
        own = [(ref.key, ref.sha256) for ref in inputs_of(request, ArtifactKind.LEXICON) if ref.made_from == recipe]
        for wanted in [newest] if newest is not None else own[:1]:
            with suppress(Permanent):
                return await self._backends.objects.get(*wanted)
        return None


@dataclass(frozen=True)
class _Progress:
    """Who hears how far it is, and may want it to stop."""

    run: Run
    ticks: Ticker

    async def look(self, done: int, total: int, current: str) -> None:
        self.run.check()
        await self.ticks.tick(done, total, current)


async def write(
    connection: AsyncConnection, *, analysis: AnalysisRow, rows: IndexedRows, change: Change, artifact: ArtifactRef
) -> None:
    """Write an index, and that it serves where it does. Does not commit."""
    await write_index(connection, analysis, rows, artifact)
    await record(connection, change)


@dataclass(frozen=True)
class _Planned:
    """An artifact, the part that is made of it, and whether that is still to be written."""

    ref: ArtifactRef
    part: Part
    is_new: bool


_Plan = Mapping[str, Sequence[_Planned]]  # by kind of row


async def plan_of(backends: Backends, request: StageRequested, repository_id: UUID, recipe: str) -> _Plan:
    """Of which parts the index is put together, and which of them are there."""
    ids = {
        (kind, ref.key): part_id(repository_id, recipe, kind, ref.key)
        for kind, rows in KINDS.items()
        for ref in inputs_of(request, rows.artifact)
    }
    known = await known_parts(backends.engine, repository_id, ids.values())
    plan: dict[str, Sequence[_Planned]] = {}
    for kind, rows in KINDS.items():
        planned = []
        for ref in inputs_of(request, rows.artifact):
            identity = ids[kind, ref.key]
            size = known[identity] if identity in known else await rows.size(backends.objects, ref)
            if size:
                planned.append(_Planned(ref, Part(identity, size), identity not in known))
        plan[kind] = planned
    if not plan["chunks"]:
        raise Permanent("nothing_to_index", "The repository has no passage of text that could be indexed.")
    return plan


def _lexicon_parts(objects: Objects, plan: _Plan, progress: _Progress) -> list[LexiconPart]:
    """The words of all passages, to be read on the thread that builds the lexicon."""
    chunks = plan["chunks"]
    words = _Words(objects, progress, asyncio.get_running_loop(), sum(each.part.rows for each in chunks))
    starts = starts_of([each.part for each in chunks])
    return [
        LexiconPart(each.ref.sha256, each.part.rows, partial(words.documents, each.ref, start))
        for each, start in zip(chunks, starts, strict=True)
    ]


def rows_of_plan(objects: Objects, plan: _Plan) -> IndexedRows:
    """The rows of an index, to be read where they are new."""
    new = {kind: [each for each in planned if each.is_new] for kind, planned in plan.items()}
    return IndexedRows(
        {kind: [each.part for each in planned] for kind, planned in plan.items()},
        {
            kind: NewRows(frozenset(each.part.part_id for each in planned), _Blocks(objects, planned, KINDS[kind]))
            for kind, planned in new.items()
        },
    )


async def _distinct(objects: Objects, ref: ArtifactRef) -> int:
    """How many chunks there are: a text that stands twice in one file (so in one shard) has one id, and is one."""
    if not ref.rows:
        return 0
    [ids] = [table.column("chunk_id") async for _, table in tables(objects, [ref], ("chunk_id",))]
    return int(pc.count_distinct(ids).as_py())


async def _as_said(_objects: Objects, ref: ArtifactRef) -> int:
    return ref.rows


def _rows(table: pa.Table) -> Iterator[Row]:
    return zip(*table.to_pydict().values(), strict=True)


def _once(table: pa.Table) -> list[Row]:
    """The rows of chunks, each id once: the first column."""
    return list({row[0]: row for row in reversed(list(_rows(table)))}.values())[::-1]


def _chunk_rows(_ref: ArtifactRef, table: pa.Table) -> list[Row]:
    return [(place, *_shown(row)) for place, row in enumerate(_once(table))]


def _shown(row: Row) -> Row:
    """A row of _CHUNK_COLUMNS, its names and text as they are shown."""
    *place, symbols, text = row
    return (*place, redact_all(symbols), shown_text(str(text)))


def _file_rows(ref: ArtifactRef, table: pa.Table) -> list[Row]:
    return [(*row, ref.key, ref.sha256, place) for place, row in enumerate(_rows(table))]


def _symbol_rows(_ref: ArtifactRef, table: pa.Table) -> list[Row]:
    return [(place, *row) for place, row in enumerate(_rows(table))]


@dataclass(frozen=True)
class _Kind:
    """How the rows of one kind are made of an artifact: `rows_of` its `columns`, `size` of them in all."""

    artifact: ArtifactKind
    columns: Sequence[str]
    rows_of: Callable[[ArtifactRef, pa.Table], list[Row]]
    size: Callable[[Objects, ArtifactRef], Awaitable[int]]


KINDS = {
    "chunks": _Kind(ArtifactKind.CHUNKS, _CHUNK_COLUMNS, _chunk_rows, _distinct),
    "files": _Kind(ArtifactKind.SOURCES, _FILE_COLUMNS, _file_rows, _as_said),
    "symbols": _Kind(ArtifactKind.SYMBOLS, _SYMBOL_COLUMNS, _symbol_rows, _as_said),
}


@dataclass(frozen=True)
class _Blocks:
    """The rows of some parts, a block of them at a time: all of them would be as large as the repository."""

    objects: Objects
    planned: Sequence[_Planned]
    kind: _Kind

    async def __aiter__(self) -> AsyncIterator[list[Row]]:
        block: list[Row] = []
        for each in self.planned:
            async for ref, table in tables(self.objects, [each.ref], self.kind.columns):
                rows = await asyncio.to_thread(self.kind.rows_of, ref, table.select(list(self.kind.columns)))
                block += [(each.part.part_id, *row) for row in rows]
            if len(block) >= _BLOCK:
                yield block
                block = []
        if block:
            yield block


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
        return on_loop(doing, self.loop, seconds=_SECONDS, check=self.progress.run.check)
