"""Questions answered over real PostgreSQL and Valkey by the real subscriber; the models speak their wire format."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from redis.exceptions import RedisError

from ai_engine.adapters.openai import OpenAIModel
from ai_engine.adapters.retriever import HttpRetriever
from ai_engine.ports import LanguageModel
from ai_engine.subscribers import CONSUMER
from events.catalog import QUESTIONS
from events.conversation import ConversationDeleted
from events.looking import LinesRequest
from events.question import Evidence, QuestionStopped, SearchRequest
from runtime.faults import Permanent
from tests.conftest import Servers
from tests.fakes.retriever import FakeRetriever
from tests.support.answering import FILES, Desk
from tests.support.delivery import until
from tests.support.kernel import a_draft
from tests.support.model_stand_in import WORDS, StandIn, model_stand_in


async def test_a_question_is_answered_with_all_that_the_answer_rests_on(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    answered = await desk.end()

    assert answered.event_type == "ai.query.processed"
    data = answered.data
    assert (data["answer"], data["mode"]) == ("".join(WORDS), "generated")
    assert (data["provider"], data["model"], data["input_tokens"], data["output_tokens"]) == ("openai", "m", 11, 7)
    assert [(c["path"], c["first_line"], c["last_line"]) for c in data["citations"]] == [("src/app.py", 1, 3)]
    assert [(p["path"], p["score"], p["ranks"]) for p in data["passages"]] == [("src/app.py", 0.5, {"lexical": 1})]
    assert (data["commit"], data["generation_kind"], data["degraded"]) == ("c0ffee", "quick", None)
    assert data["response_time"] > 0
    assert answered.causation_id == (await desk.kernel.journal.read_stream(desk.stream_id))[0].event_id
    assert "def route(path):" in str(server.requests[0]["messages"])
    assert [part["type"] for part in await desk.parts()][-1] == "written"


@pytest.mark.parametrize(("script", "by", "searched"), [
    (["says:Who calls routes_of?", "whole"], "m", "Who calls routes_of?"),
    (["cut", "whole"], "rules", "And who calls it? (about routes_of)"),
])  # fmt: skip
async def test_a_question_that_points_back_is_searched_for_as_it_is_meant(  # the fixtures
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], script: list[str], by: str, searched: str
) -> None:
    server.script = script
    await desk.ask("And who calls it?", ("x" * 13_000, "Long ago."), ("What does routes_of do?", "It keeps routes."))
    retriever = FakeRetriever(FILES)
    await desk.work(retriever, models)
    data = (await desk.end()).data

    assert [request.query for request in retriever.searches] == [searched]
    assert (data["query"], data["standalone"], data["standalone_by"]) == ("And who calls it?", searched, by)
    assert (data["history_turns"], data["history_tokens"], data["history_left_out"]) == (1, 10, 1)
    rewriting, answering = ([m["content"] for m in request["messages"]] for request in server.requests)
    assert "Person: What does routes_of do?" in rewriting[-1]
    assert answering[1:-1] == ["What does routes_of do?", "It keeps routes."]
    assert answering[-1].endswith("Question: And who calls it?")


async def test_a_question_that_is_delivered_twice_is_answered_once(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    await until(desk.is_acked)
    await desk.kernel.redis.xgroup_setid(QUESTIONS, CONSUMER, "0")
    again = await desk.is_acked()
    await until(desk.is_acked)

    assert not again  # it was to be delivered once more, and then was
    assert [end.event_type for end in await desk.ends()] == ["ai.query.processed"]
    assert len(server.requests) == 1


async def test_an_answer_whose_worker_stops_in_the_middle_is_begun_anew_by_another(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.script = ["stall", "whole"]
    await desk.ask()
    first = await desk.work(FakeRetriever(FILES), models, worker="a")
    await until(desk.seen)  # in the middle: words are out, the model is silent
    await first.stop(grace=0)
    ends_before = await desk.ends()
    await desk.work(FakeRetriever(FILES), models, worker="b")
    answered = await desk.end()

    assert ends_before == []
    assert len(server.requests) == 2
    assert answered.data["answer"] == "".join(WORDS)
    assert answered.data["is_estimated"]
    assert answered.data["input_tokens"] > 11 + 100  # the call of the first worker, too
    assert [part["type"] for part in await desk.parts()].count("reset") == 2
    assert "".join(WORDS).startswith(await desk.seen())
    assert (await desk.seen()).count("Routes") == 1


async def test_a_cancelled_answer_ends_the_call_of_a_silent_provider(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.script = ["stall"]
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    await until(desk.seen)  # in the middle: words are out, the model is silent
    hung_up_before = server.hung_up
    await desk.kernel.journal.append(desk.stream_id, [a_draft(ConversationDeleted())])
    await until(lambda: server.hung_up)
    await until(desk.is_acked)

    assert (hung_up_before, server.hung_up, len(server.requests)) == (0, 1, 1)
    deleted, paid = await desk.ends()
    assert deleted.event_type == "conversation.deleted"
    assert (paid.data["code"], paid.data["query"], paid.data["is_estimated"]) == ("answer_stopped", "", True)
    assert paid.data["input_tokens"] > 100
    assert await desk.kernel.inbox(CONSUMER) == {1: "cancelled"}


async def test_a_stopped_question_ends_its_own_call_and_not_that_of_another_in_the_conversation(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.script = ["stall"]
    await desk.ask()
    await desk.kernel.journal.append(desk.stream_id, [a_draft(QuestionStopped(question_id=uuid4()))])
    await desk.work(FakeRetriever(FILES), models)
    await until(desk.seen)  # begun: the other's end was none of this one
    hung_up_before = server.hung_up
    await desk.kernel.journal.append(desk.stream_id, [a_draft(QuestionStopped(question_id=desk.question_id))])
    await until(lambda: server.hung_up)
    await until(desk.is_acked)

    assert (hung_up_before, server.hung_up, len(server.requests)) == (0, 1, 1)
    *stops, paid = await desk.ends()
    assert [end.event_type for end in stops] == ["ai.query.stopped", "ai.query.stopped"]
    assert (paid.event_type, paid.data["code"]) == ("ai.query.failed", "answer_stopped")
    assert await desk.kernel.inbox(CONSUMER) == {1: "cancelled"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("status:401", "model_key_refused"),
        ("status:413", "model_rejected"),  # too long for this one
        ("status:429,3600", "model_rate_limited"),
    ],
)
async def test_where_the_first_model_cannot_the_next_one_answers_and_it_is_said(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], fault: str, code: str
) -> None:
    async with model_stand_in("openai") as broken:
        broken.script = [fault]
        first = OpenAIModel(model="first", key=lambda: "test-key", base_url=broken.url)
        await desk.ask()
        await desk.work(FakeRetriever(FILES), {"openai:first": first, **models})
        data = (await desk.end()).data
        await first.close()

    assert (len(broken.requests), len(server.requests)) == (1, 1)
    assert (data["answer"], data["model"]) == ("".join(WORDS), "m")
    assert data["passed_over"] == [{"model": "openai:first", "code": code}]
    assert "passed_over" in await desk.steps()


async def test_an_answer_is_recorded_although_nobody_can_be_shown_it(
    desk: Desk, models: dict[str, LanguageModel], servers: Servers
) -> None:
    searching, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        searching.set()
        await go.wait()

    await desk.ask()
    await desk.work(FakeRetriever(FILES, before=wait), models)
    await searching.wait()
    await asyncio.to_thread(servers.valkey.stop)
    try:
        go.set()
        answered = await desk.end()
        with pytest.raises(RedisError):  # it is still away
            await desk.kernel.redis.ping()
    finally:
        servers.valkey.start()  # in the main thread: the server ends with the thread that started it

    assert answered.data["answer"] == "".join(WORDS)


@pytest.mark.parametrize("fault", ["status:429,0", "status:500,0", "cut", "reset"])
async def test_a_model_that_fails_once_is_asked_again_and_no_word_is_doubled(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], fault: str
) -> None:
    server.script = [fault, "whole"]
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    answered = await desk.end()

    assert len(server.requests) == 2
    assert "retrying" in await desk.steps()
    assert answered.data["answer"] == "".join(WORDS)
    assert (await desk.seen()).count("Routes") == 1


@pytest.mark.parametrize(("query", "is_given"), [("What does it do?", True), ("Where are routes kept?", False)])
async def test_a_question_that_names_nothing_is_given_the_whole_opening_of_the_readme(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], *, query: str, is_given: bool
) -> None:
    readme = "\n".join(["# Routes", *(f"Line {n}." for n in range(2, 12)), "It sends requests on."])
    await desk.ask(query)
    await desk.work(FakeRetriever({**FILES, "README.md": readme}), models)
    await desk.end()

    assert ("It sends requests on." in json.dumps(server.requests)) is is_given


async def test_a_secret_in_a_readme_is_not_quoted(desk: Desk) -> None:
    token = "gh" + "p_Zq7Rw2Xy9Kd4Lm6Np1St3Vb5"
    await desk.ask("What does it do?")
    await desk.work(FakeRetriever({**FILES, "README.md": f"# Routes\n\nClone it with {token}.\n"}), {})
    answered = await desk.end()

    assert "The README says [README.md:1-3]" in answered.data["answer"]
    assert token not in json.dumps(answered.data) + await desk.seen()


async def test_a_model_that_fails_for_ever_is_a_failure_by_name_and_no_answer(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.script = ["status:500,0"]
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    failed = await desk.end()
    await until(desk.is_acked)

    assert len(server.requests) == 3
    assert (failed.event_type, failed.data["code"]) == ("ai.query.failed", "model_unavailable")
    assert await desk.kernel.inbox(CONSUMER) == {1: "failed"}


STRANGE = Evidence(
    chunks=485, terms=9, unknown=0.7, rare=0.8, weight=50.0, best=3.0, nearest=0.2, tenth=0.1, around=0.1
)


@pytest.mark.parametrize("has_model", [True, False])
async def test_a_question_about_something_else_is_refused_with_the_nearest_places(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel], *, has_model: bool
) -> None:
    await desk.ask("How are reverse proxies for gRPC balanced?")
    await desk.work(FakeRetriever(FILES, evidence=STRANGE), models if has_model else {})
    data = (await desk.end()).data

    assert server.requests == []
    assert (data["refused"], data["mode"], data["prompt"]) == ("no_evidence", "extractive", "refusal-v1")
    assert data["evidence"] < 0.5
    assert data["confidence"] == 0.0
    assert data["answer"].startswith("Not found in this repository at `c0ffee`.")
    assert [c["path"] for c in data["citations"]] == ["src/app.py"]
    assert await desk.seen() == data["answer"]


@pytest.mark.parametrize(("query", "refused"), [("How are gRPC proxies balanced?", "no_evidence"), ("And them?", "")])
async def test_in_a_conversation_a_question_is_refused_that_does_not_rest_on_what_was_said(
    desk: Desk, query: str, refused: str
) -> None:
    await desk.ask(query, ("Where are routes kept?", "In `src/app.py`."))
    await desk.work(FakeRetriever(FILES, evidence=STRANGE))

    assert (await desk.end()).data["refused"] == refused


async def test_a_model_that_finds_nothing_in_the_passages_is_a_refusal(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.words = ("NOT ", "FOUND")
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    data = (await desk.end()).data

    assert (data["refused"], data["mode"], data["output_tokens"]) == ("not_in_passages", "generated", 7)
    assert data["answer"].startswith("Not found in this repository at `c0ffee`.")
    assert await desk.seen() == data["answer"]


async def test_an_extractive_answer_can_be_asked_for_where_a_model_is_configured(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    await desk.ask(mode="extractive")
    await desk.work(FakeRetriever(FILES), models)
    data = (await desk.end()).data

    assert server.requests == []
    assert (data["mode"], data["refused"]) == ("extractive", "")


async def test_lines_that_do_not_exist_are_neither_shown_nor_kept(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.words = ("In a map ", "[src/app", ".py:1-1], ", "not there [src/app.py:90", "-99] nor [x.py:1]", ".")
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)
    answered = await desk.end()
    shown = [str(part.get("text", "")) for part in await desk.parts()]

    assert answered.data["answer"] == "In a map [src/app.py:1-1], not there nor."
    assert answered.data["removed_citations"] == 2
    assert not [text for text in shown if "90" in text or "x.py" in text]
    assert [part["type"] for part in await desk.parts()].count("reset") == 1


async def test_an_answer_of_nothing_but_invented_places_is_a_failure(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    server.words = ("[src/app.py:90-99]", " ", "[x.py:1]")
    await desk.ask()
    await desk.work(FakeRetriever(FILES), models)

    assert (await desk.end()).data["code"] == "answer_unsupported"


async def test_an_answer_to_a_merely_lexical_search_says_so(desk: Desk) -> None:
    await desk.ask()
    await desk.work(FakeRetriever(FILES, degraded="vectors_unavailable"))
    data = (await desk.end()).data

    assert (data["mode"], data["generation_kind"], data["degraded"]) == (
        "extractive",
        "lexical",
        "vectors_unavailable",
    )


async def test_an_analysis_that_went_away_is_a_failure_by_name(desk: Desk) -> None:
    async def gone() -> None:
        raise Permanent("no_such_analysis", "That analysis is no longer searched.")

    retriever = FakeRetriever(FILES, before=gone)
    await desk.ask()
    await desk.work(retriever)
    failed = await desk.end()

    assert len(retriever.searches) == 1
    assert (failed.event_type, failed.data["code"]) == ("ai.query.failed", "no_such_analysis")


async def test_sources_that_go_away_in_between_leave_no_citation(
    desk: Desk, server: StandIn, models: dict[str, LanguageModel]
) -> None:
    retriever = FakeRetriever(FILES)
    server.script = ["status:429,1", "whole"]  # a second to take them away in
    await desk.ask()
    await desk.work(retriever, models)
    await until(lambda: server.requests)
    retriever.files.clear()
    asked_before = len(server.requests)
    data = (await desk.end()).data

    assert (asked_before, len(server.requests)) == (1, 2)
    assert (data["citations"], data["removed_citations"]) == ([], 1)


@asynccontextmanager
async def a_search_service(*statuses: int) -> AsyncIterator[tuple[str, list[int]]]:
    """Answers each request with the next status, the last for ever; 200 has what a `FakeRetriever` finds."""
    answered: list[int] = []
    found = FakeRetriever(FILES)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split()[0])
        request = json.loads(await reader.readexactly(length))
        status = statuses[min(len(answered), len(statuses) - 1)]
        answered.append(status)
        body = "{}"
        if status == 200 and "/search" in head:
            body = (await found.search(SearchRequest.model_validate(request))).model_dump_json()
        elif status == 200:
            reply = await found.lines(LinesRequest.model_validate(request))
            status, body = (200, reply.model_dump_json()) if reply else (404, "{}")
        writer.write(f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", answered
    finally:
        listening.close()


async def test_a_search_service_that_restarts_is_asked_again(desk: Desk) -> None:
    async with a_search_service(503, 502, 200) as (url, answered):
        retriever = HttpRetriever(url, dict, pauses=(0.05, 0.05))
        await desk.ask()
        await desk.work(retriever)
        end = await desk.end()
        await retriever.close()

    assert answered[:3] == [503, 502, 200]
    assert end.event_type == "ai.query.processed"


async def test_a_search_service_that_stays_away_is_a_failure_by_name(desk: Desk) -> None:
    async with a_search_service(503) as (url, answered):
        retriever = HttpRetriever(url, dict, pauses=(0.05, 0.05))
        await desk.ask()
        await desk.work(retriever)
        failed = await desk.end()
        await retriever.close()

    assert answered == [503, 503, 503]
    assert (failed.event_type, failed.data["code"]) == ("ai.query.failed", "search_unavailable")


async def test_a_search_service_that_nobody_runs_is_a_failure_by_name(desk: Desk) -> None:
    async with a_search_service(200) as (url, _):
        pass  # now the port is closed
    retriever = HttpRetriever(url, dict, pauses=(0.05,))
    await desk.ask()
    await desk.work(retriever)
    failed = await desk.end()
    await retriever.close()

    assert (failed.event_type, failed.data["code"]) == ("ai.query.failed", "search_unavailable")
