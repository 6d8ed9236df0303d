"""Voyage's embeddings, and every server that speaks them: questions are told from what answers them."""

import json
import time
from collections.abc import Callable, Sequence

import httpx

from rag_manager.adapters.remote_embedder import Model, Reply, status_fault, unreachable, unreadable
from runtime.faults import Permanent

DEFAULT_URL = "https://api.voyageai.com/v1"
_NO_ADDRESS = "The embedder's address is none: set REPOSTREAM_EMBEDDER_BASE_URL to one that begins with https://."


class VoyageWire:
    """See `Wire`. Follows no redirect, and uses no proxy of the environment."""

    def __init__(self, model: Model, *, key: Callable[[], str], base_url: str, timeout: float) -> None:
        """`key` is asked before each call, so that it can be replaced while we run."""
        self._model = model
        self._key = key
        self._url = f"{(base_url or DEFAULT_URL).rstrip('/')}/embeddings"
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)

    async def ask(self, texts: Sequence[str], *, question: bool) -> Reply:
        """See `Wire`."""
        body: dict[str, object] = {
            "input": list(texts),
            "model": self._model.model,
            "input_type": "query" if question else "document",
        }
        if self._model.resized:
            body["output_dimension"] = self._model.dimension
        key = self._key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}  # a server of one's own may want none
        try:
            reply = await self._client.post(self._url, json=body, headers=headers)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Permanent("embedder_rejected", _NO_ADDRESS) from error
        except httpx.HTTPError as error:
            raise unreachable() from error
        if reply.status_code != 200:
            raise status_fault(reply.status_code, reply.headers.get("retry-after"), now=time.time())
        try:
            said = reply.json()
            vectors = {int(item["index"]): item["embedding"] for item in said["data"]}
            return Reply(vectors, int(said["usage"]["total_tokens"]))
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise unreadable(f"a reply that could not be read ({type(error).__name__})") from error

    async def close(self) -> None:
        """See `Wire`."""
        await self._client.aclose()
