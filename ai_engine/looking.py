"""Do what one step asks: read, in the one analysis that the question is about."""

import asyncio
from uuid import UUID

from ai_engine.adapters.gen_ai import tell_outcome, using_tool
from ai_engine.ports import Facts, Place, Retriever
from ai_engine.stages.read_call import MOST_LINES, Callers, Read, Refused, Request, Search, Symbols
from ai_engine.stages.show_result import BUDGET, OK, Seen, show_entries, show_lines, show_passages, show_refusal
from events.looking import CallersRequest, DefinitionsRequest, FolderRequest
from events.question import SearchRequest
from runtime.faults import Fault

_SECONDS = 20.0  # of one look


class Looking:
    """The tools of one question. What fails is told to the model by its code, like any other result."""

    def __init__(self, retriever: Retriever, facts: Facts, place: Place, repository_id: UUID, boundary: str) -> None:
        self._retriever = retriever
        self._facts = facts
        self._place = place
        self._repository_id = repository_id
        self._boundary = boundary

    async def look(self, request: Request | Refused) -> Seen:
        """What came of it."""
        if isinstance(request, Refused):
            return show_refusal(request)
        with using_tool(type(request).__name__.lower()) as span:
            try:
                async with asyncio.timeout(_SECONDS):
                    seen = await self._looked(request)
            except TimeoutError:
                seen = show_refusal(Refused("tool_deadline", "It took too long: ask for less."))
            except Fault as fault:
                seen = show_refusal(Refused(fault.code, fault.message))
            if seen.outcome != OK:
                tell_outcome(span, seen.outcome)
            return seen

    async def _looked(self, request: Request) -> Seen:
        ids = {"tenant_id": self._place.tenant_id, "analysis_id": self._place.analysis_id}
        if isinstance(request, Search):
            return await self._search(request)
        if isinstance(request, Read):
            return await self._read(request)
        if isinstance(request, Symbols):
            asked = DefinitionsRequest(**ids, name=request.name, path=request.path)
            return show_entries(await self._facts.definitions(asked), self._boundary)
        if isinstance(request, Callers):
            return show_entries(await self._facts.callers(CallersRequest(**ids, symbol=request.symbol)), self._boundary)
        return show_entries(await self._facts.folder(FolderRequest(**ids, folder=request.folder)), self._boundary)

    async def _search(self, request: Search) -> Seen:
        found = await self._retriever.search(
            SearchRequest(
                tenant_id=self._place.tenant_id,
                repository_id=self._repository_id,
                analysis_id=self._place.analysis_id,
                query=request.query,
                limit=request.limit,
                scope=self._place.scope,
                budget=BUDGET,
            )
        )
        return show_passages(found.passages, self._boundary)

    async def _read(self, request: Read) -> Seen:
        first = request.first_line
        last = min(request.last_line or first + MOST_LINES - 1, first + MOST_LINES - 1)
        file = await self._retriever.lines(self._place.whole(request.path))
        if file is None:
            return show_refusal(Refused("no_such_file", "The commit has no such text file: search, or list a folder."))
        return show_lines(file, first, last, self._boundary)
