"""A text that is refused costs no more than itself, unless the provider refuses every text there is."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rag_manager.jobs.base import Turns, Urgency
from rag_manager.jobs.embedding import Embedded, Embedding
from rag_manager.jobs.paying import Took
from rag_manager.ports import InputRefused, Spent, always, uncounted
from runtime.faults import Permanent, Transient
from tests.support.index import ARun

BAD = "bad"


class Refusing:
    """Refuses what `refuses` says, and remembers what it was asked for."""

    name, dimension, max_batch, max_characters = "refusing", 2, 4, 1_000

    def __init__(self, refuses: Callable[[str], bool]) -> None:
        self.refuses = refuses
        self.asked: list[list[str]] = []

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        if any(map(self.refuses, texts)):
            raise InputRefused("embedder_input_refused")
        spent(Spent(len(texts)))
        return np.tile(np.array([1.0, 0.0], np.float32), (len(texts), 1))

    def close(self) -> None:
        pass


async def embed(embedder: Refusing, texts: Sequence[str], took: Took | None = None) -> Embedded:
    async def told(_done: int) -> None:
        pass

    return await Embedding(embedder, Turns(), Urgency.REFINED, ARun(), took or Took())(texts, told)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 30])
async def test_a_provider_that_takes_no_text_is_found_out_however_few_there_are(count: int) -> None:
    embedder = Refusing(lambda _text: True)

    with pytest.raises(Permanent) as caught:
        await embed(embedder, [f"text {n}" for n in range(count)])

    assert caught.value.code == "embedder_rejected"
    assert "embedder_input_refused" in caught.value.message
    assert len(embedder.asked) < 30


@pytest.mark.parametrize("count", [1, 7])
async def test_a_few_bad_texts_and_no_other_are_only_that(count: int) -> None:
    embedder = Refusing(lambda text: text == BAD)

    took = Took()
    made = await embed(embedder, [BAD] * count, took)

    assert made.refused == dict.fromkeys(range(count), "embedder_input_refused")
    assert not made.vectors.any()
    assert embedder.asked[-1] != [BAD], "it was asked once for what nobody refuses"
    assert took.tokens == 1


async def test_where_one_is_taken_nothing_more_is_asked() -> None:
    embedder = Refusing(lambda text: text == BAD)

    took = Took()
    made = await embed(embedder, [BAD, "good"], took)

    assert (list(made.refused), took.tokens) == ([0], 1)
    assert embedder.asked == [[BAD, "good"], [BAD], ["good"]]


async def test_without_texts_nothing_is_asked() -> None:
    embedder = Refusing(lambda _text: True)

    assert (await embed(embedder, [])).vectors.shape == (0, 2)
    assert embedder.asked == []


class Ending(Refusing):
    """A provider that answers so many calls, and then limits its rate."""

    def __init__(self, calls: int) -> None:
        super().__init__(lambda _text: False)
        self.calls = calls

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        if len(self.asked) == self.calls:
            raise Transient("embedder_busy", "Later.")
        return super().embed(texts, question=question, spent=spent, go_on=go_on)


async def test_what_was_embedded_before_a_fault_is_returned_with_it() -> None:
    embedder = Ending(2)
    texts, took = [f"text {n}" for n in range(3 * embedder.max_batch)], Took()

    made = await embed(embedder, texts, took)

    assert made.fault is not None
    assert made.fault.code == "embedder_busy"
    assert sorted(made.taken) == sorted(texts.index(text) for call in embedder.asked for text in call)
    assert len(made.taken) == took.tokens == 2 * embedder.max_batch
    assert made.vectors[made.taken].all(axis=0)[0]


async def test_a_fault_before_anything_was_embedded_is_raised() -> None:
    with pytest.raises(Transient, match="embedder_busy"):
        await embed(Ending(0), ["text"])
