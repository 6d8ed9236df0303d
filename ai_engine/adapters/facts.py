"""The orchestrator over HTTP, which alone has the facts of an analysis."""

from collections.abc import Callable

from pydantic import ValidationError

from ai_engine.adapters.internal import InternalHttp
from events.base import Value
from events.looking import CallersRequest, DefinitionsRequest, Entries, FolderRequest
from runtime.faults import Transient

_PAUSES = (0.5, 1.0)  # seconds: a model can look elsewhere


class HttpFacts:
    """The `Facts` port over the orchestrator's internal routes."""

    def __init__(self, base_url: str, headers: Callable[[], dict[str, str]]) -> None:
        """`headers` makes those that a request shows who is asking by."""
        self._http = InternalHttp(base_url, headers, unavailable=_unavailable, pauses=_PAUSES)

    async def definitions(self, request: DefinitionsRequest) -> Entries:
        """See `Facts.definitions`."""
        return await self._entries("/internal/definitions", request)

    async def callers(self, request: CallersRequest) -> Entries:
        """See `Facts.callers`."""
        return await self._entries("/internal/callers", request)

    async def folder(self, request: FolderRequest) -> Entries:
        """See `Facts.folder`."""
        return await self._entries("/internal/folder", request)

    async def _entries(self, path: str, request: Value) -> Entries:
        reply = self._http.successful(await self._http.post(path, request.model_dump(mode="json")))
        try:
            return Entries.model_validate_json(reply.content)
        except ValidationError as error:
            raise _unavailable() from error

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close()


def _unavailable() -> Transient:
    return Transient("facts_unavailable", "The facts of the analysis cannot be asked for: search instead, or read.")
