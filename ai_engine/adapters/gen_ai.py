"""Spans and metrics of model calls and tools, by the names of OpenTelemetry's GenAI conventions.

The conventions are still being developed: their names stand here and in `runtime/metrics.py`, and nowhere else. What
was asked, given and answered is in neither.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from ai_engine.ports import Finished, LanguageModel, Token, Used
from ai_engine.stages.build_prompt import Prompt, ToolCall
from ai_engine.stages.price import Price
from events.base import Envelope
from runtime.faults import Fault
from runtime.metrics import model_dollars, model_first_seconds, model_seconds, model_tokens
from runtime.tracing import context_of

_CHAT, _TOOL, _ANSWER = "chat", "execute_tool", "invoke_agent"
_ENDED = "cancelled"  # by whoever asked


class Observed:
    """A `LanguageModel` whose calls are counted, timed, traced and, where its `price` is known, paid for."""

    def __init__(self, model: LanguageModel, price: Price | None = None) -> None:
        self._inner = model
        self.price = price
        self.provider = model.provider
        self.model = model.model

    @property
    def most_tokens(self) -> int:
        """The most tokens of one answer; a model may learn another number from its server."""
        return self._inner.most_tokens

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        """See `LanguageModel.stream`."""
        began, first, error = time.perf_counter(), 0.0, _ENDED
        span = self._begin(prompt)
        try:
            async for item in self._inner.stream(prompt):
                if not first and not isinstance(item, Used):
                    first = time.perf_counter() - began
                    model_first_seconds.labels(_CHAT, self.provider, self.model).observe(first)
                    span.set_attribute("gen_ai.response.time_to_first_chunk", first)
                if isinstance(item, Finished):
                    error = ""
                    item = self._finish(span, item)  # noqa: PLW2901  # with its cost
                yield item
        except Fault as fault:
            error = fault.code
            raise
        finally:
            seconds = time.perf_counter() - began
            model_seconds.labels(_CHAT, self.provider, self.model, error).observe(seconds)
            _end(span, error)

    def _begin(self, prompt: Prompt) -> Span:
        attributes: dict[str, str | int | bool] = {
            "gen_ai.operation.name": _CHAT,
            "gen_ai.provider.name": self.provider,
            "gen_ai.request.model": self.model,
            "gen_ai.request.max_tokens": self.most_tokens,
            "gen_ai.request.stream": True,
            "gen_ai.prompt.name": prompt.name,
        }
        return _tracer().start_span(f"{_CHAT} {self.model}", kind=SpanKind.CLIENT, attributes=attributes)

    def _finish(self, span: Span, finished: Finished) -> Finished:
        span.set_attribute("gen_ai.response.model", finished.model)
        span.set_attribute("gen_ai.response.finish_reasons", [finished.reason])
        span.set_attribute("gen_ai.usage.input_tokens", finished.input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", finished.output_tokens)
        for kind, tokens in (("input", finished.input_tokens), ("output", finished.output_tokens)):
            model_tokens.labels(_CHAT, self.provider, self.model, kind).observe(tokens)
        if self.price is None:
            return finished
        cost = self.price.of(finished.input_tokens, finished.output_tokens)
        model_dollars.labels(_CHAT, self.provider, self.model).inc(cost)
        return replace(finished, cost_usd=cost)


@contextmanager
def answering(envelope: Envelope, mode: str) -> Iterator[None]:
    """The span of one question, in the trace of the request behind it; model calls and tools are below it."""
    attributes = {"gen_ai.operation.name": _ANSWER, "gen_ai.agent.name": "assistant", "repostream.mode": mode}
    tracer = _tracer()
    with tracer.start_as_current_span(
        f"{_ANSWER} assistant",
        context=context_of(envelope.traceparent),
        attributes={**attributes, "gen_ai.conversation.id": envelope.stream_id.partition("/")[2]},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Fault as fault:
            span.set_attribute("error.type", fault.code)
            span.set_status(StatusCode.ERROR)
            raise


@contextmanager
def using_tool(tool: str) -> Iterator[Span]:
    """The span of one tool. Its outcome is set by `tell_outcome`."""
    attributes = {"gen_ai.operation.name": _TOOL, "gen_ai.tool.name": tool, "gen_ai.tool.type": "function"}
    with _tracer().start_as_current_span(
        f"{_TOOL} {tool}", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


def tell_outcome(span: Span, code: str) -> None:
    """Say by which code a tool gave nothing."""
    span.set_attribute("error.type", code)
    span.set_status(StatusCode.ERROR)


def _end(span: Span, error: str) -> None:
    if error:
        tell_outcome(span, error)
    span.end()


def _tracer() -> trace.Tracer:
    return trace.get_tracer("repostream.ai_engine")
