"""Search in the shadow of an index: its lexicon, its passages and its collection, beside what serves.

All of it is read from where a sandbox put it and held in memory, of one shadow at a time; the graph is the live one.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from events.artifacts import ArtifactKind
from events.beside import BesideReply, BesideRequest, FoundBeside
from events.index import GenerationKind
from events.processing import StageRequested
from events.question import SearchRequest
from events.replay.made import made_key
from events.replay.sandbox import SandboxObjects
from rag_manager.earlier_changes import EarlierChanges
from rag_manager.jobs.base import Backends, inputs_of, repository_of, tables
from rag_manager.jobs.index_analysis import KINDS
from rag_manager.ports import Lexicon
from rag_manager.remembering import Remembered
from rag_manager.rows import generations, shadows
from rag_manager.rows.reading import Served, told_of
from rag_manager.rows.shadows import IndexRun
from rag_manager.search import Search
from rag_manager.serving import Index, Loaded
from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.show_passages import ChunkText
from runtime.faults import Permanent
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase

_KEPT = 300.0  # seconds that a shadow stays in memory


@dataclass(frozen=True)
class ShadowIndex:
    """The index of one shadow. See `serving.Index`."""

    rows: TenantDatabase
    changes: EarlierChanges
    one: Served
    loaded: Loaded
    chunks: Sequence[ChunkText]

    async def served(self, request: SearchRequest, remote: Collection[str]) -> Served:
        """See `serving.Index`."""
        return self.one

    async def get(self, tenant_id: UUID, served: Served) -> Loaded:
        """See `serving.Index`."""
        return self.loaded

    async def texts(self, tenant_id: UUID, served: Served, ordinals: Sequence[int]) -> Mapping[int, ChunkText]:
        """See `serving.Index`."""
        return {ordinal: self.chunks[ordinal] for ordinal in ordinals}


class BesideSearch:
    """Searches in what serves and in a shadow. `search_of` makes the search of an index, which shares nothing."""

    def __init__(self, backends: Backends, lexicon: Lexicon, live: Index, search_of: Callable[[Index], Search]) -> None:
        self._backends = backends
        self._lexicon = lexicon
        self._rows, self._changes = live.rows, live.changes
        self._search_of = search_of
        self._live = search_of(live)
        self._kept = Remembered[UUID, Search]("shadows", most=1, seconds=_KEPT)

    async def __call__(self, asked: BesideRequest) -> BesideReply:
        """What is found of each question. Raises Permanent `not_found`, `artifact_missing`, and as `Search`."""
        run = await shadows.index_run(self._backends.engine, asked.tenant_id, asked.shadow_id)
        if run is None:
            raise Permanent("not_found", "Check the id: no shadow of an index that is done has it.")
        shadow = await self._kept.get(asked.shadow_id, lambda: self._opened(asked, run))
        found = []
        for query in asked.queries:
            request = SearchRequest(
                tenant_id=asked.tenant_id,
                repository_id=repository_of(run.request),
                analysis_id=StageRequested.model_validate(run.request.data).analysis_id,
                query=query,
                limit=asked.limit,
                offline=True,
            )
            found.append(FoundBeside(live=await self._live(request), shadow=await shadow(request)))
        return BesideReply(found=tuple(found))

    async def keep(self, engine: AsyncEngine) -> None:
        """Let go of a shadow that was not looked at for long, or is not there any more."""
        held = self._kept.keys
        there = await shadows.there(engine, held) if held else frozenset()
        self._kept.forget(lambda shadow_id: shadow_id not in there)

    async def _opened(self, asked: BesideRequest, run: IndexRun) -> Search:
        request = StageRequested.model_validate(run.request.data)
        objects = SandboxObjects(self._backends.objects, asked.tenant_id, self._backends.engine)
        [lexicon] = [ref for ref in run.result.artifacts if ref.kind == ArtifactKind.LEXICON]
        packed = await objects.get(made_key(asked.shadow_id, request.shard, lexicon.kind), lexicon.sha256)
        catalogue, chunks = await _passages(objects, request)
        opened = await asyncio.to_thread(self._lexicon.open, f"{asked.tenant_id}.{lexicon.sha256}", packed)
        served = Served(
            analysis_id=request.analysis_id,
            commit="",
            chunks=len(chunks),
            lexicon_key=lexicon.key,
            lexicon_sha256=lexicon.sha256,
            generation_id=asked.shadow_id,
            kind=GenerationKind(str(run.facts["generation_kind"])),
            model=run.facts.get("model"),
            collection=await self._collection(asked, run),
            told=await told_of(self._rows, asked.tenant_id, request.analysis_id),
        )
        return self._search_of(ShadowIndex(self._rows, self._changes, served, Loaded(catalogue, opened), chunks))

    async def _collection(self, asked: BesideRequest, run: IndexRun) -> str | None:
        if not run.facts["vectors"]:
            return None
        names = await generations.collection_names(self._backends.engine)
        return names.of(asked.tenant_id, repository_of(run.request), asked.shadow_id)


async def _passages(objects: Objects, request: StageRequested) -> tuple[Catalogue, list[ChunkText]]:
    """The places and the texts of all passages, in the order in which they were indexed."""
    places: list[ChunkPlace] = []
    chunks: list[ChunkText] = []
    for row in await _rows(objects, request, "chunks"):
        _, chunk_id, path, language, file_class, first, last, names, text = row
        places.append(ChunkPlace(chunk_id, path, file_class, first, last, language))
        chunks.append(ChunkText(text, language, tuple(names)))
    symbols = [(row[1], row[3], row[4], row[5], row[6]) for row in await _rows(objects, request, "symbols")]
    return await asyncio.to_thread(make_catalogue, places, symbols), chunks


async def _rows(objects: Objects, request: StageRequested, name: str) -> list[Any]:
    kind, found = KINDS[name], list[Any]()
    async for ref, table in tables(objects, inputs_of(request, kind.artifact), kind.columns):
        found += await asyncio.to_thread(kind.rows_of, ref, table.select(list(kind.columns)))
    return found
