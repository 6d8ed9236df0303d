"""Indexes and their collections, which rag_manager alone has: search in them, have them built again."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import ValidationError

from events.base import Value
from events.beside import BesideReply, BesideRequest, IndexPromoted, IndexPromotion
from events.collection import (
    CollectionAsked,
    CollectionRebuild,
    CollectionsState,
    GenerationChoice,
    KeptGenerations,
)
from events.question import SearchReply, SearchRequest
from runtime.faults import Permanent, Transient

_SECONDS = 12.0  # below the API's own deadline
_UNAVAILABLE = "The search service does not answer: try again in a moment."
_KNOWN = {"not_found", "not_indexed_yet", "no_such_analysis", "nothing_in_scope", "artifact_missing"}
_KNOWN |= {"shadow_not_done", "shadow_not_promotable", "shadow_outdated"}
_KNOWN |= {"generation_unknown", "generation_outdated", "analysis_replaced", "embedder_not_set", "index_moved"}
_LATER = {"index_unavailable"}

Reply = TypeVar("Reply", bound=Value)


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
        return await self._ask(SearchReply, "POST", "search", request)

    async def beside(self, asked: BesideRequest) -> BesideReply:
        """What is found of some questions in what serves, and in a shadow of an index.

        Raises Permanent `not_found`, `artifact_missing`, `no_such_analysis`, Transient `search_unavailable`.
        """
        return await self._ask(BesideReply, "POST", "shadows/search", asked)

    async def promote(self, promotion: IndexPromotion) -> None:
        """Have the index of a shadow serve.

        Raises Permanent `not_found`, `shadow_not_done`, `shadow_not_promotable`, `shadow_outdated`, Transient
        `search_unavailable`.
        """
        await self._ask(IndexPromoted, "POST", "shadows/promote", promotion)

    async def collections(self) -> CollectionsState:
        """How the collections of all generations stand. Raises Transient `index_unavailable`, `search_unavailable`."""
        return await self._ask(CollectionsState, "GET", "collections")

    async def rebuild(self, asked: CollectionAsked) -> CollectionRebuild:
        """Have a collection built again, or compared.

        Raises Permanent `not_indexed_yet` or `no_such_analysis`, Transient `search_unavailable`.
        """
        return await self._ask(CollectionRebuild, "POST", "collections/rebuilds", asked)

    async def rebuild_of(self, rebuild_id: UUID) -> CollectionRebuild:
        """How a rebuild stands. Raises Permanent `not_found`, Transient `search_unavailable`."""
        return await self._ask(CollectionRebuild, "GET", f"collections/rebuilds/{rebuild_id}")

    async def generations(self, tenant_id: UUID, analysis_id: UUID) -> KeptGenerations:
        """The full generations that are kept of an analysis. Raises Transient `search_unavailable`."""
        return await self._ask(KeptGenerations, "GET", f"analyses/{analysis_id}/generations?tenant_id={tenant_id}")

    async def choose(self, choice: GenerationChoice) -> KeptGenerations:
        """Have one of them serve.

        Raises Permanent `generation_unknown`, `generation_outdated`, `analysis_replaced`, `embedder_not_set`, and
        `index_moved` where the stream goes on meanwhile; Transient `index_unavailable` or `search_unavailable`.
        """
        return await self._ask(KeptGenerations, "POST", "generations/choice", choice)

    async def _ask(self, shape: type[Reply], method: str, path: str, body: Value | None = None) -> Reply:
        if self._headers is None:
            raise Transient("search_unavailable", "This orchestrator has no REPOSTREAM_SERVICE_KEY to ask with.")
        said = None if body is None else body.model_dump(mode="json")
        try:
            reply = await self._client.request(method, f"/internal/{path}", json=said, headers=self._headers())
            if reply.is_success:
                return shape.model_validate_json(reply.content)
            problem = reply.json()
            code, detail = str(problem["code"]), str(problem["detail"])
        except (httpx.HTTPError, ValidationError, ValueError, KeyError, TypeError) as error:
            raise Transient("search_unavailable", _UNAVAILABLE) from error
        if code in _KNOWN:
            raise Permanent(code, detail)
        if code in _LATER:
            raise Transient(code, detail)
        raise Transient("search_unavailable", _UNAVAILABLE)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()
