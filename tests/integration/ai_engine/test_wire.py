"""What both providers, and servers that speak like them, may say beside an answer: each has its code, or is read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ai_engine.adapters.anthropic import AnthropicModel
from ai_engine.adapters.openai import OpenAIModel
from ai_engine.metering import Meter, Metered
from ai_engine.ports import Finished, LanguageModel, Token
from ai_engine.stages.build_prompt import Prompt, ToolCall, ToolOffer
from ai_engine.stages.build_prompt import Turn as Said
from ai_engine.stages.price import Spend, tokens_in
from runtime.faults import Fault, Permanent, Transient
from tests.support.model_stand_in import StandIn, model_stand_in

TOOLS = tuple(ToolOffer(name, "Looks.", {"type": "object"}) for name in ("search", "tree"))
PROMPT = Prompt("p", "Answer.", (Said("user", "Where are the routes?"),), TOOLS)
Piece = dict[str, object]


@asynccontextmanager
async def asked(provider: str, events: list[tuple[str, object]]) -> AsyncIterator[tuple[LanguageModel, StandIn]]:
    async with model_stand_in(provider) as server:
        server.script, server.events = ["raw"], events
        kind = OpenAIModel if provider == "openai" else AnthropicModel
        model = kind(model="m", key=lambda: "key", base_url=server.url)
        yield model, server
        await model.close()


async def heard(provider: str, events: list[tuple[str, object]]) -> tuple[list[object], Spend, Fault | None]:
    """What comes of a reply, what it counts for, and the fault."""
    meter, items = Meter(), []
    async with asked(provider, events) as (model, _):
        try:
            items = [item async for item in Metered(model, meter).stream(PROMPT)]
        except Fault as fault:
            return items, meter.spend, fault
    return items, meter.spend, None


def chunk(*choices: Piece, **more: object) -> tuple[str, object]:
    return "message", {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
    } | more


def said(delta: object, finish: str | None = None) -> Piece:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def part(index: int | None, call_id: str | None, name: str | None, arguments: str) -> Piece:
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    place = {} if index is None else {"index": index}
    return place | ({"id": call_id, "type": "function"} if call_id else {}) | {"function": function}


def calling(*parts: Piece) -> tuple[str, object]:
    return chunk(said({"tool_calls": list(parts)}))


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
START = (
    "message_start",
    {
        "type": "message_start",
        "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 11}},
    },
)


def event(name: str, **body: object) -> tuple[str, object]:
    return name, {"type": name, **body}


def text(word: str) -> tuple[str, object]:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})


def ended(reason: str, **usage: object) -> tuple[str, object]:
    return event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": 7} | usage)


@pytest.mark.parametrize(
    "events",
    [
        [  # Azure begins with a chunk of no choices; the usage comes with the last
            chunk(prompt_filter_results=[]),
            chunk(said({"role": "assistant", "content": None})),
            chunk(said({"content": "There."})),
            chunk(said({}, "stop")),
            chunk(usage=USAGE),
        ],
        [chunk(said({"content": "There."})), chunk(said(None, "stop"), usage=USAGE)],  # no delta at the end
        [chunk(said({"content": "There."}, "stop")), ("message", {"id": "c", "choices": None, "usage": USAGE})],
    ],
)
async def test_an_answer_is_read_whatever_else_its_chunks_leave_out(events: list[tuple[str, object]]) -> None:
    assert await heard("openai", events) == ([Token("There."), Finished("m", 11, 7)], Spend(11, 7), None)


@pytest.mark.parametrize("usage", [None, {}, {"completion_tokens": 7}, {"prompt_tokens": "many"}])
async def test_a_server_that_does_not_count_is_counted_for(usage: object) -> None:
    events = [chunk(said({"content": "There."})), chunk(said({}, "stop")), chunk(usage=usage)]
    items, spend, fault = await heard("openai", events)

    assert fault is None
    assert items[0] == Token("There.")
    assert (spend.input_tokens, spend.is_estimated) == (tokens_in(PROMPT), True)
    assert spend.output_tokens == (7 if usage == {"completion_tokens": 7} else 2)


WHOLE = [ToolCall("a", "search", '{"query": "x"}'), ToolCall("b", "tree", "{}")]


@pytest.mark.parametrize(
    "parts",
    [
        [  # interleaved, as the format allows
            calling(part(1, "b", "tree", ""), part(0, "a", "search", "")),
            calling(part(0, None, None, '{"query": ')),
            calling(part(1, None, None, "{")),
            calling(part(0, None, None, '"x"}'), part(1, None, None, "}")),
        ],
        [  # servers that tell one place for all, and none
            calling(part(0, "a", "search", '{"query": "x"}')),
            calling(part(0, "b", "tree", "{}")),
        ],
        [
            calling(part(None, "a", "search", '{"query": '), part(None, "a", None, '"x"}')),
            calling(part(None, "b", "tree", "{}")),
        ],
    ],
)
async def test_pieces_of_several_calls_are_put_together_by_place_and_id(parts: list[tuple[str, object]]) -> None:
    items, _, fault = await heard("openai", [*parts, chunk(said({}, "tool_calls")), chunk(usage=USAGE)])

    assert fault is None
    assert items == [*WHOLE, Finished("m", 11, 7, "tool_calls")]


async def test_pieces_of_several_blocks_are_put_together_by_their_places() -> None:
    def begun(index: int, call: ToolCall) -> tuple[str, object]:
        block = {"type": "tool_use", "id": call.call_id, "name": call.name, "input": {}}
        return event("content_block_start", index=index, content_block=block)

    def more(index: int, json: str) -> tuple[str, object]:
        return event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": json})

    thought = event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm."})
    parts = [begun(1, WHOLE[0]), begun(2, WHOLE[1]), more(1, '{"query": '), more(2, "{}"), more(1, '"x"}')]
    items, spend, fault = await heard("anthropic", [START, thought, *parts, event("ping"), ended("tool_use")])

    assert fault is None
    assert items == [*WHOLE, Finished("m", 11, 7, "tool_use")]
    assert spend == Spend(11, 7)


async def test_what_was_read_from_a_cache_counts_and_counts_only_grow() -> None:
    start = event(
        "message_start", message={"usage": {"input_tokens": 3, "cache_read_input_tokens": 8, "output_tokens": 1}}
    )
    _, spend, fault = await heard("anthropic", [start, text("There."), ended("end_turn")])

    assert (spend, fault) == (Spend(11, 7), None)


OPENAI_SAID = chunk(said({"content": "Well, "}))
ERROR = {"error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("provider", "events", "code", "kind", "spend"),
    [
        ("openai", [chunk(said({"refusal": "I can't."})), chunk(said({}, "stop"))], "answer_refused", Permanent, None),
        (
            "openai",
            [OPENAI_SAID, chunk(said({}, "content_filter")), chunk(usage=USAGE)],
            "answer_refused",
            Permanent,
            Spend(11, 7),
        ),
        ("openai", [OPENAI_SAID, chunk(said({}, "length"), usage=USAGE)], "answer_too_long", Permanent, Spend(11, 7)),
        ("openai", [chunk(), chunk()], "answer_cut_off", Transient, None),
        ("openai", [chunk(said({}, "stop"))], "answer_cut_off", Transient, None),  # nothing was said
        ("openai", [OPENAI_SAID, ("message", ERROR)], "model_error", Transient, None),
        ("openai", [OPENAI_SAID, ("error", ERROR)], "model_error", Transient, None),
        (
            "openai",
            [("message", {"error": {"code": 502, "message": "upstream"}, "choices": []})],
            "model_error",
            Transient,
            None,
        ),
        ("anthropic", [START, text("I "), ended("refusal")], "answer_refused", Permanent, Spend(11, 7)),
        ("anthropic", [START, text("I "), ended("pause_turn")], "answer_cut_off", Transient, Spend(11, 7)),
        ("anthropic", [START, text("I "), ended("max_tokens")], "answer_too_long", Permanent, Spend(11, 7)),
        (
            "anthropic",
            [START, text("I "), ended("model_context_window_exceeded")],
            "answer_too_long",
            Permanent,
            Spend(11, 7),
        ),
        (
            "anthropic",
            [START, text("I "), ("error", {"type": "error", **ERROR})],
            "model_error",
            Transient,
            Spend(11, 1, None, True),
        ),
        ("anthropic", [START], "answer_cut_off", Transient, Spend(11, 0, None, True)),
        ("anthropic", [event("message_start", message={}), ended("end_turn")], "answer_cut_off", Transient, None),
    ],
)
async def test_what_is_no_answer_has_its_code_and_what_it_took_counts(
    provider: str, events: list[tuple[str, object]], code: str, kind: type[Fault], spend: Spend | None
) -> None:
    _, took, fault = await heard(provider, events)

    assert (type(fault), fault.code if fault else "") == (kind, code)
    if spend is not None:
        assert took == spend
    else:
        assert took.is_estimated or took.input_tokens == 0


@pytest.mark.parametrize(("provider", "status"), [("openai", "503"), ("anthropic", "529")])
async def test_an_overloaded_provider_is_left_alone_until_the_date_it_tells(provider: str, status: str) -> None:
    async with asked(provider, []) as (model, server):
        server.script, meter = [f"status:{status},later"], Meter()
        with pytest.raises(Transient) as raised:
            [item async for item in Metered(model, meter).stream(PROMPT)]

    assert raised.value.code == "model_unavailable"
    assert raised.value.retry_after == pytest.approx(30, abs=3)
    assert meter.spend == Spend()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_page_of_json_instead_of_a_stream_is_no_answer(provider: str) -> None:
    async with asked(provider, []) as (model, server):
        server.script = ["status:200"]
        with pytest.raises(Transient) as raised:
            [item async for item in model.stream(PROMPT)]

    assert raised.value.code == "answer_cut_off"


@pytest.mark.parametrize("usage", [None, {}, {"output_tokens": 7}])
async def test_a_server_like_anthropic_that_does_not_count_is_counted_for(usage: dict[str, int] | None) -> None:
    start = event("message_start", message={"id": "m", "role": "assistant", "content": []})
    end = event("message_delta", delta={"stop_reason": "end_turn"}, **({} if usage is None else {"usage": usage}))
    items, spend, fault = await heard("anthropic", [start, text("There."), end])

    assert fault is None
    assert items[0] == Token("There.")
    assert (spend.input_tokens, spend.is_estimated) == (tokens_in(PROMPT), True)
    assert spend.output_tokens == (7 if usage else 2)


async def test_a_count_that_each_chunk_tells_is_all_only_at_the_end() -> None:
    """As servers count that tell it all along: what was written before a cut counts, though none told of it."""
    long = "word " * 100
    begun = chunk(said({"content": "Well, "}), usage=USAGE | {"completion_tokens": 1})
    _, spend, fault = await heard("openai", [begun, chunk(said({"content": long})), ("message", ERROR)])

    assert fault is not None
    assert spend.is_estimated
    assert (spend.input_tokens, spend.output_tokens >= 100) == (11, True)

    end = chunk(said({}, "stop"), usage=USAGE | {"completion_tokens": 103})
    _, spend, fault = await heard("openai", [begun, chunk(said({"content": long})), end])
    assert (spend, fault) == (Spend(11, 103), None)


@pytest.mark.parametrize("usage", [{"prompt_tokens": 11}, {"prompt_tokens": 11, "completion_tokens": 0}])
async def test_a_server_that_counts_what_it_reads_alone_is_counted_for_in_what_it_writes(usage: object) -> None:
    events = [chunk(said({"content": "There it is."})), chunk(said({}, "stop")), chunk(usage=usage)]
    items, spend, fault = await heard("openai", events)

    assert fault is None
    assert spend == Spend(11, 3, is_estimated=True)
    assert items[-1] == Finished("m", 11, 3)
