"""Waiting for wake-ups: heard at once, and with more patience the longer nothing is heard."""

import asyncio
import itertools

import pytest

from events.log.wake import Signal


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been; none of them takes any time."""
    asked: list[float] = []
    timeout = asyncio.timeout

    def none(seconds: float) -> asyncio.Timeout:
        asked.append(round(seconds, 3))
        return timeout(0)

    monkeypatch.setattr(asyncio, "timeout", none)
    return asked


async def test_in_silence_waits_grow_to_four_times_and_a_wake_up_makes_them_short_again(waits: list[float]) -> None:
    signal = Signal(rests=True)
    heard = [await signal.wait(0.1) for _ in range(10)]
    signal.set()
    heard.append(await signal.wait(0.1))
    await signal.wait(0.1)

    assert heard == [False] * 10 + [True]
    assert waits[0] == 0.1
    assert all(earlier <= later for earlier, later in itertools.pairwise(waits[:11]))
    assert waits[10] == 0.4
    assert waits[11] == 0.1


async def test_who_does_not_rest_waits_as_long_each_time(waits: list[float]) -> None:
    signal = Signal()
    for _ in range(5):
        await signal.wait(0.2)

    assert set(waits) == {0.2}


async def test_a_wake_up_that_comes_before_the_wait_ends_it_at_once() -> None:
    signal = Signal()
    signal.set()

    assert await asyncio.wait_for(signal.wait(60), timeout=10)
