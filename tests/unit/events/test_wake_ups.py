"""Waiting for wake-ups: heard at once, and with more patience the longer nothing is heard."""

import asyncio
import itertools
from typing import Any

import pytest
from redis.asyncio import Redis

from events.log.wake import APPENDED, SEQUENCED, Signal, Wake, Wakeups
from tests.support.delivery import until


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


class Said(Redis):
    """Redis, as who publishes sees it."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    async def publish(self, channel: Any, message: Any, **_: Any) -> int:
        self.said.append(message)
        return 1


async def test_whoever_rings_at_once_is_not_woken_again_by_what_it_said_itself() -> None:
    redis = Said()
    wakeups = Wakeups(redis, own=b"me")
    sequenced, appended = wakeups.signal(SEQUENCED), wakeups.signal(APPENDED)
    for name in (b"me", b"you", b""):
        Wake(redis, name).sequenced()
    await until(lambda: len(redis.said) == 3)
    woken = []
    for said in sorted(redis.said, reverse=True):
        wakeups.hear(said)
        woken.append((said, await sequenced.wait(0), await appended.wait(0)))

    assert woken == [
        (b"sequenced you", True, False),
        (b"sequenced me", False, False),
        (b"sequenced", True, False),
    ]
