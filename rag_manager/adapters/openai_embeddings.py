"""OpenAI's embeddings, and every server that speaks them (Ollama, vLLM, LM Studio, …)."""

import json
import time
from collections.abc import Callable, Sequence

import httpx2
import openai

from rag_manager.adapters.remote_embedder import Model, Reply, status_fault, unreachable, unreadable

_NO_KEY = "none"  # local servers want a header, and any value will do


class OpenAIWire:
    """See `Wire`. The SDK's own retries are off, and so are redirects and proxies of the environment."""

    def __init__(self, model: Model, *, key: Callable[[], str], base_url: str, timeout: float) -> None:
        """`key` is asked before each call, so that it can be replaced while we run."""
        self._model = model
        self._key = key
        self._client = openai.AsyncOpenAI(
            api_key=key() or _NO_KEY,
            base_url=base_url or None,
            max_retries=0,
            http_client=httpx2.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False),
        )

    async def ask(self, texts: Sequence[str], *, question: bool) -> Reply:
        """See `Wire`."""
        try:
            reply = await self._client.with_options(api_key=self._key() or _NO_KEY).embeddings.create(
                model=self._model.model,
                input=list(texts),
                encoding_format="float",
                dimensions=self._model.dimension if self._model.resized else openai.omit,
            )
        except openai.APIStatusError as error:
            raise status_fault(error.status_code, error.response.headers.get("retry-after"), now=time.time()) from error
        except openai.APIConnectionError as error:
            raise unreachable() from error
        except (openai.APIError, httpx2.HTTPError, json.JSONDecodeError, ValueError) as error:
            raise unreadable(f"a reply that could not be read ({type(error).__name__})") from error
        try:
            vectors = {item.index: item.embedding for item in reply.data}
            return Reply(vectors, reply.usage.total_tokens if reply.usage else 0)
        except (AttributeError, TypeError) as error:
            raise unreadable("a reply without vectors") from error

    async def close(self) -> None:
        """See `Wire`."""
        await self._client.close()
