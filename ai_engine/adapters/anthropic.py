"""Anthropic's messages."""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import anthropic
import httpx2
from anthropic.types import (
    AssistantMessageParam,
    MessageDeltaUsage,
    MessageParam,
    TextBlockParam,
    ToolChoiceAutoParam,
    ToolChoiceNoneParam,
    ToolChoiceParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
    Usage,
    UserMessageParam,
)

from ai_engine.adapters import wire
from ai_engine.ports import Finished, Token, Used
from ai_engine.stages.build_prompt import Prompt, ToolCall, ToolOffer, Turn
from runtime.answer_limits import REPLY_TOKENS
from runtime.faults import Transient


class AnthropicModel:
    """A model behind the messages endpoint. The SDK's own retries are off: `subscribers` has the only ones."""

    provider = "anthropic"
    price = None
    most_tokens = REPLY_TOKENS

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

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        """See `LanguageModel.stream`."""
        try:
            async with wire.broken_streams("Anthropic"):
                async for item in self._items(prompt):
                    yield item
        except anthropic.APIStatusError as error:
            retry_after = error.response.headers.get("retry-after")
            raise wire.status_fault("Anthropic", error.status_code, retry_after, now=time.time()) from error
        except anthropic.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.ReadTimeout):  # before the first byte
                raise wire.silent("Anthropic") from error
            raise Transient("model_unreachable", "Anthropic cannot be reached from this machine.") from error
        except anthropic.APIError as error:
            raise Transient("model_error", "Anthropic reported an error while answering: ask again.") from error

    async def _items(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        reason, used, text, calls = None, Used(0, 0), False, wire.Calls("Anthropic")
        client = self._client.with_options(api_key=self._key())  # the same connections
        stream = await client.messages.create(
            model=self.model,
            system=prompt.system,
            messages=[_message(turn) for turn in prompt.turns],
            max_tokens=self.most_tokens,
            stream=True,
            tools=[_tool(tool) for tool in prompt.tools] or anthropic.omit,
            tool_choice=_choice(prompt),
        )
        async with stream:
            async for event in stream:
                if event.type == "message_start":
                    used = _used(event.message.usage, used)
                    yield used
                elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                    text = True
                    yield Token(event.delta.text)
                elif event.type == "content_block_start" and event.content_block.type == "tool_use":
                    calls.add(event.index, event.content_block.id, event.content_block.name, None)
                elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                    calls.add(event.index, None, None, event.delta.partial_json)
                elif event.type == "message_delta":
                    reason = event.delta.stop_reason or reason
                    used = _used(event.usage, used)
                    yield replace(used, is_all=bool(used.input_tokens and used.output_tokens))
        wire.check_end("Anthropic", prompt, reason, calls.all(), text=text)
        for call in calls.all():
            yield call
        yield Finished(self.model, used.input_tokens, used.output_tokens, reason or "")

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _used(told: Usage | MessageDeltaUsage | None, before: Used) -> Used:
    """What is told by now: counts only grow, and the last one may be of the output alone. What was cached is read."""
    if told is None:  # of servers that only speak like it
        return before
    read = (told.input_tokens, told.cache_creation_input_tokens, told.cache_read_input_tokens)
    sent = max(before.input_tokens, sum(map(wire.count, read)))
    return Used(sent, max(before.output_tokens, wire.count(told.output_tokens)))


def _tool(tool: ToolOffer) -> ToolParam:
    return ToolParam(name=tool.name, description=tool.description, input_schema=dict(tool.takes))


def _choice(prompt: Prompt) -> ToolChoiceParam | anthropic.Omit:
    if not prompt.tools:
        return anthropic.omit
    return ToolChoiceNoneParam(type="none") if prompt.must_answer else ToolChoiceAutoParam(type="auto")


def _message(turn: Turn) -> MessageParam:
    call = turn.call
    if call is None and turn.role == "user":
        return UserMessageParam(role="user", content=turn.content)
    if call is None:
        return AssistantMessageParam(role="assistant", content=turn.content)
    if turn.role == "tool":
        result = ToolResultBlockParam(
            type="tool_result", tool_use_id=call.call_id, content=turn.content, is_error=turn.failed
        )
        return UserMessageParam(role="user", content=[result])
    asked = ToolUseBlockParam(type="tool_use", id=call.call_id, name=call.name, input=json.loads(call.arguments))
    said = [TextBlockParam(type="text", text=turn.content)] if turn.content else []
    return AssistantMessageParam(role="assistant", content=[*said, asked])
