"""OpenAI's chat completions, and every server that speaks them (Ollama, vLLM, LM Studio, …)."""

import time
from collections.abc import AsyncIterator, Callable

import openai
from openai.types.chat import ChatCompletionMessageParam

from ai_engine.adapters import wire
from ai_engine.ports import Finished, Token
from ai_engine.stages.build_prompt import Prompt
from runtime.faults import Transient

_NO_KEY = "none"  # local servers want a header, and any value will do


class OpenAIModel:
    """A model behind a chat-completions endpoint. The SDK's own retries are off: `subscribers` has the only ones."""

    provider = "openai"

    def __init__(self, *, model: str, key: Callable[[], str], base_url: str | None) -> None:
        """`key` is asked before each call, so that it can be replaced while we run."""
        self.model = model
        self._key = key
        self._client = openai.AsyncOpenAI(
            api_key=key() or _NO_KEY,
            base_url=base_url or None,
            max_retries=0,
            timeout=wire.timeout(),
        )

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        """See `LanguageModel.stream`."""
        try:
            async with wire.broken_streams("The model server"):
                async for item in self._items(prompt):
                    yield item
        except openai.APIStatusError as error:
            retry_after = error.response.headers.get("retry-after")
            raise wire.status_fault("The model server", error.status_code, retry_after, now=time.time()) from error
        except openai.APIConnectionError as error:
            raise Transient("model_unreachable", "The model server cannot be reached: is it running?") from error
        except openai.APIError as error:
            raise Transient("model_error", "The model server reported an error while answering: ask again.") from error

    async def _items(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        reason, usage, text = None, None, False
        client = self._client.with_options(api_key=self._key() or _NO_KEY)  # the same connections
        stream = await client.chat.completions.create(
            model=self.model,
            messages=_messages(prompt),
            max_tokens=wire.MAX_OUTPUT_TOKENS,
            stream=True,
            stream_options={"include_usage": True},
        )
        async with stream:
            async for chunk in stream:
                usage = chunk.usage or usage
                for choice in chunk.choices:
                    reason = choice.finish_reason or reason
                    if choice.delta.content:
                        text = True
                        yield Token(choice.delta.content)
        if reason != "stop" or not text:
            raise wire.cut_off("The model server", reason)
        yield Finished(self.model, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _messages(prompt: Prompt) -> list[ChatCompletionMessageParam]:
    turns: list[ChatCompletionMessageParam] = [{"role": "system", "content": prompt.system}]
    for turn in prompt.turns:
        if turn.role == "user":
            turns.append({"role": "user", "content": turn.content})
        else:
            turns.append({"role": "assistant", "content": turn.content})
    return turns
