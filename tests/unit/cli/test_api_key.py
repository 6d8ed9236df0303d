"""Commands show the API key of the environment, and nothing where there is none."""

import httpx
import pytest

from cli.api import connect

ME = {"user_id": "00000000-0000-4000-8000-000000000002", "tenant_id": "00000000-0000-4000-8000-000000000001"}


@pytest.mark.parametrize(("key", "shown"), [("", None), ("rsk_abcdefgh_AAAA", "Bearer rsk_abcdefgh_AAAA")])
def test_the_key_is_shown_with_a_request(monkeypatch: pytest.MonkeyPatch, key: str, shown: str | None) -> None:
    monkeypatch.setenv("REPOSTREAM_API_KEY", key)
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200, json=ME | {"name": "You", "local": True})

    client = connect("http://127.0.0.1:1")
    client.close()
    client._http = httpx.Client(base_url=client.url, transport=httpx.MockTransport(answer))
    client.installation_me()

    assert seen == [shown]
