"""rag_manager over HTTP."""

import asyncio
from collections.abc import Callable, Sequence

import httpx

from events.question import LinesReply, LinesRequest, SearchReply, SearchRequest
from runtime.faults import Permanent, Transient

_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds: a service that restarts is back by then


class HttpRetriever:
    """The `Retriever` port over rag_manager's internal routes. Asks again after each of `pauses`."""

    def __init__(
        self, base_url: str, headers: Callable[[], dict[str, str]], *, pauses: Sequence[float] = _PAUSES
    ) -> None:
        """`headers` makes those that a request shows who is asking by."""
        self._pauses = tuple(pauses)
        self._headers = headers
        self._client = httpx.AsyncClient(base_url=base_url, timeout=httpx.Timeout(15.0, connect=3.0))

    async def search(self, request: SearchRequest) -> SearchReply:
        """See `Retriever.search`."""
        reply = await self._post("/internal/search", request.model_dump(mode="json"))
        return SearchReply.model_validate_json(_successful(reply).content)

    async def lines(self, request: LinesRequest) -> LinesReply | None:
        """See `Retriever.lines`."""
        reply = await self._post("/internal/lines", request.model_dump(mode="json"))
        if reply.status_code == httpx.codes.NOT_FOUND:
            return None
        return LinesReply.model_validate_json(_successful(reply).content)

    async def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        """The reply, whatever it says, once there is one that is no server error, or the pauses are over."""
        for pause in (*self._pauses, None):
            try:
                reply = await self._client.post(path, json=body, headers=self._headers())
                if reply.status_code < httpx.codes.INTERNAL_SERVER_ERROR or pause is None:
                    return reply
            except httpx.RequestError as error:
                # A server that took 15 seconds is there, and busy enough.
                if pause is None or isinstance(error, httpx.ReadTimeout):
                    raise Transient(
                        "search_unavailable", "The search service does not answer: try again in a moment."
                    ) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _successful(reply: httpx.Response) -> httpx.Response:
    """The reply, or the fault that its problem document names."""
    if reply.is_success:
        return reply
    if reply.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Transient("search_unavailable", "The search service has a problem: try again in a moment.")
    try:
        problem = reply.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError) as error:
        raise Permanent("search_rejected", f"The search was rejected with status {reply.status_code}.") from error
    raise Permanent(code, detail)
