"""What Voyage's wire sends with and without a key, and what it says of an address that is none."""

import httpx
import pytest

from rag_manager.adapters.remote_embedder import Model
from rag_manager.adapters.voyage_embeddings import VoyageWire
from runtime.faults import Permanent

MODEL = Model("voyage", "m", 2)


@pytest.mark.parametrize(("key", "sent"), [("", None), ("a-key", "Bearer a-key")])
async def test_a_key_is_sent_where_there_is_one(key: str, sent: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    headers: list[str | None] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("authorization"))
        return httpx.Response(200, json={"data": [{"index": 0, "embedding": [1.0, 0.0]}], "usage": {"total_tokens": 3}})

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(httpx.AsyncClient, "_init_transport", lambda *_, **__: transport)
    wire = VoyageWire(MODEL, key=lambda: key, base_url="http://127.0.0.1:9/v1", timeout=1.0)

    reply = await wire.ask(["text"], question=False)
    await wire.close()

    assert (reply.tokens, headers) == (3, [sent])


@pytest.mark.parametrize(
    "address", ["vectors.example/v1", "ftp://vectors.example", "http://[::1/v1", "http://h:port/v1"]
)
async def test_an_address_that_is_none_is_said_to_be_none(address: str) -> None:
    wire = VoyageWire(MODEL, key=lambda: "a-key", base_url=address, timeout=1.0)

    with pytest.raises(Permanent) as caught:
        await wire.ask(["text"], question=False)

    await wire.close()
    assert caught.value.code == "embedder_rejected"
    assert "REPOSTREAM_EMBEDDER_BASE_URL" in caught.value.message
    assert "a-key" not in str(caught.value)
