"""What is held in memory of the analyses that are being searched: catalogue and open lexicon, bounded."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from events.question import SearchRequest
from rag_manager.earlier_changes import EarlierChanges
from rag_manager.ports import Lexicon, OpenLexicon
from rag_manager.rows import reading
from rag_manager.rows.reading import Served
from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.show_passages import ChunkText
from runtime.faults import Permanent, Transient
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase

MAX_CHUNKS = 250_000  # in all catalogues together; about 1 KB each


class Key(NamedTuple):
    """What an analysis is held by."""

    tenant_id: UUID
    analysis_id: UUID
    lexicon_sha256: str

    @property
    def folder(self) -> str:
        """The name of the unpacked lexicon: each tenant has its own, also of equal ones."""
        return f"{self.tenant_id}.{self.lexicon_sha256}"


@dataclass(frozen=True)
class Loaded:
    """One analysis, ready to be searched."""

    catalogue: Catalogue
    lexicon: OpenLexicon


class Index(Protocol):
    """What is searched: all that serves (`ServingCache`), or one shadow (`ShadowIndex`)."""

    @property
    def rows(self) -> TenantDatabase:
        """The rows of the live index."""
        ...

    @property
    def changes(self) -> EarlierChanges:
        """What earlier commits say."""
        ...

    async def served(self, request: SearchRequest, remote: Collection[str]) -> Served:
        """What answers the request; where that is offline, nothing of the models `remote`.

        Raises Transient `not_indexed_yet`, Permanent `no_such_analysis`.
        """
        ...

    async def get(self, tenant_id: UUID, served: Served) -> Loaded:
        """What is searched of it. Raises Permanent where its lexicon is missing or damaged, and IndexChanged."""
        ...

    async def texts(self, tenant_id: UUID, served: Served, ordinals: Sequence[int]) -> Mapping[int, ChunkText]:
        """The text of some chunks, by number. Raises IndexChanged."""
        ...


class ServingCache:
    """Loads an analysis once, however many ask for it at the same time, and lets the least recently used go."""

    def __init__(
        self, rows: TenantDatabase, objects: Objects, lexicon: Lexicon, *, max_chunks: int = MAX_CHUNKS
    ) -> None:
        self.rows = rows
        self.changes = EarlierChanges(rows, lexicon)
        self._objects = objects
        self._lexicon = lexicon
        self._max_chunks = max_chunks
        self._loaded: OrderedDict[Key, Loaded] = OrderedDict()
        self._locks: dict[Key, asyncio.Lock] = {}

    async def served(self, request: SearchRequest, remote: Collection[str]) -> Served:
        """See `Index.served`."""
        tenant_id, analysis_id = request.tenant_id, request.analysis_id
        if analysis_id is None:
            served = await reading.served_by_repository(self.rows, tenant_id, request.repository_id)
        else:
            served = await reading.served_by_analysis(self.rows, tenant_id, request.repository_id, analysis_id)
        if served is not None and request.offline and served.model in remote:
            served = await reading.served_by_analysis(
                self.rows, tenant_id, request.repository_id, served.analysis_id, but_of=remote
            )
        if served is not None:
            return served
        if analysis_id is not None and await reading.indexed(self.rows, tenant_id, analysis_id) is not None:
            raise Permanent("no_such_analysis", "That analysis is no longer searched: ask about the newest one.")
        raise Transient("not_indexed_yet", "Nothing of this repository is indexed yet: ask again in a moment.")

    async def texts(self, tenant_id: UUID, served: Served, ordinals: Sequence[int]) -> Mapping[int, ChunkText]:
        """See `Index.texts`."""
        return await reading.chunk_texts(self.rows, tenant_id, served, ordinals)

    async def get(self, tenant_id: UUID, served: Served) -> Loaded:
        """Return the analysis of a served generation.

        Raises Permanent where its lexicon is missing or damaged, and IndexChanged where another serves by now.
        """
        key = Key(tenant_id, served.analysis_id, served.lexicon_sha256)
        if key not in self._loaded:
            async with self._locks.setdefault(key, asyncio.Lock()):
                if key not in self._loaded:
                    self._loaded[key] = await self._load(key, served)
                    self._trim(keep=key)
            self._locks.pop(key, None)
        self._loaded.move_to_end(key)
        return self._loaded[key]

    async def keep(self, engine: AsyncEngine) -> set[str]:
        """Let go of analyses that are not there any more; the folders of all lexicons that are."""
        there = {Key(*each) for each in await reading.existing_lexicons(engine)}
        for key in self._loaded.keys() - there:
            del self._loaded[key]
        self.changes.keep(frozenset((key.tenant_id, key.analysis_id) for key in there))
        return {key.folder for key in there}

    async def _load(self, key: Key, served: Served) -> Loaded:
        catalogue = await reading.catalogue(self.rows, key.tenant_id, served.analysis_id, served.lexicon_sha256)
        try:
            opened = await asyncio.to_thread(self._lexicon.open, key.folder, None)
        except LookupError:
            packed = await self._objects.get(served.lexicon_key, served.lexicon_sha256)
            opened = await asyncio.to_thread(self._lexicon.open, key.folder, packed)
        return Loaded(catalogue, opened)

    def _trim(self, *, keep: Key) -> None:
        total = sum(len(loaded.catalogue.chunk_ids) for loaded in self._loaded.values())
        for key in list(self._loaded):
            if total <= self._max_chunks or key == keep:
                break
            total -= len(self._loaded.pop(key).catalogue.chunk_ids)
