"""How long a provider is left alone, and how an embedder ends, with a wire that says what a test wants."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.adapters.remote_embedder import Bounds, Model, RemoteEmbedder, Reply, status_fault
from runtime.faults import Fault, Transient

MODEL = Model("stand-in", "m", 2)
WHOLE = Reply({0: [3.0, 4.0]}, 1)


class ScriptedWire:
    """Answers or fails as the script says, one entry a call."""

    def __init__(self, *script: Reply | Fault) -> None:
        self.script = list(script)

    async def ask(self, texts: Sequence[str], *, question: bool) -> Reply:
        said = self.script.pop(0)
        if isinstance(said, Fault):
            raise said
        return said

    async def close(self) -> None:
        pass


def embedded(wire: ScriptedWire, bounds: Bounds | None = None) -> list[float]:
    """Embed one text; for how long it was waited meanwhile."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    embedder = RemoteEmbedder(MODEL, wire, bounds or Bounds(), sleep=sleep)
    try:
        embedder.embed(["text"])
    finally:
        embedder.close()
    return waited


def busy(retry_after: str | None) -> Transient:
    fault = status_fault(429, retry_after, now=time.time())
    assert isinstance(fault, Transient)
    return fault


@pytest.mark.parametrize("said", ["0", "0.001", "Wed, 21 Oct 2015 07:28:00 GMT", "-5", "soon", None])
def test_a_short_time_or_one_that_is_over_is_no_leave_to_hammer(said: str | None) -> None:
    waited = embedded(ScriptedWire(busy(said), busy(said), busy(said), WHOLE))

    for pause, least in zip(waited, (0.25, 0.5, 1.0), strict=True):
        assert least <= pause <= 2 * least


def test_a_longer_time_than_its_own_is_kept() -> None:
    assert embedded(ScriptedWire(busy("33"), WHOLE)) == [33.0]


def test_a_time_beyond_the_deadline_is_in_the_fault() -> None:
    with pytest.raises(Transient) as caught:
        embedded(ScriptedWire(busy("3600")))

    assert (caught.value.code, caught.value.retry_after) == ("embedder_busy", 3_600.0)


@given(st.floats(0, 600), st.integers(1, 9))
def test_it_waits_no_shorter_than_it_is_asked(asked: float, failures: int) -> None:
    waited = embedded(ScriptedWire(*[busy(repr(asked))] * failures, WHOLE), Bounds(deadline=1e6))

    assert len(waited) == failures
    assert min(waited) >= asked


class SlowWire(ScriptedWire):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.closed = threading.Event(), 0

    async def ask(self, texts: Sequence[str], *, question: bool) -> Reply:
        self.asked.set()
        await asyncio.sleep(3_600)
        raise AssertionError(question)

    async def close(self) -> None:
        self.closed += 1


def test_who_ends_waits_for_no_slow_provider() -> None:
    wire = SlowWire()
    embedder = RemoteEmbedder(MODEL, wire, Bounds(deadline=3_600.0))
    said: list[str] = []

    def ask() -> None:
        try:
            embedder.embed(["text"])
        except Transient as fault:
            said.append(fault.code)

    waiting = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for each in waiting:
        each.start()
    assert wire.asked.wait(10)

    embedder.close()

    for each in waiting:
        each.join(10)
    assert said == ["embedder_unavailable"] * 2
    assert wire.closed == 1


def test_of_one_that_has_ended_nothing_is_begun() -> None:
    embedder = RemoteEmbedder(MODEL, ScriptedWire(WHOLE, WHOLE), Bounds())
    embedder.embed(["text"])
    embedder.close()

    with pytest.raises(Transient):
        embedder.embed(["text"])

    assert "remote-embedder" not in {thread.name for thread in threading.enumerate()}
    embedder.close()
