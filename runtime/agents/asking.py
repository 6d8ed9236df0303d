"""The API as the tools ask it: JSON in and out, every failure a code and a sentence."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

Json = dict[str, Any]
_PREFIX = "/api/v1"


class ToolFault(Exception):
    """Why a tool has no result: `code` is stable, `detail` says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Asking:
    """Asks with the headers that `http` was made with."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, address: str, /, **params: str | int | None) -> Json:
        """What a GET answers. Raises ToolFault."""
        given = {name: value for name, value in params.items() if value is not None}
        return await self._ask("GET", address, params=given)

    async def post(self, path: str, body: Mapping[str, object]) -> Json:
        """What a POST answers. Raises ToolFault."""
        return await self._ask("POST", path, json=dict(body))

    async def _ask(self, method: str, path: str, **more: Any) -> Json:  # noqa: ANN401  # as httpx takes them
        try:
            reply = await self._http.request(method, _PREFIX + path, **more)
            said = reply.json()
        except httpx.RequestError as error:
            raise ToolFault("orchestrator_unreachable", "Nothing answers there: is Repostream running?") from error
        except ValueError as error:
            raise ToolFault("orchestrator_unreachable", "What answers there is not Repostream's API.") from error
        if not isinstance(said, dict):
            raise ToolFault("orchestrator_unreachable", "What answers there is not Repostream's API.")
        if reply.is_success:
            return said
        code, detail = str(said.get("code", "unexpected_reply")), str(said.get("detail", "The API refused."))
        raise ToolFault(code, detail)


def part(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")
