"""Search in an index, by rag_manager, which alone has them."""

from collections.abc import Callable

import httpx
from pydantic import ValidationError

from events.question import SearchReply, SearchRequest
from runtime.faults import Permanent, Transient

_SECONDS = 12.0  # below the API's own deadline
_UNAVAILABLE = "The search service does not answer: try again in a moment."
_KNOWN = {"not_indexed_yet", "no_such_analysis", "nothing_in_scope"}


class Searching:
    """Asks rag_manager's internal routes."""

    def __init__(self, base_url: str, headers: Callable[[], dict[str, str]] | None) -> None:
        """`headers` makes those that show rag_manager who is asking; without them nothing is asked."""
        self._headers = headers
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=httpx.Timeout(_SECONDS, connect=3.0), trust_env=False, follow_redirects=False
        )

    async def search(self, request: SearchRequest) -> SearchReply:
        """The passages that match best.

        Raises Permanent `not_indexed_yet`, `no_such_analysis` or `nothing_in_scope`, Transient `search_unavailable`.
        """
        if self._headers is None:
            raise Transient("search_unavailable", "This orchestrator has no REPOSTREAM_SERVICE_KEY to ask with.")
        try:
            reply = await self._client.post(
                "/internal/search", json=request.model_dump(mode="json"), headers=self._headers()
            )
            if reply.is_success:
                return SearchReply.model_validate_json(reply.content)
            problem = reply.json()
            code, detail = str(problem["code"]), str(problem["detail"])
        except (httpx.HTTPError, ValidationError, ValueError, KeyError, TypeError) as error:
            raise Transient("search_unavailable", _UNAVAILABLE) from error
        if code in _KNOWN:
            raise Permanent(code, detail)
        raise Transient("search_unavailable", _UNAVAILABLE)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()
