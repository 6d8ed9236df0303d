"""What the tools tell of a repository is of the analysis that its searches go to."""

import httpx
import pytest

from runtime.agents.asking import Asking
from runtime.agents.tools import call


@pytest.mark.parametrize(("serving", "told"), [("older", "older"), (None, "newest")])
async def test_definitions_are_those_of_the_analysis_that_is_searched(serving: str | None, told: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        one = {"repository_id": "r", "url": "https://h/o/n", "folder": "", "name": "o/n", "serving": serving}
        listed = [one | {"latest": {"analysis_id": "newest", "state": "running"}}]
        return httpx.Response(200, json={"items": listed if len(asked) == 1 else [], "total": 0, "next": None})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://test") as http:
        await call(Asking(http), "symbols", {"repository": "o/n", "name": "x"})

    assert asked[-1] == f"/api/v1/analyses/{told}/symbols"
