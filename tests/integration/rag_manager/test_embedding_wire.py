"""Both providers' embeddings against their real wire formats on loopback, whole and broken."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import REGISTRY

from rag_manager.adapters.openai_embeddings import OpenAIWire
from rag_manager.adapters.remote_embedder import Bounds, Model, RemoteEmbedder
from rag_manager.adapters.voyage_embeddings import VoyageWire
from rag_manager.jobs.base import Turns, Urgency
from rag_manager.jobs.embedding import Embedded, Embedding
from rag_manager.ports import InputRefused, Spent
from runtime.faults import Cancelled, Fault, Permanent, Transient
from tests.fakes.embedder import WordEmbedder
from tests.support.delivery import until
from tests.support.embedding_stand_in import REFUSED, ZERO, StandIn, embedding_stand_in
from tests.support.index import ARun

WIRES = {"openai": OpenAIWire, "voyage": VoyageWire}
WIDTH = 8


class Sleeper:
    """Waits for nothing, and remembers for how long it should have."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)


@dataclass
class Provider(StandIn):
    """The stand-in, and the embedders that ask it."""

    provider: str = ""
    made: list[RemoteEmbedder] = field(default_factory=list)

    def embedder(
        self, bounds: Bounds | None = None, sleeper: Sleeper | None = None, *, resized: bool = False, revision: str = ""
    ) -> RemoteEmbedder:
        model = Model(self.provider, "m", WIDTH, resized, revision)
        wire = WIRES[self.provider](model, key=lambda: "test-key", base_url=self.url, timeout=5.0)
        self.made.append(RemoteEmbedder(model, wire, bounds or Bounds(), sleep=sleeper or Sleeper()))
        return self.made[-1]


@pytest.fixture(params=["openai", "voyage"])
async def stand_in(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    provider = Provider(WordEmbedder(dimension=WIDTH), provider=request.param)
    async with embedding_stand_in(request.param, provider):
        yield provider
        for embedder in provider.made:
            await asyncio.to_thread(embedder.close)


async def embed(embedder: RemoteEmbedder, texts: Sequence[str], **how: object) -> NDArray[np.float32]:
    return await asyncio.to_thread(partial(embedder.embed, texts, **how))  # type: ignore[arg-type]  # as each test says


async def embed_all(embedder: RemoteEmbedder, texts: Sequence[str]) -> Embedded:
    async def told(_done: int) -> None:
        pass

    return await Embedding(embedder, Turns(), Urgency.REFINED, ARun())(texts, told)


async def test_vectors_have_length_one_and_stand_where_their_texts_do(stand_in: Provider) -> None:
    embedder = stand_in.embedder()
    texts = ["walk the tree", "", "open a file"]

    vectors = await embed(embedder, texts[:1] + texts[2:])

    np.testing.assert_allclose(vectors, stand_in.words.embed([texts[0], texts[2]]), atol=1e-6)
    assert vectors.dtype == np.float32
    assert (await embed(embedder, [])).shape == (0, WIDTH)
    assert embedder.name == f"{stand_in.provider}:m@8"
    assert set(stand_in.keys) == {"bearer test-key"}


async def test_a_question_is_told_from_passages_where_the_provider_can(stand_in: Provider) -> None:
    embedder = stand_in.embedder(resized=True, revision="2")

    await embed(embedder, ["walk"])
    await embed(embedder, ["how to walk"], question=True)

    told = [request.get("input_type") for request in stand_in.requests]
    sizes = [request.get("dimensions", request.get("output_dimension")) for request in stand_in.requests]
    assert told == ([None, None] if embedder.name.startswith("openai") else ["document", "query"])
    assert sizes == [8, 8]
    assert embedder.name.endswith("m@8#2")


async def test_what_has_the_form_of_a_secret_stays_here_and_long_texts_are_cut(stand_in: Provider) -> None:
    embedder = stand_in.embedder(Bounds(text_tokens=20))

    await embed(embedder, ["key = sk-abcdefghijklmnop0123456789", "word " * 100, ""])

    assert stand_in.texts[0] == "key = [redacted]"
    assert len(stand_in.texts[1]) == 40
    assert stand_in.texts[2] == " "


async def test_a_busy_provider_is_left_alone_as_long_as_it_asks(stand_in: Provider) -> None:
    sleeper = Sleeper()
    stand_in.script = ["status:429,7", "status:503", "status:429,date", "whole"]

    vectors = await embed(stand_in.embedder(sleeper=sleeper), ["walk"])

    assert len(stand_in.requests) == 4
    assert sleeper.waited[0] == 7.0
    assert 0.5 <= sleeper.waited[1] <= 1.0
    assert 1.0 <= sleeper.waited[2] <= 2.0, "a date that is over is no leave to ask again at once"
    assert np.linalg.norm(vectors[0]) == pytest.approx(1.0)


async def test_who_is_to_wait_longer_than_the_deadline_hears_so_at_once(stand_in: Provider) -> None:
    stand_in.script = ["status:429,3600"]

    with pytest.raises(Transient) as caught:
        await embed(stand_in.embedder(), ["walk"])

    assert (caught.value.code, caught.value.retry_after) == ("embedder_busy", 3_600.0)
    assert len(stand_in.requests) == 1, "the SDK must not retry by itself"


async def test_a_deadline_ends_a_reply_that_does_not_come(stand_in: Provider) -> None:
    stand_in.script = ["stall"]
    embedder = stand_in.embedder(Bounds(deadline=60.0, question=0.3))
    began = time.monotonic()

    with pytest.raises(Transient) as caught:
        await embed(embedder, ["walk"], question=True)

    assert caught.value.code == "embedder_unavailable"
    assert time.monotonic() - began < 2.0
    await until(lambda: stand_in.hung_up == 1)


async def test_a_run_that_is_cancelled_ends_its_call_and_the_connection_and_none_is_made_after_it(
    stand_in: Provider,
) -> None:
    stand_in.script = ["stall"]
    run, done = ARun(), []

    async def told(count: int) -> None:
        done.append(count)

    embedding = Embedding(stand_in.embedder(), Turns(), Urgency.REFINED, run)
    working = asyncio.create_task(embedding(["walk"], told))
    await until(lambda: len(stand_in.requests) == 1)
    began, run.cancelled = time.monotonic(), True

    with pytest.raises(Cancelled):
        await working
    await until(lambda: stand_in.hung_up == 1)

    assert time.monotonic() - began < 2.0
    assert (len(stand_in.requests), done) == (1, [])


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        ("reset", Transient, "embedder_unavailable"),
        ("status:500", Transient, "embedder_unavailable"),
        ("short", Transient, "embedder_reply_unreadable"),
        ("null", Transient, "embedder_reply_unreadable"),
        ("garbage", Transient, "embedder_reply_unreadable"),
        ("html", Transient, "embedder_reply_unreadable"),
        ("narrow", Permanent, "embedder_wrong_dimension"),
        ("status:401", Permanent, "embedder_key_refused"),
        ("status:404", Permanent, "embedder_model_unknown"),
        ("status:302", Permanent, "embedder_rejected"),
    ],
)
async def test_a_wrong_reply_is_a_fault_with_a_name(stand_in: Provider, script: str, kind: type, code: str) -> None:
    stand_in.script = [script]

    with pytest.raises(Fault) as caught:
        await embed(stand_in.embedder(Bounds(question=2.0)), ["walk", "run"], question=True)

    assert isinstance(caught.value, kind)
    assert caught.value.code == code
    assert "test-key" not in str(caught.value)
    assert len(stand_in.requests) == 1


async def test_a_reply_that_broke_off_is_asked_for_again(stand_in: Provider) -> None:
    stand_in.script = ["reset", "short", "garbage", "whole"]

    vectors = await embed(stand_in.embedder(), ["walk", "run"])

    assert len(stand_in.requests) == 4
    np.testing.assert_allclose(vectors, stand_in.words.embed(["walk", "run"]), atol=1e-6)


async def test_numbers_that_are_none_are_refused(stand_in: Provider) -> None:
    stand_in.script = ["nan"]

    with pytest.raises(InputRefused) as caught:
        await embed(stand_in.embedder(), ["walk"])

    assert caught.value.code == "embedder_bad_vector"


async def test_one_bad_text_costs_no_other_its_vector(stand_in: Provider) -> None:
    texts = [f"word{'abcdefghijkl'[n]} here" for n in range(12)]
    texts[5], texts[9] = f"{REFUSED} words", f"{ZERO} words"

    made = await embed_all(stand_in.embedder(Bounds(texts=8)), texts)

    assert made.refused == {5: "embedder_input_refused", 9: "embedder_bad_vector"}
    good = [n for n in range(12) if n not in made.refused]
    np.testing.assert_allclose(made.vectors[good], stand_in.words.embed([texts[n] for n in good]), atol=1e-6)
    assert not made.vectors[[5, 9]].any()
    # A group of 8 is halved three times, one of 4 twice: each bad text is asked for once in each of its groups.
    assert len(stand_in.requests) == 7 + 5


async def test_a_provider_that_takes_nothing_is_not_asked_for_every_text(stand_in: Provider) -> None:
    with pytest.raises(Permanent) as caught:
        await embed_all(stand_in.embedder(), [f"{REFUSED} {n}" for n in range(100)])

    assert caught.value.code == "embedder_rejected"
    assert len(stand_in.requests) < 30


async def test_batches_keep_the_bounds_of_texts_and_tokens(stand_in: Provider) -> None:
    texts = ["a" * 60] * 5 + ["b" * 10] * 7 + ["c" * 500]

    await embed_all(stand_in.embedder(Bounds(texts=4, tokens=100)), texts)

    batches = [request["input"] for request in stand_in.requests]
    assert [len(batch) for batch in batches] == [3, 4, 4, 1, 1]  # type: ignore[arg-type]  # lists
    assert all(sum(map(len, batch)) <= 200 for batch in batches[:-1])  # type: ignore[arg-type, misc, union-attr]


async def test_what_is_paid_for_is_counted(stand_in: Provider) -> None:
    labels = {
        "gen_ai_operation_name": "embeddings",
        "gen_ai_provider_name": stand_in.provider,
        "gen_ai_request_model": "m",
    }
    before = REGISTRY.get_sample_value("repostream_model_cost_usd_total", labels) or 0.0
    spent: list[Spent] = []

    await embed(stand_in.embedder(Bounds(price=20.0)), ["walk the tree", "run"], spent=spent.append)

    assert spent == [Spent(4, pytest.approx(0.00008))]
    after = REGISTRY.get_sample_value("repostream_model_cost_usd_total", labels) or 0.0
    assert after - before == pytest.approx(0.00008)


async def test_a_provider_that_is_not_there_is_named() -> None:
    model = Model("voyage", "m", WIDTH)
    wire = VoyageWire(model, key=lambda: "k", base_url="http://127.0.0.1:9/v1", timeout=5.0)

    embedder = RemoteEmbedder(model, wire, Bounds())

    with pytest.raises(Transient) as caught:
        await embed(embedder, ["walk"], question=True)

    await asyncio.to_thread(embedder.close)
    assert caught.value.code == "embedder_unavailable"
