"""rag_manager over HTTP."""

from collections.abc import Callable, Sequence

import httpx

from ai_engine.adapters.internal import PAUSES, InternalHttp
from events.looking import LinesReply, LinesRequest
from events.question import SearchReply, SearchRequest
from runtime.faults import Transient


class HttpRetriever:
    """The `Retriever` port over rag_manager's internal routes. Asks again after each of `pauses`."""

    def __init__(
        self, base_url: str, headers: Callable[[], dict[str, str]], *, pauses: Sequence[float] = PAUSES
    ) -> None:
        """`headers` makes those that a request shows who is asking by."""
        self._http = InternalHttp(base_url, headers, unavailable=_unavailable, pauses=pauses)

    async def search(self, request: SearchRequest) -> SearchReply:
        """See `Retriever.search`."""
        reply = await self._http.post("/internal/search", request.model_dump(mode="json"))
        return SearchReply.model_validate_json(self._http.successful(reply).content)

    async def lines(self, request: LinesRequest) -> LinesReply | None:
        """See `Retriever.lines`."""
        reply = await self._http.post("/internal/lines", request.model_dump(mode="json"))
        if reply.status_code == httpx.codes.NOT_FOUND:
            return None
        return LinesReply.model_validate_json(self._http.successful(reply).content)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close()


def _unavailable() -> Transient:
    return Transient("search_unavailable", "The search service does not answer: try again in a moment.")
