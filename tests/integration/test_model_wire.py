"""Both providers' adapters against their real wire formats on loopback, whole and broken."""

from collections.abc import AsyncIterator

import pytest

from ai_engine.adapters import wire
from ai_engine.adapters.anthropic import AnthropicModel
from ai_engine.adapters.openai import OpenAIModel
from ai_engine.ports import Finished, LanguageModel, Token
from ai_engine.stages.build_prompt import Prompt, Turn
from runtime.faults import Fault, Permanent, Transient
from tests.support.model_stand_in import WORDS, StandIn, model_stand_in

PROMPT = Prompt("answer-v1", "Answer from the passages.", (Turn("user", "Where are routes kept?"),))
ADAPTERS = {"openai": OpenAIModel, "anthropic": AnthropicModel}


@pytest.fixture(params=["openai", "anthropic"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[tuple[StandIn, OpenAIModel | AnthropicModel]]:
    async with model_stand_in(request.param) as stand_in:
        model = ADAPTERS[request.param](model="m", key=lambda: "test-key", base_url=stand_in.url)
        yield stand_in, model
        await model.close()


async def collect(model: LanguageModel, received: list[object]) -> None:
    async for item in model.stream(PROMPT):
        received.append(item)  # noqa: PERF401  # what came before a fault must be seen too


async def test_a_whole_answer_arrives_token_by_token_with_its_usage(provider) -> None:
    stand_in, model = provider

    items = [item async for item in model.stream(PROMPT)]

    assert [item.text for item in items if isinstance(item, Token)] == list(WORDS)
    assert items[-1] == Finished("m", 11, 7, {"openai": "stop", "anthropic": "end_turn"}[model.provider])
    assert stand_in.requests[0]["stream"] is True
    assert "Where are routes kept?" in str(stand_in.requests[0]["messages"])


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        ("cut", Transient, "answer_cut_off"),
        ("length", Permanent, "answer_too_long"),
        ("reset", Transient, None),
        ("stall", Transient, "model_silent"),
        ("mute", Transient, "model_silent"),
        ("error", Transient, None),
        ("garbage", Transient, None),
        ("html", Transient, None),
        ("status:401", Permanent, "model_key_refused"),
        ("status:404", Permanent, "model_unknown"),
        ("status:400", Permanent, "model_rejected"),
        ("status:429,1", Transient, "model_rate_limited"),
        ("status:500", Transient, "model_unavailable"),
        ("status:529", Transient, "model_unavailable"),
    ],
)
async def test_a_broken_answer_is_a_fault_and_never_looks_whole(provider, script, kind, code, monkeypatch) -> None:
    monkeypatch.setattr(wire, "SILENCE_SECONDS", 1.0)
    stand_in, _ = provider
    model = type(provider[1])(model="m", key=lambda: "test-key", base_url=stand_in.url)
    stand_in.script = [script]

    received: list[object] = []
    with pytest.raises(Fault) as caught:
        await collect(model, received)

    assert not any(isinstance(item, Finished) for item in received)
    assert isinstance(caught.value, kind)
    assert code is None or caught.value.code == code
    assert "test-key" not in str(caught.value)
    assert len(stand_in.requests) == 1, "the SDK must not retry by itself"
    await model.close()


@pytest.mark.parametrize(("header", "seconds"), [("1", 1.0), ("3600", 3600.0), ("", None), ("date", 0.0)])
async def test_retry_after_reaches_us_in_seconds(provider, header, seconds) -> None:
    stand_in, model = provider
    stand_in.script = [f"status:429,{header}"]

    with pytest.raises(Transient) as caught:
        await anext(aiter(model.stream(PROMPT)))

    assert caught.value.retry_after == seconds


LIMITS = ("max_tokens", "max_completion_tokens")


async def test_a_compatible_server_is_told_its_limit_by_the_name_that_all_of_them_know(provider) -> None:
    stand_in, model = provider

    await collect(model, [])

    assert [stand_in.requests[0].get(name) for name in LIMITS] == [2_048, None]
    assert model.most_tokens == 2_048


async def test_a_server_that_wants_the_new_name_is_asked_once_more_and_from_then_on_by_it() -> None:
    async with model_stand_in("openai") as stand_in:
        model = OpenAIModel(model="thinks", key=lambda: "k", base_url=stand_in.url)
        stand_in.refuses = "max_tokens"
        received: list[object] = []
        await collect(model, received)
        await collect(model, received)
        await model.close()

    asked = [[name for name in LIMITS if name in request] for request in stand_in.requests]
    assert asked == [["max_tokens"], ["max_completion_tokens"], ["max_completion_tokens"]]
    assert stand_in.requests[-1]["max_completion_tokens"] == model.most_tokens == 8_192
    assert sum(isinstance(item, Finished) for item in received) == 2


@pytest.mark.parametrize(
    ("url", "tokens"),
    [
        (None, 8_192),
        ("https://eu.api.openai.com/v1", 8_192),
        ("https://team.openai.azure.com/openai/v1", 8_192),
        ("https://api.openai.com.example.org/v1", 2_048),
        ("http://127.0.0.1:11434/v1", 2_048),
    ],
)
async def test_openai_itself_is_told_a_limit_with_room_for_thoughts(url, tokens, monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    model = OpenAIModel(model="m", key=lambda: "k", base_url=url)

    assert model.most_tokens == tokens
    await model.close()


async def test_a_server_that_is_not_there_is_named(provider) -> None:
    model = type(provider[1])(model="m", key=lambda: "k", base_url="http://127.0.0.1:9")

    with pytest.raises(Transient) as caught:
        await anext(aiter(model.stream(PROMPT)))

    assert caught.value.code == "model_unreachable"
    await model.close()
