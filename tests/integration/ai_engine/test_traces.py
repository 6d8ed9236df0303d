"""What traces and metrics say of an answer, and that nothing of question, files and answer is in them."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY, generate_latest

from ai_engine.adapters.anthropic import AnthropicModel
from ai_engine.adapters.gen_ai import Observed
from ai_engine.adapters.openai import OpenAIModel
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import Desk
from tests.support.model_stand_in import StandIn, model_stand_in

ADAPTERS = {"openai": OpenAIModel, "anthropic": AnthropicModel}
CANARIES = ("Kittiwake", "Dunlin", "Whimbrel", "Sanderling", "Turnstone")
FILES = {"src/app.py": "routes = {}  # Kittiwake\n"}
ENDS = {"openai": "stop", "anthropic": "end_turn"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


@pytest.fixture(params=["openai", "anthropic"])
async def playing(request: pytest.FixtureRequest) -> AsyncIterator[tuple[StandIn, str, Observed]]:
    async with model_stand_in(request.param) as stand_in:
        model = ADAPTERS[request.param](model="traced", key=lambda: "Turnstone-key", base_url=stand_in.url)
        yield stand_in, request.param, Observed(model)
        await model.close()


async def test_an_answer_in_steps_is_one_trace_by_the_conventions_with_nothing_of_what_was_said(
    desk: Desk, playing: tuple[StandIn, str, Observed], spans: InMemorySpanExporter
) -> None:
    server, provider, model = playing
    server.script = [
        'call:search {"query": "Dunlin"}',
        'call:read {"path": "src/Sanderling.py"}',
        "says:Whimbrel [src/app.py:1-1].",
    ]
    await desk.ask("Where is the Dunlin kept?", mode="deep")
    await desk.work(FakeRetriever(FILES), {f"{provider}:traced": model})
    answered = await desk.end()
    found = spans.get_finished_spans()

    assert answered.data["answer"] == "Whimbrel [src/app.py:1-1]."
    [root] = [span for span in found if span.name == "invoke_agent assistant"]
    assert sorted(span.name for span in found) == [
        "chat traced", "chat traced", "chat traced", "execute_tool read", "execute_tool search", root.name,
    ]  # fmt: skip
    assert {span.context.trace_id for span in found if span.context} == {root.context.trace_id if root.context else 0}
    last = [span for span in found if span.name == "chat traced"][-1]
    attributes = dict(last.attributes or {})
    assert attributes.pop("gen_ai.response.time_to_first_chunk") > 0  # type: ignore[operator]
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": "traced",
        "gen_ai.request.max_tokens": 2_048,
        "gen_ai.request.stream": True,
        "gen_ai.prompt.name": "deep-v1",
        "gen_ai.response.model": "traced",
        "gen_ai.response.finish_reasons": (ENDS[provider],),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
    }
    [read] = [span for span in found if span.name == "execute_tool read"]
    assert (read.attributes or {})["error.type"] == "no_such_file"
    told = json.dumps([span.to_json() for span in found]) + generate_latest().decode()
    assert [canary for canary in CANARIES if canary in told] == []
    labels = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": provider, "gen_ai_request_model": "traced"}
    value = REGISTRY.get_sample_value
    assert value("gen_ai_client_operation_duration_seconds_count", {**labels, "error_type": ""}) == 3
    assert value("gen_ai_client_token_usage_sum", {**labels, "gen_ai_token_type": "input"}) == 33
    assert value("gen_ai_client_operation_time_to_first_chunk_seconds_count", labels) == 3


async def test_a_call_that_fails_says_why_by_its_code_and_not_in_the_providers_words(
    desk: Desk, playing: tuple[StandIn, str, Observed], spans: InMemorySpanExporter
) -> None:
    server, provider, model = playing
    server.message = "no such Sanderling for key Turnstone"
    server.script = ["status:401"]
    await desk.ask("Where is the Dunlin kept?")
    await desk.work(FakeRetriever(FILES), {f"{provider}:traced": model})
    failed = await desk.end()
    found = spans.get_finished_spans()

    assert failed.data["code"] == "model_key_refused"
    assert [(span.name, (span.attributes or {})["error.type"]) for span in found] == [
        ("chat traced", "model_key_refused"),
        ("invoke_agent assistant", "model_key_refused"),
    ]
    assert all(not span.events and not span.status.description for span in found)
    told = json.dumps([span.to_json() for span in found])
    assert [canary for canary in CANARIES if canary in told] == []
