"""OpenAI's chat completions, and every server that speaks them (Ollama, vLLM, LM Studio, …)."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Literal

import httpx2
import openai
from openai.types import CompletionUsage
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from openai.types.chat.chat_completion_chunk import Choice
from openai.types.chat.chat_completion_message_function_tool_call_param import Function
from openai.types.shared_params import FunctionDefinition

from ai_engine.adapters import wire
from ai_engine.ports import Finished, Token, Used
from ai_engine.stages.build_prompt import Prompt, ToolCall, ToolOffer, Turn
from runtime.answer_limits import REPLY_TOKENS, REPLY_WITH_THOUGHTS
from runtime.faults import Transient

_BY_THOUGHTS, _BY_TEXT = "max_completion_tokens", "max_tokens"  # how a request names its limit
_OWN = (".openai.com", ".openai.azure.com")  # newer models there refuse the second; many other servers ignore the first
_NO_KEY = "none"  # local servers want a header, and any value will do


class OpenAIModel:
    """A model behind a chat-completions endpoint. The SDK's own retries are off: `subscribers` has the only ones."""

    provider = "openai"
    price = None

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
        self._limit = _BY_THOUGHTS if self._client.base_url.host.endswith(_OWN) else _BY_TEXT

    @property
    def most_tokens(self) -> int:
        """See `LanguageModel.most_tokens`."""
        return REPLY_WITH_THOUGHTS if self._limit == _BY_THOUGHTS else REPLY_TOKENS

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        """See `LanguageModel.stream`."""
        try:
            async with wire.broken_streams("The model server"):
                async for item in self._items(prompt):
                    yield item
        except openai.APIStatusError as error:
            retry_after = error.response.headers.get("retry-after")
            raise wire.status_fault("The model server", error.status_code, retry_after, now=time.time()) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.ReadTimeout):  # before the first byte
                raise wire.silent("The model server") from error
            raise Transient("model_unreachable", "The model server cannot be reached: is it running?") from error
        except openai.APIError as error:
            raise Transient("model_error", "The model server reported an error while answering: ask again.") from error

    async def _items(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        reason, used, text, calls = None, Used(0, 0), False, wire.Calls("The model server")
        async with await self._open(prompt) as stream:
            async for chunk in stream:
                choices = chunk.choices or ()
                reason = next((each.finish_reason for each in choices if each.finish_reason), reason)
                if chunk.usage:
                    used = _used(chunk.usage, used, is_over=reason is not None)
                    yield used
                for choice in choices:
                    said = _said(choice, calls)
                    if said:
                        text = True
                        yield Token(said)
        wire.check_end("The model server", prompt, reason, calls.all(), text=text)
        for call in calls.all():
            yield call
        yield Finished(self.model, used.input_tokens, used.output_tokens, reason or "")

    async def _open(self, prompt: Prompt) -> openai.AsyncStream[ChatCompletionChunk]:
        try:
            return await self._ask(prompt)
        except openai.BadRequestError as error:
            if self._limit == _BY_THOUGHTS or _BY_THOUGHTS not in error.message:
                raise
        self._limit = _BY_THOUGHTS  # a server that hands on to such a model, and says so
        return await self._ask(prompt)

    async def _ask(self, prompt: Prompt) -> openai.AsyncStream[ChatCompletionChunk]:
        client = self._client.with_options(api_key=self._key() or _NO_KEY)  # the same connections
        by_thoughts = self._limit == _BY_THOUGHTS
        return await client.chat.completions.create(
            model=self.model,
            messages=_messages(prompt),
            max_completion_tokens=self.most_tokens if by_thoughts else openai.omit,
            max_tokens=openai.omit if by_thoughts else self.most_tokens,
            stream=True,
            stream_options={"include_usage": True},
            tools=[_tool(tool) for tool in prompt.tools] or openai.omit,
            tool_choice=_choice(prompt),
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _said(choice: Choice, calls: wire.Calls) -> str:
    """The text of one piece; its calls are taken. Raises Permanent `answer_refused`, which a model ends with `stop`."""
    delta = choice.delta
    if not delta:  # some servers leave it out of the chunk that ends the reply
        return ""
    if delta.refusal:
        raise wire.cut_off("The model server", "refusal")
    for part in delta.tool_calls or ():
        function = part.function
        name, arguments = (function.name, function.arguments) if function else (None, None)
        calls.add(part.index, part.id, name, arguments)
    return delta.content or ""


def _used(told: CompletionUsage, before: Used, *, is_over: bool) -> Used:
    # Servers leave out what they do not count; some tell with each chunk what it is by then.
    sent = max(before.input_tokens, wire.count(told.prompt_tokens))
    received = max(before.output_tokens, wire.count(told.completion_tokens))
    return Used(sent, received, is_all=bool(sent and received) and is_over)


def _choice(prompt: Prompt) -> Literal["none", "auto"] | openai.Omit:
    if not prompt.tools:
        return openai.omit
    return "none" if prompt.must_answer else "auto"


def _tool(tool: ToolOffer) -> ChatCompletionFunctionToolParam:
    function = FunctionDefinition(name=tool.name, description=tool.description, parameters=dict(tool.takes))
    return ChatCompletionFunctionToolParam(type="function", function=function)


def _messages(prompt: Prompt) -> list[ChatCompletionMessageParam]:
    return [{"role": "system", "content": prompt.system}, *(_message(turn) for turn in prompt.turns)]


def _message(turn: Turn) -> ChatCompletionMessageParam:
    call = turn.call
    if turn.role == "user":
        return {"role": "user", "content": turn.content}
    if call is None:
        return {"role": "assistant", "content": turn.content}
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": call.call_id, "content": turn.content}
    function = Function(name=call.name, arguments=call.arguments)
    asked = ChatCompletionMessageFunctionToolCallParam(id=call.call_id, type="function", function=function)
    return {"role": "assistant", "content": turn.content or None, "tool_calls": [asked]}
