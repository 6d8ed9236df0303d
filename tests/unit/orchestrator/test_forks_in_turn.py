"""A process calculates one fork at a time, and none that nobody waits for."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from events.base import Envelope
from orchestrator.api import forks
from orchestrator.api.forks import ForkRequest
from orchestrator.api.problems import ApiProblem, status_of
from orchestrator.projections.forks import fork
from orchestrator.workflow import Policy
from tests.support import histories

ASKED: Any = (ForkRequest(stream_id="analysis/1", version=1), None, None)  # nothing of who and parts is asked for


async def test_a_fork_waits_for_the_one_before_it_and_not_once_its_asker_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def history_of(*_: object) -> list[Envelope]:
        return histories.load("incremental").events

    monkeypatch.setattr(forks, "history_of", history_of)
    forks._TURN.acquire()
    left, waits = asyncio.create_task(forks.make(*ASKED)), asyncio.create_task(forks.make(*ASKED))
    await asyncio.sleep(0.1)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert not waits.done()
    forks._TURN.release()

    assert (await asyncio.wait_for(waits, 5)).agrees is not None
    assert forks._TURN.acquire(timeout=1), "nobody has it any more"
    forks._TURN.release()


async def test_one_at_a_time_until_its_asker_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(*_: object) -> None:
        look = _[-1]
        assert callable(look)
        begun.set()
        try:
            while True:
                look()
                time.sleep(0.001)
        finally:
            ended.set()

    async def history_of(*_: object) -> list[Envelope]:
        return []

    monkeypatch.setattr(forks, "fork", endless)
    monkeypatch.setattr(forks, "_PATIENCE", 0.1)
    monkeypatch.setattr(forks, "history_of", history_of)
    first = asyncio.create_task(forks.make(*ASKED))
    assert await asyncio.to_thread(begun.wait, 5)

    with pytest.raises(ApiProblem, match="fork_busy"):
        await forks.make(*ASKED)
    assert status_of("fork_busy") == 503
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert await asyncio.to_thread(ended.wait, 5)
    assert await asyncio.to_thread(forks._TURN.acquire, timeout=5), "the next one may be calculated"
    forks._TURN.release()


def test_whoever_looks_is_asked_before_each_decision() -> None:
    history = histories.load("incremental").events
    looks: list[int] = []

    def stop_at(most: int) -> Callable[[], object]:
        def look() -> None:
            looks.append(1)
            if len(looks) > most:
                raise InterruptedError

        return look

    fork(history, 1, {}, Policy(), stop_at(10_000))
    assert len(looks) > 5
    looks.clear()
    with pytest.raises(InterruptedError):
        fork(history, 1, {}, Policy(), stop_at(3))
    assert len(looks) == 4
