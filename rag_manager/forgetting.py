"""Let go of what this process holds, in memory and on disk, of analyses that are not there any more."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from rag_manager.adapters.tantivy_lexicon import TantivyLexicon
from rag_manager.lines import Lines
from rag_manager.rows import reading
from rag_manager.search import Search
from rag_manager.serving import ServingCache
from rag_manager.shadow_index import BesideSearch


class Forgetting:
    """A round of the chores: each process holds copies of its own, so that each looks for itself."""

    def __init__(  # one for each kind of thing that is held
        self,
        engine: AsyncEngine,
        cache: ServingCache,
        search: Search,
        beside: BesideSearch,
        lines: Lines,
        lexicon: TantivyLexicon,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._search = search
        self._beside = beside
        self._lines = lines
        self._lexicon = lexicon

    async def __call__(self) -> None:
        """Compare what is held with what there is."""
        await asyncio.to_thread(self._lexicon.keep, await self._cache.keep(self._engine))
        self._search.keep(await reading.existing_lexicons(self._engine))
        await self._beside.keep(self._engine)
        sources = self._lines.held()
        self._lines.forget(sources - await reading.existing_sources(self._engine, sources))
