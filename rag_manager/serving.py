"""What is held in memory of the analyses that are being searched: catalogue and open lexicon, bounded."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from rag_manager.ports import Lexicon, OpenLexicon
from rag_manager.rows import reading
from rag_manager.rows.reading import Served
from rag_manager.stages.catalogue import Catalogue
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


class ServingCache:
    """Loads an analysis once, however many ask for it at the same time, and lets the least recently used go."""

    def __init__(
        self, rows: TenantDatabase, objects: Objects, lexicon: Lexicon, *, max_chunks: int = MAX_CHUNKS
    ) -> None:
        self.rows = rows
        self._objects = objects
        self._lexicon = lexicon
        self._max_chunks = max_chunks
        self._loaded: OrderedDict[Key, Loaded] = OrderedDict()
        self._locks: dict[Key, asyncio.Lock] = {}

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
