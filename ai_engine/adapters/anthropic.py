"""Anthropic's messages."""

import time
from collections.abc import AsyncIterator, Callable

import anthropic
from anthropic.types import AssistantMessageParam, MessageParam, UserMessageParam

from ai_engine.adapters import wire
from ai_engine.ports import Finished, Token
from ai_engine.stages.build_prompt import Prompt
from runtime.faults import Transient


class AnthropicModel:
    """A model behind the messages endpoint. The SDK's own retries are off: `subscribers` has the only ones."""

    provider = "anthropic"

    def __init__(self, *, model: str, key: Callable[[], str], base_url: str | None) -> None:
        """`key` is asked before each call, so that it can be replaced while we run."""
        self.model = model
        self._key = key
        self._client = anthropic.AsyncAnthropic(
            api_key=key(),
            base_url=base_url or None,
            max_retries=0,
            timeout=wire.timeout(),
        )

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        """See `LanguageModel.stream`."""
        try:
            async with wire.broken_streams("Anthropic"):
                async for item in self._items(prompt):
                    yield item
        except anthropic.APIStatusError as error:
            retry_after = error.response.headers.get("retry-after")
            raise wire.status_fault("Anthropic", error.status_code, retry_after, now=time.time()) from error
        except anthropic.APIConnectionError as error:
            raise Transient("model_unreachable", "Anthropic cannot be reached from this machine.") from error
        except anthropic.APIError as error:
            raise Transient("model_error", "Anthropic reported an error while answering: ask again.") from error

    async def _items(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        reason, sent, received, text = None, 0, 0, False
        client = self._client.with_options(api_key=self._key())  # the same connections
        stream = await client.messages.create(
            model=self.model,
            system=prompt.system,
            messages=[_message(turn.role, turn.content) for turn in prompt.turns],
            max_tokens=wire.MAX_OUTPUT_TOKENS,
            stream=True,
        )
        async with stream:
            async for event in stream:
                if event.type == "message_start":
                    sent = event.message.usage.input_tokens
                elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                    text = True
                    yield Token(event.delta.text)
                elif event.type == "message_delta":
                    reason = event.delta.stop_reason or reason
                    received = event.usage.output_tokens
        if reason not in {"end_turn", "stop_sequence"} or not text:
            raise wire.cut_off("Anthropic", reason)
        yield Finished(self.model, sent, received)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _message(role: str, content: str) -> MessageParam:
    if role == "user":
        return UserMessageParam(role="user", content=content)
    return AssistantMessageParam(role="assistant", content=content)
